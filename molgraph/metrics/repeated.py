"""Which models differ over the folds of a repeated cross-validation: all pairs at once, each fold scored by all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from molgraph.errors import ConfigError, DataError, did_you_mean
from molgraph.metrics.comparison import places
from molgraph.metrics.scores import LEVEL, METRICS

Floats = NDArray[np.float64]

TESTS = {
    "tukey": "Tukey's honest significant differences after an analysis of variance with the folds as blocks",
    "wilcoxon": "Wilcoxon's signed-rank test of each pair, with Holm's correction",
}
NORMAL = 0.01  # below this Shapiro-Wilk probability the residuals are called not normal


@dataclass(frozen=True)
class Pair:
    """Hold the mean difference of two models (first less second) with its simultaneous 95 % interval.

    `p` is adjusted for the number of pairs. `effect` is the difference in standard deviations of the differences over
    folds (Cohen's d of pairs), with the same interval.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    effect: float
    effect_low: float
    effect_high: float

    @property
    def differs(self) -> bool:
        return self.p < 1 - LEVEL


@dataclass(frozen=True)
class Ranking:
    """Hold the models, best mean first, and all pairs; `normal` is the Shapiro-Wilk probability of the residuals."""

    metric: str
    test: str
    names: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    folds: int
    pairs: tuple[Pair, ...]
    normal: float | None

    def pair(self, first: str, second: str) -> Pair:
        """Return a pair, whichever of the two stands first in it."""
        return next(p for p in self.pairs if {p.first, p.second} == {first, second})

    @property
    def sentences(self) -> list[str]:
        """Say of each model whether it differs from the best."""
        best, *others = self.names
        tied = [name for name in others if not self.pair(best, name).differs]
        head = f"{best} has the best mean {METRICS[self.metric].label}"
        said = [f"{head} and is statistically tied with {_listed(tied)}." if tied else f"{head} of {len(self.names)}."]
        return said + [self._against_best(name) for name in others]

    def _against_best(self, name: str) -> str:
        pair, best = self.pair(self.names[0], name), self.names[0]
        digits = places(max(map(abs, self.means)))
        sign = 1 if pair.first == name else -1
        ends = sorted((sign * pair.low, sign * pair.high))

        def show(value: float) -> str:
            return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0 turns -0.0 into 0.0

        what = "is worse than" if pair.differs else "is statistically tied with"
        means = f"{show(self.means[self.names.index(name)])} against {show(self.means[0])}"
        return (
            f"{name} {what} {best}: {METRICS[self.metric].label} {means} (difference {show(sign * pair.difference)}, "
            f"95 % interval {show(ends[0])} to {show(ends[1])}, p {pair.p:.2g})."
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {**asdict(self), "names": list(self.names), "sentences": self.sentences}


def rank(names: Sequence[str], scores: ArrayLike, metric: str, *, share: float = 0.0, test: str = "tukey") -> Ranking:
    """Rank models by their mean score over the same folds and compare all pairs.

    Folds are blocks: what makes a fold hard for all models drops out. Folds of a repeated cross-validation share
    training rows, so their scores are not independent and a plain test finds differences where there are none;
    `share`, test rows over training rows of a fold, widens the variance of a mean over n folds from s2 / n to
    s2 (1 / n + share). Wilcoxon's test has no such correction; its intervals, which are Tukey's, have it.

    Shapes: `scores` [folds, models], no NaN.
    Raises: ConfigError for an unknown test; DataError for fewer than two folds or models.
    See: Ash 2025, doi 10.1021/acs.jcim.5c01609 (the protocol); Tukey 1949, doi 10.2307/3001913; Nadeau & Bengio
    2003, doi 10.1023/A:1024068626366 (the correction); Wilcoxon 1945, doi 10.2307/3001968; Holm 1979, Scandinavian
    Journal of Statistics 6, 65-70; Shapiro & Wilk 1965, doi 10.1093/biomet/52.3-4.591

    >>> found = rank(["a", "b"], [[1.0, 2.0], [1.2, 2.1], [0.9, 2.2], [1.1, 1.9]], "rmse")
    >>> found.names, found.pairs[0].differs
    (('a', 'b'), True)
    """
    if test not in TESTS:
        raise ConfigError(f"unknown test '{test}'{did_you_mean(test, TESTS)}")
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise DataError("a comparison needs at least two models with at least two folds that all of them scored.")
    order = np.argsort(-table.mean(0) if METRICS[metric].higher_is_better else table.mean(0), kind="stable")
    table, named = table[:, order], tuple(names[i] for i in order)
    residuals = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    half, chances = _tukey(table, residuals, share)
    chosen = chances if test == "tukey" else _wilcoxon(table)
    pairs = []
    for (i, j), p in zip(combinations(range(len(named)), 2), chosen, strict=True):
        gaps = table[:, i] - table[:, j]
        mean, spread = float(gaps.mean()), float(gaps.std(ddof=1))
        effect = [value / spread if spread > 0 else 0.0 for value in (mean, mean - half, mean + half)]
        pairs.append(Pair(named[i], named[j], mean, mean - half, mean + half, p, *effect))
    means, deviations = table.mean(0), table.std(0, ddof=1)
    free = residuals[:, 1:].ravel()  # the first model's are what the others leave
    normal = float(stats.shapiro(free).pvalue) if len(free) > 2 and np.ptp(free) > 0 else None
    return Ranking(
        metric, test, named, tuple(means.tolist()), tuple(deviations.tolist()), len(table), tuple(pairs), normal
    )


def _tukey(table: Floats, residuals: Floats, share: float) -> tuple[float, list[float]]:
    """Return the half-width of all intervals, and the probability of each pair."""
    folds, models = table.shape
    free = (folds - 1) * (models - 1)
    error = math.sqrt(float(np.square(residuals).sum()) / free * (1 / folds + share))
    gaps = [abs(float((table[:, i] - table[:, j]).mean())) for i, j in combinations(range(models), 2)]
    if error <= 1e-12 * max(float(np.abs(table).max()), 1e-300):  # rounding: models that never differ, or always alike
        return 0.0, [0.0 if gap > 1e-9 * float(np.abs(table).max()) else 1.0 for gap in gaps]
    half = float(stats.studentized_range.ppf(LEVEL, models, free)) * error
    return half, [float(stats.studentized_range.sf(gap / error, models, free)) for gap in gaps]


def _wilcoxon(table: Floats) -> list[float]:
    found = []
    for i, j in combinations(range(table.shape[1]), 2):
        gaps = table[:, i] - table[:, j]
        found.append(float(stats.wilcoxon(gaps).pvalue) if np.any(gaps != 0) else 1.0)
    return holm(found)


def holm(chances: Sequence[float]) -> list[float]:
    """Return probabilities adjusted so that the chance of any false finding stays below the level.

    See: Holm 1979, Scandinavian Journal of Statistics 6, 65-70

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(chances)), key=lambda i: chances[i])
    adjusted, highest = [1.0] * len(chances), 0.0
    for at, i in enumerate(order):
        highest = max(highest, min(1.0, chances[i] * (len(chances) - at)))
        adjusted[i] = highest
    return adjusted


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
