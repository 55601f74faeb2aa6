"""Where the numbers of a target lie: what a network or trees learn is (value - mean) / std of the training rows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from molgraph.data.targets import Targets, real
from molgraph.errors import DataError
from molgraph.task.task import OneEach


@dataclass(frozen=True)
class Scaled(OneEach):
    """Know mean and standard deviation of each target's training values.

    Both ways are computed in float64: of values near 1e7 that differ by 0.01, float32 keeps no difference.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def kind(self, name: str) -> str:
        return "regression"

    def adapt(self, train: Targets) -> Self:
        mean, std = [], []
        for i, name in enumerate(self.names):
            known = train.values[:, i][train.observed[:, i]].double()
            if len(known) == 0:
                raise DataError(f"target '{name}': no training row has a value.")
            apart = known - known[0]  # exact, so that equal values have no spread and others always one
            widest = float(apart.abs().max())
            if widest == 0:
                raise DataError(
                    f"target '{name}': all {len(known)} training rows have the value {float(known[0]):.15g}; "
                    "there is nothing to learn. Choose another target or more varied rows."
                )
            mean.append(float(known[0] + apart.mean()))
            std.append(widest * float((apart / widest).std(unbiased=False)))  # squares of 1e-200 would be 0
        return dataclasses.replace(self, mean=tuple(mean), std=tuple(std))

    def scaled(self, values: Tensor) -> Tensor:
        """Return values in standard deviations from the mean, float32 [B, T]."""
        mean, std = self._scale(values)
        return ((values.to(mean.dtype) - mean) / std).float()

    def _scale(self, near: Tensor) -> tuple[Tensor, Tensor]:
        kind = real(near.device)
        return torch.tensor(self.mean, dtype=kind, device=near.device), torch.tensor(
            self.std, dtype=kind, device=near.device
        )
