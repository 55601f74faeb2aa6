"""What a yes or no and one of several classes have in common: the truth is one of 0, 1, ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph.calibrate import Chance, Interval, Sets, Tempered
from molgraph.data.labels import ZERO_ONE, words_met
from molgraph.data.targets import EXACT, Targets
from molgraph.kinds.asked import Array, Asked, Rows
from molgraph.kinds.kind import Cell, Kind
from molgraph.metrics.coverage import Coverage, SetCoverage, set_coverage
from molgraph.metrics.reliability import Reliability, from_enough, of_classes

LEAST = 1e-4  # a smaller probability of what happened counts as that, so that one row does not decide


@dataclass(frozen=True)
class Classed(Kind):
    """Predict probabilities; intervals are sets of the classes that are still possible."""

    chance: ClassVar[bool] = True

    guess_metric: ClassVar[str | None] = "brier"
    tempering: ClassVar[type[Tempered]] = Tempered
    in_sets: ClassVar[tuple[str, ...]] = ()
    """What sets call the classes, none where by their names."""

    @property
    def words(self) -> tuple[str, ...]:
        return self.vocabulary.get(self.name, ())

    @property
    def called(self) -> tuple[str, ...]:
        """Name the classes of one target, where a person reads of them."""
        return self.words or ZERO_ONE

    def misfit(self, estimates: Array, targets: Targets) -> float | None:
        values, observed, _ = self.measured(targets)
        chances = self.shaped(estimates)[observed]
        chances = chances if chances.ndim > 1 else np.stack([1 - chances, chances], axis=1)
        true = chances[np.arange(len(chances)), values[observed].astype(np.int64)]
        return float(-2 * np.log(np.maximum(true, LEAST)).sum())

    def text(self, value: float, bound: int) -> str:
        return self.called[int(value)]

    def cells(self, values: Array) -> Any:
        if not self.words:
            return super().cells(values)
        return [None if np.isnan(value) else self.words[int(value)] for value in values]

    @classmethod
    def notes(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> list[str]:
        return words_met(name, cells, cls.blanks(cells, labels))

    @classmethod
    def merged(cls, values: Array, bound: NDArray[np.int8], weight: Array, rule: str) -> Cell:
        """Return the class of most weight; none where two have as much, or where they differ and are to be dropped."""
        exact = bound == EXACT
        found, which = np.unique(values[exact], return_inverse=True)
        counts = np.bincount(which, weights=weight[exact])
        tied = (counts == counts.max()).sum() > 1
        if len(found) > 1 and (rule == "drop" or tied):
            return None
        return float(found[counts.argmax()]), EXACT

    def tempered(self, estimates: Array, targets: Targets) -> Tempered | None:
        truth, observed, _ = self.measured(targets)
        return self.tempering.fit(self.answer, estimates, truth, observed)

    def calibrated(
        self, estimates: Array, spread: Array, targets: Targets, whose: Rows | None = None
    ) -> tuple[Interval, Chance | None]:
        truth, observed, bound = self.measured(targets)
        return Sets.fit(self.answer, self.shaped(estimates), truth, observed=observed, bound=bound, groups=whose), None

    def interval_of(self, found: Mapping[str, Any]) -> Interval:
        return Sets.from_json(dict(found))

    def tempered_of(self, found: Mapping[str, Any]) -> Tempered:
        return self.tempering.from_json(found)

    def covered(self, interval: Interval, estimates: Array, truth: Array, spread: Array | None) -> Coverage:
        assert isinstance(interval, Sets)
        return _covered(interval, estimates, truth, {"names": self.called, "said": self.in_sets})

    def reliability(
        self,
        interval: Interval,
        chance: Chance | None,
        estimates: Array,
        truth: Array,
        spread: Array,
        rows: str = "rows",
    ) -> Reliability:
        assert isinstance(interval, Sets)
        width = interval.sets(estimates).sum(axis=1) if interval.limits else np.full(len(truth), np.nan)
        return from_enough(of_classes(estimates, truth, width), rows=rows)

    def each_class(self, truth: Array) -> list[NDArray[np.bool_]]:
        return [truth == c for c in range(self.answers)]


def _covered(interval: Sets, estimates: Array, truth: Array, words: dict[str, Any]) -> SetCoverage:
    lower = interval.lower and _covered(interval.lower, estimates, truth, words)
    inside = interval.sets(estimates) if interval.limits else None
    given: dict[str, Any] = {"counts": interval.counts, "reason": interval.reason, "lower": lower}
    return set_coverage(inside, truth, level=interval.level, **words, **given)


def focused(loss: Tensor, gamma: float) -> Tensor:
    """Return the weight (1 - p)^gamma of the focal loss from the log loss -log p.

    Never quite 0, where the slope of a power below 1 is infinite. See: Lin 2017, doi 10.1109/ICCV.2017.324
    """
    return (-torch.expm1(-loss)).clamp(min=1e-12).pow(gamma)
