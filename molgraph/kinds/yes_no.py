"""Yes or no on any number of targets at once, with blanks and for rare classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from molgraph.calibrate import Chance, Interval, Platt, Sloped, Tempered
from molgraph.data.labels import ZERO_ONE, blanks_of, is_yes_or_no, label_reader, two_classes
from molgraph.data.targets import Targets
from molgraph.errors import DataError
from molgraph.kinds.asked import Array, Asked, Parsed, Read, Rows, Settings
from molgraph.kinds.classed import Classed, focused
from molgraph.kinds.column import Column
from molgraph.kinds.words import NO, YES, described_sets, set_columns
from molgraph.metrics import Family
from molgraph.metrics.figures import figure

FAR = 50.0  # a logit beyond it is as good as certain
RANKS = Family(
    "binary",
    ("auroc", "auprc", "ef1", "ef5", "bedroc", "accuracy", "balanced_accuracy", "mcc", "brier", "log_loss"),
    main="auroc",
    aside=("bedroc",),
    beside=("auroc", "accuracy"),
    classes=True,
)


@dataclass(frozen=True)
class YesNo(Classed):
    """Predict probabilities of the positive class.

    `labels` hold what the data calls the negative and the positive class of each target, nothing where 0 and 1.
    `balance` weighs each target's positives by negatives / positives of the training rows, counted by their weights;
    `focal` > 0 is the gamma of the focal loss.
    See: Lin 2017, doi 10.1109/ICCV.2017.324
    """

    balance: bool = False
    focal: float = 0.0
    positive: tuple[float, ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()

    word: ClassVar[str] = "binary"
    answer: ClassVar[str] = "binary"
    summary: ClassVar[str] = "0 or 1, as probabilities"
    family: ClassVar[Family] = RANKS
    each: ClassVar[tuple[str, ...]] = ("positive", "labels")
    decides: ClassVar[bool] = True
    tempering: ClassVar[type[Tempered]] = Sloped
    in_sets: ClassVar[tuple[str, ...]] = (NO, YES)

    @classmethod
    def made(cls, names: tuple[str, ...], settings: Settings) -> YesNo:
        labels = tuple(settings.labels.get(name, ()) for name in names)
        return cls(names, settings.balance, settings.focal, labels=labels)

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
                no, yes = (self.labels[i] if i < len(self.labels) else ()) or ZERO_ONE
                raise DataError(
                    f"target '{name}': the {len(known)} training rows have one class only ({ones} are {yes}, {zeros} "
                    f"are {no}); there is nothing to tell apart. Add rows of the other class or choose another split."
                )
            mine = train.weight[:, i][train.observed[:, i]].double()
            light, heavy = float(mine[known == 0].sum()), float(mine[known == 1].sum())
            weights.append(light / heavy if self.balance else 1.0)
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

    @property
    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        return {name: words for name, words in zip(self.names, self.labels, strict=False) if words}

    def check(self) -> None:
        super().check()
        if not all(len(two) in (0, 2) and all(isinstance(word, str) for word in two) for two in self.labels):
            raise ValueError(f"labels of {self.labels}")

    @property
    def quantity(self) -> str:
        return f"probability of {self.words[1]}" if self.words else ""

    @classmethod
    def parse(cls, frame: pd.DataFrame, name: str, asked: Asked) -> Parsed:
        if asked.labels is not None and is_yes_or_no(asked.labels):
            asked = dataclasses.replace(asked, labels=None)  # any other spelling of yes and no will do as well
        return super().parse(frame, name, asked)

    @classmethod
    def labels_in(cls, name: str, cells: Sequence[str], positive: str) -> tuple[str, ...] | None:
        return two_classes(name, cells, positive)

    @classmethod
    def reader(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> Read:
        return label_reader(labels)

    @classmethod
    def blanks(cls, cells: Sequence[str], labels: Sequence[str]) -> frozenset[str]:
        return blanks_of(cells) - {label.lower() for label in labels}

    @classmethod
    def notes(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> list[str]:
        told = _which_is_positive(name, labels) if asked.labels is None and not is_yes_or_no(labels) else []
        return [*told, *super().notes(name, cells, labels, asked)]

    @classmethod
    def taken(cls, labels: Sequence[str]) -> str:
        if not labels or not is_yes_or_no(labels):
            return ""
        return f", '{labels[1]}' positive and '{labels[0]}' negative"

    def said(self, estimates: Array, spread: Array, interval: Interval, unit: Array | None = None) -> dict[str, Any]:
        found = {self.name: estimates[:, 0], f"{self.name}_std": spread[:, 0]}
        numbers = {column: values.astype(np.float32) for column, values in found.items()}
        return numbers | set_columns(self.name, estimates[:, 0], interval)

    def written(self, columns: Sequence[str]) -> Iterator[Column]:
        yield Column(self.name, "value")
        yield Column(f"{self.name}_std", "deviation")
        yield from described_sets(self.name, columns)

    def calibrated(
        self, estimates: Array, spread: Array, targets: Targets, whose: Rows | None = None
    ) -> tuple[Interval, Chance | None]:
        (truth, observed, bound), value = self.measured(targets), self.shaped(estimates)
        chance = Platt.fit(self.answer, value, truth, observed=observed, bound=bound)
        return super().calibrated(estimates, spread, targets, whose)[0], chance

    def chance_of(self, found: Mapping[str, Any]) -> Chance:
        return Platt.from_json(dict(found))

    @property
    def answers(self) -> int:
        return 2

    def guess_in_words(self, guess: Any, rows: str = "training rows") -> str:
        return f"the share of {self.called[1]} of the {rows}, {figure(float(np.array(guess)))}"

    def linked(self, logits: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -FAR, FAR))))

    @property
    def trees_loss(self) -> str:
        return "Logloss"

    def of_trees(self, raw: Array, classes: NDArray[np.int64]) -> Array:
        return np.asarray(expit(raw[:, :1]))


def _which_is_positive(name: str, labels: Sequence[str]) -> list[str]:
    """Say which of two labels is the positive class."""
    no, yes = labels
    turn = f"--positive {quote(f'{name}:{no}')} turns them"
    return [f"{name}: '{yes}' is the positive class, '{no}' the negative; {turn}."]
