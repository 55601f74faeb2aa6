"""Yes or no on any number of targets at once, with blanks and for rare classes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.data.targets import Targets
from molgraph.errors import DataError
from molgraph.kinds.kind import OneEach, focused


@dataclass(frozen=True)
class YesNo(OneEach):
    """Predict probabilities of the positive class.

    `labels` hold what the data calls the negative and the positive class of each target, nothing where 0 and 1.
    `balance` weighs each target's positives by negatives / positives of the training rows; `focal` > 0 is the
    gamma of the focal loss.
    See: Lin 2017, doi 10.1109/ICCV.2017.324
    """

    balance: bool = False
    focal: float = 0.0
    positive: tuple[float, ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()

    def kind(self, name: str) -> str:
        return "binary"

    def adapt(self, train: Targets) -> YesNo:
        weights = []
        for i, name in enumerate(self.names):
            known = train.values[:, i][train.observed[:, i]]
            ones = int((known == 1).sum())
            zeros = int((known == 0).sum())
            if ones + zeros != len(known):
                odd = known[(known != 0) & (known != 1)][0]
                raise DataError(
                    f"target '{name}': a binary target is 0 or 1, found {float(odd):g}; use task 'regression'."
                )
            if not ones or not zeros:
                raise DataError(
                    f"target '{name}': the {len(known)} training rows have one class only ({ones} ones, {zeros} "
                    "zeros); there is nothing to tell apart. Add rows of the other class or choose another split."
                )
            weights.append(zeros / ones if self.balance else 1.0)
        return dataclasses.replace(self, positive=tuple(weights))

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        logits, truth = raw.float(), targets.values.float()
        loss = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        if self.focal:
            loss = loss * focused(loss, self.focal)
        positive = torch.tensor(self.positive, dtype=torch.float32, device=raw.device)
        weight = torch.where(truth > 0.5, positive, torch.ones_like(positive))
        return loss, weight * targets.weight * targets.observed

    def predict(self, raw: Tensor) -> Tensor:
        return torch.sigmoid(raw.float())

    def state(self) -> dict[str, Any]:
        return {"kind": "binary", **dataclasses.asdict(self)}
