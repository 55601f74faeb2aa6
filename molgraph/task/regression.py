"""Regression on any number of targets at once, with blanks and with bounds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from molgraph.data.targets import ABOVE, BELOW, Targets
from molgraph.errors import DataError
from molgraph.task.task import OneEach


@dataclass(frozen=True)
class Regression(OneEach):
    """Predict numbers; the network learns (value - mean) / std of the training rows, in float32.

    A row measured as `<5` costs nothing while the prediction lies below 5, and its squared distance to 5 above it
    (a one-sided loss, as for left-censored data).
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def kind(self, name: str) -> str:
        return "regression"

    def adapt(self, train: Targets) -> Regression:
        mean, std = [], []
        for i, name in enumerate(self.names):
            known = train.values[:, i][train.observed[:, i]].double()
            if len(known) == 0:
                raise DataError(f"target '{name}': no training row has a value.")
            spread = float(known.std(unbiased=False))
            if not spread > 0:
                raise DataError(
                    f"target '{name}': all {len(known)} training rows have the value {float(known[0]):g}; "
                    "there is nothing to learn. Choose another target or more varied rows."
                )
            mean.append(float(known.mean()))
            std.append(spread)
        return dataclasses.replace(self, mean=tuple(mean), std=tuple(std))

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        mean, std = self._scale(raw)
        error = raw.float() - (targets.values - mean) / std
        error = torch.where(targets.bound == BELOW, error.clamp(min=0), error)
        error = torch.where(targets.bound == ABOVE, error.clamp(max=0), error)
        return error.square(), targets.weight * targets.observed

    def predict(self, raw: Tensor) -> Tensor:
        mean, std = self._scale(raw)
        return raw.float() * std + mean

    def state(self) -> dict[str, Any]:
        return {"kind": "regression", **dataclasses.asdict(self)}

    def _scale(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        mean = torch.tensor(self.mean, dtype=torch.float32, device=raw.device)
        return mean, torch.tensor(self.std, dtype=torch.float32, device=raw.device)
