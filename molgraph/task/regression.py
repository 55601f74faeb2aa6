"""Regression on any number of targets at once, with blanks and with bounds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from molgraph.data.targets import ABOVE, BELOW, Targets
from molgraph.task.scale import Scaled


@dataclass(frozen=True)
class Regression(Scaled):
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
