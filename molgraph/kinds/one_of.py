"""One of several classes, on any number of targets at once, with blanks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.data.targets import Targets
from molgraph.errors import DataError
from molgraph.kinds.kind import focused


@dataclass(frozen=True)
class OneOf:
    """Predict the probability of each class; target values are positions in `classes[t]`.

    `balance` weighs a class by rows / (classes * rows of the class), `focal` > 0 is the gamma of the focal loss. A
    class without a training row weighs nothing: what nobody could learn must not decide when to stop.
    See: Lin 2017, doi 10.1109/ICCV.2017.324
    """

    names: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...] = ()
    balance: bool = False
    focal: float = 0.0
    weights: tuple[tuple[float, ...], ...] = ()

    @property
    def outputs(self) -> int:
        return sum(len(c) for c in self.classes)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(
            f"{name}={label}" for name, labels in zip(self.names, self.classes, strict=True) for label in labels
        )

    def kind(self, name: str) -> str:
        return "multiclass"

    def adapt(self, train: Targets) -> OneOf:
        weights = []
        for i, (name, labels) in enumerate(zip(self.names, self.classes, strict=True)):
            known = train.values[:, i][train.observed[:, i]].long()
            counts = torch.bincount(known, minlength=len(labels))
            if int((counts > 0).sum()) < 2:
                raise DataError(
                    f"target '{name}': the {len(known)} training rows have fewer than two classes; there is nothing to "
                    "tell apart. Add rows of another class or choose another split."
                )
            even = len(known) / (len(labels) * counts.double()) if self.balance else torch.ones(len(labels))
            weights.append(tuple(torch.where(counts > 0, even, 0.0).tolist()))
        return dataclasses.replace(self, weights=tuple(weights))

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        losses, weights = [], []
        for i, logits in enumerate(self._blocks(raw)):
            truth = targets.values[:, i].long()
            loss = F.cross_entropy(logits, truth, reduction="none")
            losses.append(loss * focused(loss, self.focal) if self.focal else loss)
            weights.append(torch.tensor(self.weights[i], dtype=torch.float32, device=raw.device)[truth])
        return torch.stack(losses, 1), torch.stack(weights, 1) * targets.weight * targets.observed

    def predict(self, raw: Tensor) -> Tensor:
        return torch.cat([torch.softmax(logits, 1) for logits in self._blocks(raw)], 1)

    def state(self) -> dict[str, Any]:
        return {"kind": "multiclass", **dataclasses.asdict(self)}

    def _blocks(self, raw: Tensor) -> tuple[Tensor, ...]:
        return torch.split(raw.float(), [len(c) for c in self.classes], dim=1)
