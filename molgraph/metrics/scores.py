"""Scores with bootstrap intervals: a number with its interval, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from molgraph.data.targets import EXACT
from molgraph.errors import ConfigError, DataError, did_you_mean
from molgraph.metrics import formulas, quantiles, survival
from molgraph.metrics.formulas import Floats, Sample

LEVEL = 0.95
BLOCK = 2_000_000  # counts held at once: 16 MB
IN_UNITS = ("rmse", "mae", "wis")  # what has the unit of the numbers
REPLICATES = 0.5  # an interval needs a score in at least this share of the resamples


@dataclass(frozen=True)
class Metric:
    """Describe one metric: its name in a sentence, its formula, and which way is better.

    `exact`: rows known only by a bound cannot enter. `classes`: the truth is a class, where others take numbers.
    `probability`: the estimate must be a probability, where other metrics of classes take any number that ranks.
    """

    label: str
    formula: Callable[[Sample, Floats], Floats]
    higher_is_better: bool
    classes: bool = False
    exact: bool = True
    probability: bool = False


METRICS: dict[str, Metric] = {
    "mse": Metric("MSE", formulas.mse, False),
    "rmse": Metric("RMSE", formulas.rmse, False),
    "mae": Metric("MAE", formulas.mae, False),
    "r2": Metric("R2", formulas.r2, True),
    "spearman": Metric("Spearman", formulas.spearman, True),
    "pearson": Metric("Pearson", formulas.pearson, True),
    "kendall": Metric("Kendall", formulas.kendall, True),
    "ci": Metric("concordance index", formulas.concordance, True, exact=False),
    "rm2": Metric("rm2", formulas.rm2, True),
    "rm2_roy": Metric("rm2 (Roy)", formulas.rm2_roy, True),
    "auroc": Metric("AUROC", formulas.auroc, True, classes=True),
    "auprc": Metric("AUPRC", formulas.auprc, True, classes=True),
    "ef1": Metric("EF 1 %", partial(formulas.enrichment, share=0.01), True, classes=True),
    "ef5": Metric("EF 5 %", partial(formulas.enrichment, share=0.05), True, classes=True),
    "bedroc": Metric("BEDROC", formulas.bedroc, True, classes=True),
    "accuracy": Metric("accuracy", formulas.accuracy, True, classes=True, probability=True),
    "balanced_accuracy": Metric("balanced accuracy", formulas.balanced_accuracy, True, classes=True, probability=True),
    "mcc": Metric("MCC", formulas.mcc, True, classes=True, probability=True),
    "brier": Metric("Brier score", formulas.brier, False, classes=True, probability=True),
    "log_loss": Metric("log loss", formulas.log_loss, False, classes=True, probability=True),
    "c_index": Metric("C-index", survival.c_index, True, exact=False),
    "time_auroc": Metric("time-dependent AUROC", survival.auroc_by_time, True, exact=False),
    "wis": Metric("interval score (WIS)", quantiles.wis, False),
    "ibs": Metric("integrated Brier score", survival.integrated_brier, False, exact=False),
}


@dataclass(frozen=True)
class Family:
    """Say which metrics judge answers of one sort, and what truth and estimates are.

    `word` is what messages call it. `main` stands for it: what is tuned for, compared on and named first; those `aside`
    are computed and not shown; `beside` stand for groups of rows, too. Of numbers `ranking` is compared beside `main`,
    and `censored` counts rows known by a bound, which no other does. With `classes` the truth is one of 0, 1, ..., and
    estimates are probabilities: of class 1, or, where they are `shares`, of each class on an axis of their own. With
    `at` they are those of an event by each of these times, or quantiles at each of these levels.
    """

    word: str
    metrics: tuple[str, ...]
    main: str
    aside: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    ranking: str = ""
    censored: str = ""
    classes: bool = False
    shares: bool = False
    at: tuple[float, ...] = ()

    def names(self, asked: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return the metrics, or check those that were asked for.

        Raises: ConfigError for a metric that is unknown or of another family.
        """
        for name in asked or ():
            if name not in self.metrics:
                raise ConfigError(f"no metric '{name}' for a {self.word} task{did_you_mean(name, self.metrics)}")
        return tuple(self.metrics if asked is None else asked)

    def shown(self, wanted: Sequence[str] = (), *, first: Sequence[str] = (), bounds: bool = False) -> tuple[str, ...]:
        """Return the metrics that a person sees: those `wanted` that are of the family, if its main one is among them,
        else those not aside; before them those that a run wants `first`.

        Of rows with `bounds` the one that counts them is one.
        """
        mine = tuple(name for name in wanted if name in self.metrics)
        mine = (
            mine
            if self.main in mine
            else tuple(name for name in self.metrics if name not in self.aside or (bounds and name == self.censored))
        )
        return tuple(dict.fromkeys((*(name for name in first if name in self.metrics), *mine)))


