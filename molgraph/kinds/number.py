"""Numbers on any number of targets at once, with blanks and with bounds; also with how far off each may be."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.data.targets import ABOVE, BELOW, EXACT, Targets
from molgraph.kinds.scale import Scaled

FLOOR = 1e-3  # of the standard deviation of the training rows: less than any assay repeats, and the loss stays finite
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Number(Scaled):
    """Predict numbers; the network learns (value - mean) / std of the training rows, in float32.

    A row measured as `<5` costs nothing while the prediction lies below 5, and its squared distance to 5 above it
    (a one-sided loss, as for left-censored data).
    """

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        error = raw.float() - self.scaled(targets.values)
        error = torch.where(targets.bound == BELOW, error.clamp(min=0), error)
        error = torch.where(targets.bound == ABOVE, error.clamp(max=0), error)
        return error.square(), targets.weight * targets.observed

    def predict(self, raw: Tensor) -> Tensor:
        mean, std = self._scale(raw)
        return raw.to(mean.dtype) * std + mean

    def state(self) -> dict[str, Any]:
        return {"kind": "regression", **dataclasses.asdict(self)}


@dataclass(frozen=True)
class Normal(Scaled):
    """Predict the mean and the standard deviation of numbers by the likelihood of a normal distribution.

    A row measured as `<5` costs the negative log probability of a value below 5 (a censored normal distribution).
    Estimates have two columns for each target: the mean, and the standard deviation in the same units.

    See: Nix & Weigend 1994, doi 10.1109/ICNN.1994.374138; bounds: Tobin 1958, doi 10.2307/1907382
    """

    @property
    def outputs(self) -> int:
        return 2 * len(self.names)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for name in self.names for column in (name, f"{name}_sd"))

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        centre, spread = self._parts(raw)
        off = (self.scaled(targets.values) - centre) / spread
        exact = 0.5 * off.square() + spread.log() + HALF_LOG_TAU
        side = torch.where(targets.bound == ABOVE, -off, off)
        known_by_bound = -torch.special.log_ndtr(side)
        return torch.where(targets.bound == EXACT, exact, known_by_bound), targets.weight * targets.observed

    def predict(self, raw: Tensor) -> Tensor:
        centre, spread = self._parts(raw)
        mean, std = self._scale(raw)
        centre, spread = centre.to(mean.dtype), spread.to(mean.dtype)
        return torch.stack([centre * std + mean, spread * std], 2).flatten(1)  # [B, T, 2] -> [B, 2 T]

    def state(self) -> dict[str, Any]:
        return {"kind": "gaussian", **dataclasses.asdict(self)}

    def _parts(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Return centre and spread, both [B, T], in standard deviations of the training rows."""
        centre, width = raw.float().chunk(2, dim=1)
        return centre, F.softplus(width) + FLOOR
