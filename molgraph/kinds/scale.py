"""Where the numbers of a target lie: what a network or trees learn is (value - mean) / std of the training rows.

Of a target that is learnt on its logarithm, all that a task and a predictor hold is log10 of the user's values, from
the rows of training to estimates and intervals; `kept` is the way in and `shown` the way out.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph.data.targets import Targets, real
from molgraph.errors import DataError
from molgraph.kinds.kind import OneEach

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaled(OneEach):
    """Know mean and standard deviation of each target's training values, and which are logarithms (`log`).

    Both ways are computed in float64: of values near 1e7 that differ by 0.01, float32 keeps no difference.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    log: tuple[str, ...] = ()

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


def kept(values: Floats, log: bool) -> Floats:
    """Return values as a model keeps them: log10 where it does so, NaN of what has none.

    >>> kept(np.array([100.0, 0.0]), log=True).tolist()
    [2.0, nan]
    """
    if not log:
        return values
    return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)


def shown(values: Floats, log: bool) -> Floats:
    """Return kept values in the user's units. Of a logarithm's mean that is the median of what it stands for."""
    if not log:
        return values
    with np.errstate(over="ignore"):  # beyond what float64 holds is infinite, and is told of its row
        return np.asarray(10.0 ** np.asarray(values, dtype=np.float64))


def shown_spread(spread: Floats, values: Floats, log: bool) -> Floats:
    """Return a standard deviation about kept values in the user's units: half the way from one deviation below to one
    above, of a logarithm's mean m and deviation s (10^(m + s) - 10^(m - s)) / 2."""
    return (shown(values + spread, log) - shown(values - spread, log)) / 2 if log else spread
