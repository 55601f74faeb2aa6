"""What follows from acting on a probability: a threshold, what it finds and misses, and whether acting pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from molgraph.errors import ConfigError
from molgraph.metrics.formulas import Floats, Sample, ranking, ratio
from molgraph.metrics.scores import LEVEL, Columns, Family, Metric, Score, draws, interval, summary, values_of

# what a sentence calls it; is it a share of the rows called so, else of those that are so; positive or negative
SHARES = {
    "sensitivity": ("sensitivity", False, True),
    "specificity": ("specificity", False, False),
    "ppv": ("PPV", True, True),
    "npv": ("NPV", True, False),
}
ACTED_ON = Family("binary", ("brier",), "brier", classes=True)
SPECIFICITIES = (0.9, 0.95)  # at which sensitivity is reported
EVEN = 1e-9  # a share that misses the one asked for by no more is rounding
ODDS = tuple(round(0.01 * k, 2) for k in range(1, 100))  # threshold probabilities of a decision curve


def cut_off(truth: ArrayLike, estimate: ArrayLike, specificity: float = 0.0) -> float | None:
    """Return the threshold from which on a row is called positive, learnt from these rows.

    It is the one of the highest sensitivity + specificity (Youden's J; the highest threshold of several) or, where
    `specificity` is given, the lowest that has at least this specificity. It lies half-way between two estimates.
    None where only one class was measured.

    Shapes: both [n], without NaN.
    Raises: ConfigError for a specificity outside 0 to 1.
    See: Youden 1950, doi 10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3

    >>> cut_off([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9])
    0.5
    """
    if not 0 <= specificity < 1:
        raise ConfigError(f"specificity = {specificity} is out of range: it must be at least 0 and below 1.")
    labels, given = np.asarray(truth, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
    if not len(labels) or np.ptp(labels) == 0:
        return None
    found, false = _curve(Sample(labels, given, np.zeros(len(labels), np.int8)), np.ones((1, len(labels))))
    values = np.unique(given)[::-1]
    if specificity:
        kept = np.flatnonzero(false[0] <= 1 - specificity + EVEN)
        if not len(kept):
            return float(np.nextafter(values[0], np.inf))
        at = int(kept[-1])
    else:
        gain = found[0] - false[0]
        at = int(np.argmax(gain >= gain.max() - EVEN))
    below = values[at + 1] if at + 1 < len(values) else values[at]
    return float((values[at] + below) / 2)


def operating(
    truth: ArrayLike,
    estimate: ArrayLike,
    threshold: float,
    *,
    observed: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> dict[str, Score]:
    """Return sensitivity, specificity, PPV and NPV where rows from `threshold` on are called positive.

    Intervals are Wilson's over rows; with `groups` (patients) whole groups are drawn, and where all rows are right, or
    none, they are Wilson's over groups, for every resample is then the same. `n` counts the rows a share is of.

    Shapes and rows as in `score`.
    See: Wilson 1927, doi 10.1080/01621459.1927.10502953

    >>> {k: s.value for k, s in operating([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1], 0.5).items()}
    {'sensitivity': 0.5, 'specificity': 0.5, 'ppv': 0.5, 'npv': 0.5}
    """
    (sample,), (seen,) = _columns(truth, estimate, observed)
    units = None if groups is None else np.asarray(groups)[seen]
    real, called = sample.truth == 1, sample.estimate >= threshold
    found = {}
    for name, (_, among_called, wanted) in SHARES.items():
        among = (called if among_called else real) == wanted
        if among.any():
            own = None if units is None else units[among]
            found[name] = _share((real == called)[among], own, bootstrap, seed)
        else:
            why = f"no row is {'called' if among_called else 'in truth'} {'positive' if wanted else 'negative'}"
            found[name] = Score(None, None, None, why, 0)
    return found


def _share(right: NDArray[np.bool_], groups: NDArray[Any] | None, bootstrap: int, seed: int) -> Score:
    """Return how many rows are right."""
    n, value = len(right), float(right.mean())
    if groups is not None and 0 < value < 1:
        hits = right.astype(np.float64)
        drawn = np.concatenate([c @ hits / c.sum(1) for c in draws(n, bootstrap, seed, groups)])
        low, high = interval(drawn[1:]) or (None, None)
        return Score(value, low, high, None, n)
    tries = n if groups is None else len(np.unique(groups))
    ends = binomtest(round(value * tries), tries).proportion_ci(LEVEL, method="wilson")
    return Score(value, float(ends.low), float(ends.high), None, n)


def sensitivity_at(
    specificity: float,
    truth: ArrayLike,
    estimate: ArrayLike,
    *,
    observed: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> Score:
    """Return the highest sensitivity at which these very rows have at least this specificity.

    It is a point of their ROC curve, found anew in every resample; what a threshold brings that was chosen before is
    `operating`. Estimates that are equal are called alike. Shapes and resampling as in `score`.

    See: Pepe 2003, The Statistical Evaluation of Medical Tests for Classification and Prediction, chapter 4

    >>> sensitivity_at(0.5, [1, 1, 0, 0], [0.9, 0.3, 0.8, 0.1], bootstrap=0).value
    1.0
    """
    name = f"sensitivity at specificity {specificity:g}"
    metric = Metric(name, partial(_sensitivity_at, specificity=specificity), True, classes=True)
    (sample,), (seen,) = columns = _columns(truth, estimate, observed)
    units = None if groups is None else np.asarray(groups)[seen]
    found = [values_of(metric, sample, counts) for counts in draws(len(sample), bootstrap, seed, units)]
    return summary(metric, Columns(*columns, False), np.concatenate(found)[:, None])


@dataclass(frozen=True)
class Benefit:
    """Hold a decision curve: the net benefit of acting on the model, and of acting on every row, per threshold.

    Net benefit is true positives per row less false positives per row, these weighed by the odds of the threshold
    probability: who acts from 10 % on takes nine needless acts for one that was needed. To act on none is 0.
    `low` and `high` are the 95 % interval of the model's.
    """

    thresholds: tuple[float, ...]
    model: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    every: tuple[float, ...]
    n: int

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON; a millionth is far below what any interval tells apart."""
        curves = {name: each for name, each in vars(self).items() if isinstance(each, tuple)}
        short = {name: [None if v is None else round(v, 6) for v in each] for name, each in curves.items()}
        return short | {"n": self.n}


def net_benefit(
    truth: ArrayLike,
    estimate: ArrayLike,
    *,
    observed: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> Benefit | None:
    """Return the decision curve of probabilities; None where fewer than two rows or one class were measured.

    Shapes and resampling as in `score`.
    See: Vickers & Elkin 2006, doi 10.1177/0272989X06295361
    """
    columns = Columns.of(ACTED_ON, ["brier"], truth, estimate, observed, None)
    (sample,), (seen,) = columns.samples, columns.rows
    n = len(sample)
    if n < 2 or np.ptp(sample.truth) == 0:
        return None
    at = np.array(ODDS)
    gain = np.where(sample.truth[:, None] == 1, 1.0, -at / (1 - at))  # of acting on each row
    acted = np.where(sample.estimate[:, None] >= at, gain, 0.0)
    units = None if groups is None else np.asarray(groups)[seen]
    drawn = np.concatenate([c @ acted / c.sum(1, keepdims=True) for c in draws(n, bootstrap, seed, units)])
    ends = [interval(column[1:]) or (None, None) for column in drawn.T]
    low, high = zip(*ends, strict=True)
    return Benefit(ODDS, tuple(drawn[0].tolist()), tuple(low), tuple(high), tuple(gain.mean(0).tolist()), n)


def useful(found: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return the ranges of thresholds in which the model of a decision curve, as JSON values, beats both acting on
    every row and acting on none."""
    better = [mine > max(every, 0.0) + EVEN for mine, every in zip(found["model"], found["every"], strict=True)]
    edges = np.flatnonzero(np.diff([0, *better, 0]))
    at = found["thresholds"]
    return [(at[first], at[last - 1]) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _curve(sample: Sample, counts: Floats) -> tuple[Floats, Floats]:
    """Return sensitivity and 1 - specificity [R, K] of calling the rows from each of the K estimates on, from above."""
    positives, rows = ranking(sample, counts)
    found, called = np.cumsum(positives, axis=1), np.cumsum(rows, axis=1)
    false = called - found
    return ratio(found, np.broadcast_to(found[:, -1:], found.shape)), ratio(
        false, np.broadcast_to(false[:, -1:], false.shape)
    )


def _sensitivity_at(sample: Sample, counts: Floats, *, specificity: float) -> Floats:
    found, false = _curve(sample, counts)
    reached = np.where(false <= 1 - specificity + EVEN, found, 0.0).max(axis=1)
    return np.where(np.isnan(found[:, -1]) | np.isnan(false[:, -1]), np.nan, reached)


def _columns(
    truth: ArrayLike, estimate: ArrayLike, observed: ArrayLike | None
) -> tuple[tuple[Sample, ...], tuple[NDArray[np.bool_], ...]]:
    columns = Columns.of(ACTED_ON, [], truth, estimate, observed, None)
    return columns.samples, columns.rows
