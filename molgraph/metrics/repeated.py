"""Which models differ over the folds of a repeated cross-validation: all pairs at once, each fold scored by all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from molgraph.errors import ConfigError, DataError, did_you_mean
from molgraph.metrics.figures import alike
from molgraph.metrics.scores import LEVEL, METRICS
from molgraph.metrics.signed_rank import SignedRank, fewest

Floats = NDArray[np.float64]

TESTS = {
    "tukey": "Tukey's honest significant differences after an analysis of variance with the folds as blocks",
    "wilcoxon": "Wilcoxon's signed-rank test of each pair, with Bonferroni's correction",
}
EFFECTS = {"tukey": "Cohen's d", "wilcoxon": "share of folds won"}
NORMAL = 0.01  # below this Shapiro-Wilk probability the residuals are called not normal
FAR = 100.0  # from this t on, the error of a mean is nothing beside that of the standard deviation


@dataclass(frozen=True)
class Pair:
    """Hold the difference of two models (first less second) with its simultaneous 95 % interval.

    All come from one test, so that the interval holds 0 where the models are tied; `p` is adjusted for the number of
    pairs. Of Tukey's, `difference` is that of the means, and `effect` counts it in standard deviations over folds of
    such a difference (Cohen's d of pairs; pooled over all pairs), None where there is no spread. Of Wilcoxon's it is
    the Hodges-Lehmann median, and `effect` the share of folds on which the first is better. Each has its own interval.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    effect: float | None
    effect_low: float | None
    effect_high: float | None

    @property
    def differs(self) -> bool:
        return self.p < 1 - LEVEL


@dataclass(frozen=True)
class Ranking:
    """Hold the models, best mean first, and all pairs; `normal` is the Shapiro-Wilk probability of the residuals.

    `pooling` says which pairs are tied only because the test pools the spread of all models.
    """

    metric: str
    test: str
    names: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    folds: int
    pairs: tuple[Pair, ...]
    normal: float | None
    pooling: str | None = None

    def pair(self, first: str, second: str) -> Pair:
        """Return a pair, whichever of the two stands first in it."""
        return next(p for p in self.pairs if {p.first, p.second} == {first, second})

    @property
    def sentences(self) -> list[str]:
        """Say of each model whether it differs from the best, and what pooling hides."""
        best, *others = self.names
        tied = [name for name in others if not self.pair(best, name).differs]
        head = f"{best} has the best mean {METRICS[self.metric].label}"
        said = [f"{head} and is statistically tied with {_listed(tied)}." if tied else f"{head} of {len(self.names)}."]
        return said + [self._against_best(name) for name in others] + ([self.pooling] if self.pooling else [])

    def words(self, pair: Pair) -> str:
        """Say what a pair's test found of its first model."""
        if not pair.differs:
            return "is statistically tied with"
        better = (pair.difference > 0) == METRICS[self.metric].higher_is_better
        return "is better than" if better else "is worse than"

    def _against_best(self, name: str) -> str:
        best = self.names[0]
        pair = _turned(self.pair(best, name), name)
        show = alike(max(map(abs, self.means)), pair.low, pair.high)
        what = "difference" if self.test == "tukey" else "median difference"
        means = f"{show(self.means[self.names.index(name)])} against {show(self.means[0])}"
        return (
            f"{name} {self.words(pair)} {best}: {METRICS[self.metric].label} {means} ({what} {show(pair.difference)}, "
            f"95 % interval {show(pair.low)} to {show(pair.high)}, p {pair.p:.2g})."
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {**asdict(self), "names": list(self.names), "sentences": self.sentences}


def rank(names: Sequence[str], scores: ArrayLike, metric: str, *, share: float = 0.0, test: str = "tukey") -> Ranking:
    """Rank models by their mean score over the same folds and compare all pairs.

    Folds are blocks: what makes a fold hard for all models drops out. Folds of a repeated cross-validation share
    training rows, so their scores are not independent and a plain test finds differences where there are none;
    `share`, test rows over training rows of a fold, widens the variance of a mean over n folds from s2 / n to
    s2 (1 / n + share). Wilcoxon's test has no such correction, and neither have its intervals.

    Shapes: `scores` [folds, models], no NaN.
    Raises: ConfigError for an unknown test; DataError for fewer than two models, or folds than `fewest_folds`.
    See: Ash 2025, doi 10.1021/acs.jcim.5c01609 (the protocol); Tukey 1949, doi 10.2307/3001913; Nadeau & Bengio
    2003, doi 10.1023/A:1024068626366 (the correction); Shapiro & Wilk 1965, doi 10.1093/biomet/52.3-4.591

    >>> found = rank(["a", "b"], [[1.0, 2.0], [1.2, 2.1], [0.9, 2.2], [1.1, 1.9]], "rmse")
    >>> found.names, found.pairs[0].differs
    (('a', 'b'), True)
    """
    if test not in TESTS:
        raise ConfigError(f"unknown test '{test}'{did_you_mean(test, TESTS)}")
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise DataError("a comparison needs at least two models with at least two folds that all of them scored.")
    least = fewest_folds(test, table.shape[1])
    if len(table) < least:
        raise DataError(f"of fewer than {least} folds the {test} test of {table.shape[1]} models finds no difference.")
    higher = METRICS[metric].higher_is_better
    order = np.argsort(-table.mean(0) if higher else table.mean(0), kind="stable")
    table, named = table[:, order], tuple(names[i] for i in order)
    residuals = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    if test == "tukey":
        pairs = _tukey(named, table, residuals, share)
        pooling = _pooling(named, table, residuals, share, pairs)
    else:
        pairs, pooling = _wilcoxon(named, table, higher), None
    means, deviations = tuple(table.mean(0).tolist()), tuple(table.std(0, ddof=1).tolist())
    free = residuals[:, 1:].ravel()  # the first model's are what the others leave
    normal = float(stats.shapiro(free).pvalue) if len(free) > 2 and np.ptp(free) > 0 else None
    return Ranking(metric, test, named, means, deviations, len(table), pairs, normal, pooling)


def fewest_folds(test: str, models: int) -> int:
    """Return from how many folds on a test can find a difference between models."""
    return 2 if test == "tukey" else fewest(1 - LEVEL, math.comb(models, 2))


def _tukey(names: Sequence[str], table: Floats, residuals: Floats, share: float) -> tuple[Pair, ...]:
    """Compare all pairs by the studentised range, with the spread that all models have together."""
    folds, models = table.shape
    free = (folds - 1) * (models - 1)
    spread, unit = math.sqrt(float(np.square(residuals).sum()) / free), math.sqrt(1 / folds + share)
    none, border, beyond = _rounding(spread, table), 0.0, 1.0
    if not none:
        border = float(stats.studentized_range.ppf(LEVEL, models, free))  # the slow part: once for all pairs
        beyond = 2 * float(stats.t.sf(border / math.sqrt(2), free))  # by how much each pair's own interval errs
    found = []
    for i, j in combinations(range(models), 2):
        gap = float((table[:, i] - table[:, j]).mean())
        if none:  # models that never differ, or always alike
            p = 0.0 if abs(gap) > 1e-9 * float(np.abs(table).max()) else 1.0
            found.append(Pair(names[i], names[j], gap, gap, gap, p, None, None, None))
            continue
        p = float(stats.studentized_range.sf(abs(gap) / (spread * unit), models, free))
        half = border * spread * unit
        effect = standardised(gap / (math.sqrt(2) * spread), unit, free, beyond)
        found.append(Pair(names[i], names[j], gap, gap - half, gap + half, p, *effect))
    return tuple(found)


def standardised(d: float, unit: float, free: float, beyond: float) -> tuple[float, float, float]:
    """Return a standardised mean difference with its interval, which errs with the probability `beyond`.

    `unit` is the standard error of the mean in standard deviations, and d / unit has a noncentral t distribution of
    `free` degrees, also where folds are equally correlated: their mean and their deviations from it are independent.

    See: Steiger & Fouladi 1997, Noncentrality interval estimation and the evaluation of statistical models;
    Cumming & Finch 2001, doi 10.1177/0013164401614002

    >>> d, low, high = standardised(0.5, 1 / 25**0.5, 24, 0.05)
    >>> round(low, 3), round(high, 3)
    (0.079, 0.912)
    """
    t = abs(d) / unit
    if t < FAR:
        ends = [float(special.nctdtrinc(free, p, t)) for p in (1 - beyond / 2, beyond / 2)]
    else:  # the limit: all that is uncertain is the standard deviation
        ends = [t * math.sqrt(float(stats.chi2.ppf(p, free)) / free) for p in (beyond / 2, 1 - beyond / 2)]
    low, high = (end * unit for end in ends)
    return (d, low, high) if d >= 0 else (d, -high, -low)


def _pooling(names: Sequence[str], table: Floats, residuals: Floats, share: float, pairs: Sequence[Pair]) -> str | None:
    """Name the pairs that are tied because other models vary more from fold to fold than these two.

    Each is judged by its own folds: the corrected t test, with Bonferroni's correction.
    """
    folds, clear, loud = len(table), [], []
    unit = math.sqrt(1 / folds + share)
    for pair in (pair for pair in pairs if not pair.differs):
        i, j = names.index(pair.first), names.index(pair.second)
        error = float((table[:, i] - table[:, j]).std(ddof=1)) * unit
        half = float(stats.t.ppf(1 - (1 - LEVEL) / 2 / len(pairs), folds - 1)) * error
        if abs(pair.difference) <= max(half, 1e-9 * float(np.abs(table).max())):
            continue
        low, high = pair.difference - half, pair.difference + half
        show = alike(float(np.abs(table.mean(0)).max()), low, high)
        clear.append(
            f"{pair.first} less {pair.second} is {show(pair.difference)} (95 % interval {show(low)} to {show(high)})"
        )
        others = [k for k in range(len(names)) if k not in (i, j)]
        loud.append(names[max(others, key=lambda k: float(np.square(residuals[:, k]).sum()))])
    if not clear:
        return None
    spoilers = _listed(list(dict.fromkeys(loud)))
    return (
        f"Tukey's test pools the spread of all models, and that of {spoilers} widens every interval: by the "
        f"folds of the two alone, {_listed(clear)}."
    )


def _wilcoxon(names: Sequence[str], table: Floats, higher: bool) -> tuple[Pair, ...]:
    """Compare each pair by its own folds; p and intervals share out the level among the pairs (Bonferroni).

    Holm's steps would find a little more, but have no intervals of two sides to go with them (Strassburger & Bretz
    2008, doi 10.1002/sim.3338). The interval of the share of folds won is that of Clopper & Pearson 1934, doi
    10.1093/biomet/26.4.404; an equal fold counts half, and against both ends.
    """
    pairs, found = list(combinations(range(table.shape[1]), 2)), []
    for i, j in pairs:
        gaps = table[:, i] - table[:, j]
        made = SignedRank.of(gaps, (1 - LEVEL) / len(pairs))
        won, equal, beyond = int(((gaps > 0) == higher)[gaps != 0].sum()), int((gaps == 0).sum()), 1 - made.level
        low = float(special.betaincinv(won, len(gaps) - won + 1, beyond / 2)) if won else 0.0
        lost = len(gaps) - won - equal
        high = 1 - float(special.betaincinv(lost, len(gaps) - lost + 1, beyond / 2)) if lost else 1.0
        p = min(1.0, made.p * len(pairs))
        share = (won + equal / 2) / len(gaps)
        found.append(Pair(names[i], names[j], made.median, made.low, made.high, p, share, low, high))
    return tuple(found)


def _rounding(spread: float, table: Floats) -> bool:
    """Tell whether a spread is what computing leaves of none."""
    return spread <= 1e-12 * max(float(np.abs(table).max()), 1e-300)


def _turned(pair: Pair, first: str) -> Pair:
    """Return the differences of a pair with this model first; the effect stays that of the pair."""
    if pair.first == first:
        return pair
    return replace(pair, first=first, second=pair.first, difference=-pair.difference, low=-pair.high, high=-pair.low)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
