"""Is the model better than the comparator: the difference, its interval, and a plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from molgraph.data.targets import EXACT
from molgraph.metrics.figures import alike
from molgraph.metrics.scores import (
    METRICS,
    Columns,
    Family,
    Metric,
    Score,
    interval,
    mean_where_there_is_one,
    replicates,
    summary,
)

Verdict = Literal["better", "worse", "not better", "too few to judge"]
FEWEST = 20  # rows, or things where rows repeat: a bootstrap of few is too sure of itself
BOUNDS = 0.1  # share of rows from which the error of the exact ones says little: what saw only them looks best in it


@dataclass(frozen=True)
class Comparison:
    """Hold two scores of the same rows and their difference (first less second) with its 95 % interval.

    `verdict` speaks of the first: "better" or "worse" where the interval of the difference lies wholly on
    one side of 0, else "not better"; "too few to judge" where fewer rows were asked about than wanted. Where no
    difference exists, it is None and the sentence says why.
    `ranking` compares how both rank numbers, where that says otherwise than their error: a model can be nearer to the
    values and put them in a worse order. Then the sentence says both; where rows are known by a bound it always does,
    for no error counts them, and `rows` says which rows the metric counts.
    """

    metric: str
    first: Score
    second: Score
    difference: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    sentence: str
    ranking: Comparison | None = None
    rows: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "metric": self.metric,
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "ranking": self.ranking and self.ranking.to_json(),
        }


def compare(
    family: Family,
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    metric: str | None = None,
    *,
    observed: ArrayLike | None = None,
    bound: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
    called: Sequence[str] = ("model", "comparator"),
    fewest: int = 0,
) -> Comparison:
    """Compare two estimates of the same rows by a paired bootstrap: both are scored on the same resamples.

    `metric` is the main one of the kind unless named; of numbers their ranking is then compared, too: where rows are
    known by a bound, by the concordance index. Where a tenth of them are, or fewer than `fewest` are exact, that index
    decides (docs/decisions/0024). Of several targets, only those count in which both have a score. Shapes, rows, bounds
    and groups are as in `score`.

    With fewer than `fewest` rows (of `groups`: groups) there is no verdict, but both scores.

    Raises: as `score`.
    See: Efron & Tibshirani 1993, doi 10.1007/978-1-4899-4541-9; how far a bootstrap of few rows is to be trusted,
    Hesterberg 2015, doi 10.1080/00031305.2015.1089789

    >>> found = compare(Family("regression", ("mae",), "mae"), [1, 2, 3, 4], [1, 2, 3, 4.1], [2, 4, 2, 2])
    >>> found.verdict, found.sentence[:27]
    ('better', 'The model is better than th')
    """
    (name,) = family.names([metric or family.main])
    both = [Columns.of(family, [name], truth, estimate, observed, bound) for estimate in (first, second)]
    bounds = bool(family.censored) and not both[0].exact
    few_exact = bounds and _units(both, groups, METRICS[name]) < max(fewest, 2)
    if metric is None and (few_exact or (bounds and _share(both[0]) >= BOUNDS)):
        name = family.censored
    a, b = replicates([name], both, bootstrap, seed, groups)[name]
    shared = ~np.isnan(a[0]) & ~np.isnan(b[0])
    if shared.any():
        both, a, b = [columns.keep(shared) for columns in both], a[:, shared], b[:, shared]
    scores = summary(METRICS[name], both[0], a), summary(METRICS[name], both[1], b)
    gap = mean_where_there_is_one(a - b)
    ends = interval(gap[1:])
    if ends is None:
        why = next((s.reason for s in scores if s.reason), "there are no resamples")
        text = f"Whether the {called[0]} is better than the {called[1]} cannot be said: {METRICS[name].label}, {why}."
        difference = float(gap[0]) if shared.any() else None
        return Comparison(name, *scores, difference, None, None, "not better", text)
    given: dict[str, Any] = {"observed": observed, "bound": bound, "bootstrap": bootstrap, "seed": seed}
    units = _units(both, groups, METRICS[name])
    few = units < fewest
    alone = not family.ranking or metric is not None or few or name == family.censored
    by = family.censored if bounds else family.ranking
    ranking = None if alone else compare(family, truth, first, second, by, groups=groups, **given)
    verdict = "too few to judge" if few else _verdict(METRICS[name], ends)
    otherwise = (
        ranking
        if ranking is not None and ((bounds and ranking.difference is not None) or _otherwise(verdict, ranking))
        else None
    )
    rows = _rows(METRICS[name], both[0]) if bounds else ""
    plain = Comparison(name, *scores, float(gap[0]), *ends, verdict, "", otherwise, rows)
    if few:
        what = "rows" if groups is None else "different things"
        why = f"{units} {what} are too few to judge whether the {called[0]} is better than the {called[1]}"
        return replace(plain, sentence=f"{why} ({fewest} at least): {_against(plain)}.")
    return replace(plain, sentence=_sentence(plain, called))


def _rows(metric: Metric, columns: Columns) -> str:
    """Say which rows a metric counts where some are known by a bound.

    >>> numbers = Family("regression", ("rmse",), "rmse")
    >>> columns = Columns.of(numbers, ["rmse"], [1.0, 2.0, 5.0], [1.0, 2.0, 3.0], None, [0, 0, 1])
    >>> _rows(METRICS["rmse"], columns), _rows(METRICS["ci"], columns)
    (' (2 exact values)', ' (all 3 values, 1 a bound)')
    """
    rows = sum(len(sample) for sample in columns.samples)
    exact = sum(int((sample.bound == EXACT).sum()) for sample in columns.samples)
    if metric.exact:
        return f" ({exact} exact values)"
    bounds = rows - exact
    return f" (all {rows} values, {f'{bounds} of them bounds' if bounds > 1 else '1 a bound'})"


def _share(columns: Columns) -> float:
    """Return which share of the rows is known by a bound alone."""
    bound = np.concatenate([sample.bound for sample in columns.samples])
    return float((bound != EXACT).mean())


def _units(both: Sequence[Columns], groups: ArrayLike | None, metric: Metric) -> int:
    """Return how many rows, or groups, say something by a metric."""
    used = [columns.usable(metric, at)[1] for columns in both for at in range(len(columns.samples))]
    seen = np.any(used, axis=0)
    return int(seen.sum()) if groups is None else len(np.unique(np.asarray(groups)[seen]))


def _otherwise(verdict: Verdict, ranking: Comparison) -> bool:
    """Tell whether the ranking says otherwise: clearly, or that a better model does not even rank as well."""
    if ranking.difference is None or ranking.low is None or ranking.verdict == verdict:
        return False
    return ranking.verdict != "not better" or (verdict == "better" and ranking.difference < 0)


def _verdict(metric: Metric, ends: tuple[float, float]) -> Verdict:
    low, high = ends if metric.higher_is_better else (-ends[1], -ends[0])
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not better"


def _sentence(found: Comparison, called: Sequence[str]) -> str:
    start, ranking = f"The {called[0]} is {found.verdict} than the {called[1]}", found.ranking
    if ranking is None:
        return f"{start}: {_against(found)}."
    joined = "but" if found.verdict != ranking.verdict and "better" in (found.verdict, ranking.verdict) else "and"
    return f"{start} by {_against(found)}, {joined} {ranking.verdict} in ranking: {_against(ranking)}."


def _against(found: Comparison) -> str:
    """Return "RMSE 0.62 against 0.71 (difference ..., 95 % interval ...)"."""
    first, second = found.first.value or 0.0, found.second.value or 0.0
    show = alike(max(abs(first), abs(second)), *(end for end in (found.low, found.high) if end is not None))
    over = f", mean over {found.first.over} targets" if found.first.over else ""

    return (
        f"{METRICS[found.metric].label}{found.rows} {show(first)} against {show(second)}{over} "
        f"(difference {show(found.difference)}, 95 % interval {show(found.low)} to {show(found.high)})"
    )
