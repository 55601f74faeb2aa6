"""One of several classes, on any number of targets at once, with blanks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

from molgraph.calibrate import Interval
from molgraph.data.labels import MISSING, class_reader, labels_of
from molgraph.data.targets import Targets
from molgraph.errors import DataError
from molgraph.kinds.asked import Array, Asked, Read, Settings
from molgraph.kinds.classed import Classed, focused
from molgraph.kinds.column import Column
from molgraph.kinds.words import described_sets, set_columns
from molgraph.metrics import Family

SHARES = Family(
    "multiclass",
    ("accuracy", "balanced_accuracy", "mcc", "brier", "log_loss"),
    main="balanced_accuracy",
    beside=("balanced_accuracy", "accuracy"),
    classes=True,
    shares=True,
)


@dataclass(frozen=True)
class OneOf(Classed):
    """Predict the probability of each class; target values are positions in `classes[t]`.

    `balance` weighs a class by rows / (classes * rows of the class), rows counted by their weights; `focal` > 0 is the
    gamma of the focal loss. A class without a training row weighs nothing: what nobody could learn must not decide when
    to stop.
    See: Lin 2017, doi 10.1109/ICCV.2017.324
    """

    classes: tuple[tuple[str, ...], ...] = ()
    balance: bool = False
    focal: float = 0.0
    weights: tuple[tuple[float, ...], ...] = ()

    word: ClassVar[str] = "multiclass"
    answer: ClassVar[str] = "multiclass"
    summary: ClassVar[str] = "one of several classes, as probabilities"
    family: ClassVar[Family] = SHARES
    each: ClassVar[tuple[str, ...]] = ("classes", "weights")

    @classmethod
    def made(cls, names: tuple[str, ...], settings: Settings) -> OneOf:
        return cls(names, tuple(settings.labels[name] for name in names), settings.balance, settings.focal)

    @property
    def outputs(self) -> int:
        return sum(len(c) for c in self.classes)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(
            f"{name}={label}" for name, labels in zip(self.names, self.classes, strict=True) for label in labels
        )

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
            mine = train.weight[:, i][train.observed[:, i]].double()
            sums = torch.bincount(known, weights=mine, minlength=len(labels))
            even = float(mine.sum()) / (len(labels) * sums) if self.balance else torch.ones(len(labels))
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

    def _blocks(self, raw: Tensor) -> tuple[Tensor, ...]:
        return torch.split(raw.float(), [len(c) for c in self.classes], dim=1)

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(map(len, self.classes))

    def check(self) -> None:
        super().check()
        known = [type(each) is tuple and len(set(map(str, each))) == len(each) > 1 for each in self.classes]
        if len(known) != len(self.names) or not all(known):
            raise ValueError(f"classes of {self.classes}")

    @property
    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        return dict(zip(self.names, self.classes, strict=True))

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.classes[0]

    @classmethod
    def labels_in(cls, name: str, cells: Sequence[str], positive: str) -> tuple[str, ...] | None:
        return labels_of(cells)

    @classmethod
    def reader(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> Read:
        return class_reader(labels)

    @classmethod
    def blanks(cls, cells: Sequence[str], labels: Sequence[str]) -> frozenset[str]:
        return MISSING - {label.lower() for label in labels}

    def shaped(self, estimates: Array) -> Array:
        return estimates

    def said(self, estimates: Array, spread: Array, interval: Interval, unit: Array | None = None) -> dict[str, Any]:
        name, classes, first = self.name, self.class_names, estimates.argmax(axis=1)
        found: dict[str, Any] = {
            name: [classes[i] for i in first],
            f"{name}_std": np.take_along_axis(spread, first[:, None], 1)[:, 0].astype(np.float32),
        }
        found |= {f"{name}_p_{label}": estimates[:, i].astype(np.float32) for i, label in enumerate(classes)}
        return found | set_columns(name, estimates, interval, classes)

    def written(self, columns: Sequence[str]) -> Iterator[Column]:
        yield Column(self.name, "value")
        yield Column(f"{self.name}_std", "deviation")
        for label, column in zip(self.class_names, self.ranked_by, strict=True):
            yield Column(column, "probability", of=label)
        yield from described_sets(self.name, columns)

    @property
    def ranked_by(self) -> tuple[str, ...]:
        return tuple(f"{self.name}_p_{label}" for label in self.class_names)

    def as_estimate(self, values: Array) -> Array:
        return np.eye(self.answers)[values.astype(np.int64)]

    def fits(self, interval: Interval) -> bool:
        return super().fits(interval) and len(interval.limits) in (0, self.answers)

    @property
    def answers(self) -> int:
        return len(self.class_names)

    def guess(self, values: Array, bound: NDArray[np.int8]) -> float | list[float]:
        shares: list[float] = (np.bincount(values.astype(np.int64), minlength=self.answers) / len(values)).tolist()
        return shares

    def guess_in_words(self, guess: Any, rows: str = "training rows") -> str:
        most = self.class_names[int(np.argmax(guess))]
        return f"the shares of the classes in training, most often '{most}'"

    def linked(self, logits: Array) -> Array:
        high = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(high / high.sum(axis=1, keepdims=True))

    @property
    def trees_loss(self) -> str:
        return "MultiClass"

    def of_trees(self, raw: Array, classes: NDArray[np.int64]) -> Array:
        found = np.zeros((len(raw), self.answers))
        found[:, classes] = softmax(raw, axis=1)
        return found

    def fits_trees(self, outputs: int, classes: NDArray[np.int64]) -> bool:
        return len(classes) > 1 and bool(classes[-1] < self.answers)