@dataclass(frozen=True)
class Score:
    """Hold a score with its 95 % interval, or None with the reason.

    `n` rows entered it. `over` is the number of targets a mean was taken over, None for a single target.
    A value without an interval has None as its ends, and the reason says why.
    """

    value: float | None
    low: float | None
    high: float | None
    reason: str | None
    n: int
    over: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return `{value, low, high, reason, n}`, and `over` for a mean over targets."""
        found = {"value": self.value, "low": self.low, "high": self.high, "reason": self.reason, "n": self.n}
        return found if self.over is None else found | {"over": self.over}


def score(
    family: Family,
    truth: ArrayLike,
    estimate: ArrayLike,
    *,
    observed: ArrayLike | None = None,
    bound: ArrayLike | None = None,
    metrics: Sequence[str] | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> dict[str, Score]:
    """Score estimates against what was measured, with percentile bootstrap 95 % intervals.

    Rows that are not observed (or whose truth is NaN) do not count. A row known by a bound counts in the concordance
    index, in pairs whose order is certain; all other metrics leave it out, for how far off an estimate is nobody
    knows. With several targets the score is the mean over those in which it exists, and
    rows are resampled for all targets together. `groups` resamples whole groups (scaffolds, patients), which
    gives the honest, wider interval where rows of a group resemble each other.

    Shapes: `truth`, `observed`, `bound` [n] or [n, T]; `estimate` the same (a value, or the probability of
    class 1), with one more axis of C probabilities for shares of classes; `groups` [n].
    Raises: ConfigError for a metric unknown to this family; DataError for a truth that is no class, an estimate
    of an observed row that is not finite, or one that is no probability where a metric needs it.
    See: Efron & Tibshirani 1993, doi 10.1007/978-1-4899-4541-9, chapter 13

    >>> score(Family("regression", ("mae",), "mae"), [1, 2, 3], [1, 2, 4], bootstrap=0)["mae"].value
    0.3333333333333333
    """
    wanted = family.names(metrics)
    sample = Columns.of(family, wanted, truth, estimate, observed, bound)
    found = replicates(wanted, [sample], bootstrap, seed, groups)
    return {name: summary(METRICS[name], sample, found[name][0]) for name in wanted}


@dataclass(frozen=True)
class Columns:
    """Hold the targets of n rows as one `Sample` each, and which rows those are.

    Shapes: `rows` per target bool [n]. `many`: the caller gave a table of targets and wants their mean.
    """

    samples: tuple[Sample, ...]
    rows: tuple[NDArray[np.bool_], ...]
    many: bool

    @classmethod
    def of(
        cls,
        family: Family,
        metrics: Sequence[str],
        truth: ArrayLike,
        estimate: ArrayLike,
        observed: ArrayLike | None,
        bound: ArrayLike | None,
    ) -> Columns:
        """Check the arrays and cut them into targets.

        Raises: DataError as `score` says; ValueError for shapes that do not belong together.
        """
        wanted = np.asarray(truth, dtype=np.float64)
        given = np.asarray(estimate, dtype=np.float64)
        seen = ~np.isnan(wanted) if observed is None else np.asarray(observed, dtype=bool) & ~np.isnan(wanted)
        limit = np.full(wanted.shape, EXACT, dtype=np.int8) if bound is None else np.asarray(bound, dtype=np.int8)
        deep = 1 if family.shares or family.at else 0
        if given.ndim != wanted.ndim + deep or given.shape[: wanted.ndim] != wanted.shape or limit.shape != seen.shape:
            raise ValueError(f"shapes do not fit: truth {wanted.shape}, estimate {given.shape}, bound {limit.shape}")
        many = wanted.ndim == 2
        if not many:
            wanted, given, seen, limit = wanted[:, None], given[:, None], seen[:, None], limit[:, None]
        samples = []
        for t in range(wanted.shape[1]):
            sample = Sample(wanted[:, t], given[:, t], limit[:, t], family.at).take(seen[:, t])
            _check(family, sample, np.flatnonzero(seen[:, t]), any(METRICS[m].probability for m in metrics))
            samples.append(sample)
        return cls(tuple(samples), tuple(seen[:, t] for t in range(wanted.shape[1])), many)

    @property
    def exact(self) -> bool:
        """Whether no row is known by a bound alone."""
        return all((sample.bound == EXACT).all() for sample in self.samples)

    def keep(self, targets: NDArray[np.bool_]) -> Columns:
        """Return some of the targets."""
        at = np.flatnonzero(targets)
        return Columns(tuple(self.samples[t] for t in at), tuple(self.rows[t] for t in at), self.many)

    def usable(self, metric: Metric, target: int) -> tuple[Sample, NDArray[np.bool_]]:
        """Return what of a target a metric can use, and which of all rows that is."""
        sample, rows = self.samples[target], self.rows[target]
        exact = sample.bound == EXACT
        if not metric.exact or exact.all():
            return sample, rows
        kept = rows.copy()
        kept[rows] = exact
        return sample.take(exact), kept


def _check(family: Family, sample: Sample, rows: NDArray[np.int64], probability: bool) -> None:
    per_row = sample.estimate[:, None] if sample.estimate.ndim == 1 else sample.estimate
    lost = ~np.isfinite(per_row).all(1)
    if lost.any():
        raise DataError(
            f"no finite estimate for the measured row at position {rows[lost][0]} ({int(lost.sum())} such rows): "
            "leave rows without a prediction out of `observed`"
        )
    if not family.classes:
        return
    classes = per_row.shape[1] if family.shares else 2
    strange = ~np.isin(sample.truth, np.arange(classes))
    if strange.any():
        raise DataError(
            f"the label at position {rows[strange][0]} is {sample.truth[strange][0]:g}, "
            f"not one of the classes 0 to {classes - 1}"
        )
    outside = ((per_row < 0) | (per_row > 1)).any(1)
    if probability and outside.any():
        raise DataError(
            f"the estimate at position {rows[outside][0]} is no probability (0 to 1): "
            "for a score that only ranks, ask for auroc, auprc, ef1, ef5 or bedroc"
        )


def draws(n: int, bootstrap: int, seed: int, groups: ArrayLike | None) -> Iterator[Floats]:
    """Yield how often each row is drawn, [r, n] at a time: first each row once, then `bootstrap` resamples."""
    yield np.ones((1, n))
    if n == 0:
        return
    random = np.random.default_rng(seed)
    member = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    units = n if member is None else int(member.max()) + 1
    block = max(1, BLOCK // n)
    for start in range(0, bootstrap, block):
        r = min(block, bootstrap - start)
        drawn = random.integers(0, units, size=(r, units)) + np.arange(r)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=r * units).reshape(r, units).astype(np.float64)
        yield counts if member is None else counts[:, member]


def replicates(
    metrics: Sequence[str], given: Sequence[Columns], bootstrap: int, seed: int, groups: ArrayLike | None
) -> dict[str, list[Floats]]:
    """Return per metric, for each of several estimates of the same rows, its values [1 + bootstrap, T].

    The first row is the score itself; all estimates and targets see the same resamples.
    """
    seen = np.any([rows for columns in given for rows in columns.rows], axis=0)
    units = None if groups is None else np.asarray(groups)[seen]
    at = {
        (m, c, t): columns.usable(METRICS[m], t)
        for m in metrics
        for c, columns in enumerate(given)
        for t in range(len(columns.samples))
    }
    parts: dict[tuple[str, int, int], list[Floats]] = {key: [] for key in at}
    for drawn in draws(int(seen.sum()), bootstrap, seed, units):
        for key, (sample, rows) in at.items():
            counts = drawn if rows[seen].all() else drawn[:, rows[seen]]
            parts[key].append(values_of(METRICS[key[0]], sample, counts))
    return {
        m: [
            np.stack([np.concatenate(parts[m, c, t]) for t in range(len(columns.samples))], axis=1)
            for c, columns in enumerate(given)
        ]
        for m in metrics
    }


def values_of(metric: Metric, sample: Sample, counts: Floats) -> Floats:
    """Apply a formula; NaN where fewer than two rows could enter or were drawn."""
    if len(sample) < 2:
        return np.full(len(counts), np.nan)
    enough = counts.sum(1) > 1
    values = np.full(len(counts), np.nan)
    values[enough] = metric.formula(sample, counts[enough])
    return values


def mean_where_there_is_one(values: Floats) -> Floats:
    """Average [R, T] over the targets that are not NaN; NaN where there is none."""
    there = ~np.isnan(values)
    count = there.sum(1)
    total = np.where(there, values, 0.0).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def interval(values: Floats) -> tuple[float, float] | None:
    """Return the percentile interval of the resamples, or None where the score exists in too few of them."""
    there = values[~np.isnan(values)]
    if len(there) == 0 or len(there) < REPLICATES * len(values):
        return None
    low, high = np.quantile(there, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def summary(metric: Metric, columns: Columns, values: Floats) -> Score:
    """Turn the values [1 + R, T] of one metric into a `Score`."""
    usable = [columns.usable(metric, t)[0] for t in range(len(columns.samples))]
    there = ~np.isnan(values[0])
    why = [reason(metric, columns.samples[t], usable[t]) for t in np.flatnonzero(~there)]
    n = sum(len(usable[t]) for t in np.flatnonzero(there)) if there.any() else max(map(len, usable), default=0)
    over = int(there.sum()) if columns.many else None
    if not there.any():
        return Score(None, None, None, _reasons(why, len(there)), n, over)
    mean = mean_where_there_is_one(values)
    ends = interval(mean[1:])
    note = _reasons(why, len(there)) if why else None
    if ends is None and len(mean) > 1:
        note = "; ".join(filter(None, [note, "no interval: the score does not exist in most resamples"]))
    low, high = ends or (None, None)
    return Score(float(mean[0]), low, high, note, n, over)


def _reasons(why: Sequence[str], targets: int) -> str:
    """Say why a score does not exist, and in how many of several targets."""
    if targets == 1:
        return why[0]
    counted = [f"{text} ({why.count(text)})" for text in dict.fromkeys(why)]
    return f"missing in {len(why)} of {targets} targets: {', '.join(counted)}"


def reason(metric: Metric, sample: Sample, usable: Sample) -> str:
    """Say why a score of these rows does not exist."""
    if len(sample) == 0:
        return "no row was measured"
    if len(usable) < 2:
        return "fewer than 2 rows" if len(sample) < 2 else "fewer than 2 rows with an exact value"
    if np.ptp(usable.truth) == 0 and (usable.bound == EXACT).all():
        return "only one class was measured" if metric.classes else "all measured values are equal"
    if (usable.bound != EXACT).any():
        return "of no two rows is it known which is higher"
    return "only one class is predicted" if metric.classes else "all predictions are equal"
