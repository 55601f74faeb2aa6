"""Split-conformal calibration: how wide a 90 % interval must be, learned on rows that neither trained nor stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from molgraph.data.targets import EXACT
from molgraph.errors import CheckpointError, ConfigError, DataError

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]
Merged = TypeVar("Merged", bound="Interval")

LEVEL = 0.9
LOWER = 0.8  # the level that stands beside where sets of 90 % decide too little; at 70 % a coin would decide 60 %
DECISIVE = 0.5  # the share of sets that hold one class, from which on they are worth reading alone


@dataclass(frozen=True)
class Interval:
    """Hold what calibration learned of one target that is a number.

    The one of `limits` is the largest error that stays inside: a half-width, or where it is `scaled` a multiple of the
    standard deviation that is predicted of a row. Without limits there is no interval, and `reason` says why. `n` rows
    calibrated; `kind` is the word of who asked.
    """

    what: ClassVar[str] = "interval"

    kind: str
    level: float
    n: int
    limits: tuple[float | None, ...]
    reason: str | None = None
    scaled: bool = False
    counts: tuple[int, ...] = ()
    lower: Sets | None = None

    @classmethod
    def fit(
        cls,
        kind: str,
        estimate: ArrayLike,
        truth: ArrayLike,
        *,
        observed: ArrayLike | None = None,
        bound: ArrayLike | None = None,
        spread: ArrayLike | None = None,
        level: float = LEVEL,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn the limits from calibration rows.

        A new row, exchangeable with these, falls inside with a probability of at least `level`. That holds on average
        over calibration sets, and only so far as the new rows resemble these: for new scaffolds measure it with
        `coverage`. Rows that are not observed or known only by a bound are left out, so the promise is about values
        that the assay can measure. With `spread`, the standard deviations predicted of numbers, intervals are as much
        wider as those are (normalised). With `groups`, rows of one (of a patient) weigh together as one, and the
        promise is about a row of a new group: rows of one resemble each other, and a hundred of them are no hundred.

        Shapes: `estimate`, `truth`, `observed`, `bound`, `spread`, `groups` [n]; `estimate` of several classes [n, C].
        Raises: ConfigError for a level outside 0 to 1; DataError for an estimate not finite.
        See: Vovk 2005, doi 10.1007/b106715; Papadopoulos 2002, doi 10.1007/3-540-36755-1_29;
        Angelopoulos & Bates 2023, doi 10.1561/2200000101; normalised: Papadopoulos 2011, doi 10.1613/jair.3198;
        groups: Lee, Barber & Willett 2023, arXiv 2306.06342

        >>> Interval.fit("regression", [0.0] * 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]).limits
        (9.0,)
        """
        if not 0 < level < 1:
            raise ConfigError(f"level {level}: a share between 0 and 1 is needed")
        wanted, given = np.asarray(truth, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
        rows = usable(wanted, observed, bound)
        wanted, given = wanted[rows], given[rows]
        if not np.isfinite(given).all():
            raise DataError("a calibration row has no finite estimate: leave it out of `observed`")
        of = np.arange(len(wanted)) if groups is None else np.unique(np.asarray(groups)[rows], return_inverse=True)[1]
        return cls._learnt(kind, level, given, wanted, None if spread is None else unit_of(spread, rows), of)

    @classmethod
    def _learnt(
        cls, kind: str, level: float, given: Floats, wanted: Floats, unit: Floats | float | None, of: Groups
    ) -> Self:
        limit = _limit(np.abs(wanted - given) / (1.0 if unit is None else unit), level, of)
        if limit is None:
            several = " independent" if len(np.unique(of)) < len(of) else ""
            return cls(kind, level, len(wanted), (), _too_few(len(np.unique(of)), level, which=several))
        return cls(kind, level, len(wanted), (limit,), scaled=unit is not None)

    @classmethod
    def _may_have(cls, limits: Sequence[float | None]) -> bool:
        """Tell whether limits read from a file are those of such a target: of a number there is one, or none."""
        return len(limits) <= 1 and None not in limits

    def apply(self, estimate: ArrayLike, spread: ArrayLike | None = None) -> tuple[Floats, Floats]:
        """Return the lower and upper end of each row's interval; NaN where there is none (see `reason`).

        Where it is scaled, `spread` [n] is the standard deviation predicted of each row.
        """
        given = np.asarray(estimate, dtype=np.float64)
        if not self.limits:
            blank = np.full(len(given), np.nan)
            return blank, blank.copy()
        half = (self.limits[0] or 0.0) * unit_of(spread if self.scaled else None, slice(None))
        return given - half, given + half

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, numbers in full."""
        return {
            "kind": self.kind,
            "level": self.level,
            "n": self.n,
            "limits": list(self.limits),
            "reason": self.reason,
            "scaled": self.scaled,
            "counts": list(self.counts),
            "lower": self.lower and self.lower.to_json(),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Rebuild what `to_json` wrote.

        Raises: CheckpointError where something is missing or of the wrong type.
        """
        try:
            limits = tuple(None if limit is None else float(limit) for limit in found["limits"])
            if not isinstance(found["limits"], list) or any(
                limit is not None and not 0 <= limit < math.inf for limit in limits
            ):
                raise ValueError(f"limits of {limits}")
            if not cls._may_have(limits) or (not limits and not isinstance(found["reason"], str)):
                raise ValueError(f"limits of {limits}, and the reason {found['reason']!r}")
            kind, level, n, reason = str(found["kind"]), float(found["level"]), int(found["n"]), found["reason"]
            # models of earlier versions do not have the rest
            scaled, counts = bool(found.get("scaled", False)), tuple(int(n) for n in found.get("counts", ()))
            lower = Sets.from_json(found["lower"]) if found.get("lower") else None
            return cls(kind, level, n, limits, reason, scaled, counts, lower)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the calibration in the model folder is damaged: {error!r}") from error


@dataclass(frozen=True)
class Sets(Interval):
    """Hold what calibration learned of one target of classes, for prediction sets.

    There is a limit per class, on 1 - its probability beside the likeliest other class, None where a class has too few
    calibration rows to be ever left out; `counts` are the rows of each class. `lower` is the same at a lower level, to
    stand beside where sets of `level` decide too little (docs/decisions/0022). A new row of each class falls into its
    set with a probability of at least `level` (Mondrian).

    See: class by class: Vovk 2013, doi 10.1007/s10994-013-5355-6
    """

    what: ClassVar[str] = "set"

    @classmethod
    def _learnt(
        cls, kind: str, level: float, given: Floats, wanted: Floats, unit: Floats | float | None, of: Groups
    ) -> Self:
        off = 1.0 - _against_best(given)
        here = [wanted == c for c in range(off.shape[1])]
        limits = tuple(_limit(off[mine, c], level, of[mine]) for c, mine in enumerate(here))
        counts = tuple(len(np.unique(of[mine])) for mine in here)
        if all(limit is None for limit in limits):
            reason = _too_few(max(counts), level, of=" of the commonest class", what=cls.what)
            made = cls(kind, level, len(wanted), (), reason, counts=counts)
        else:
            made = cls(kind, level, len(wanted), limits, counts=counts)
        if level <= LOWER or made._decides(given):
            return made
        lower = cls._learnt(kind, LOWER, given, wanted, None, of)  # not only where it decides: that would cost coverage
        return replace(made, lower=lower if lower.limits else None)

    @classmethod
    def _may_have(cls, limits: Sequence[float | None]) -> bool:
        return all(limit is None or limit <= 1 for limit in limits)  # of 1 - a probability

    def apply(self, estimate: ArrayLike, spread: ArrayLike | None = None) -> tuple[Floats, Floats]:
        """Return no ends: classes have none."""
        blank = np.full(len(np.asarray(estimate)), np.nan)
        return blank, blank.copy()

    def _decides(self, estimate: Floats) -> bool:
        """Tell whether half of the sets hold one class."""
        return bool(self.limits) and float((self.sets(estimate).sum(axis=1) == 1).mean()) >= DECISIVE

    def sets(self, estimate: ArrayLike) -> NDArray[np.bool_]:
        """Return which classes [n, C] are in each row's prediction set.

        None is: the row is unlike the calibration rows of any class. Where one is, the likeliest class is, too: a
        set that left it out would contradict the probability beside it, and a larger set keeps the promise.
        """
        against = _against_best(np.asarray(estimate, dtype=np.float64))
        limits = np.array([np.inf if limit is None else limit for limit in self.limits])
        inside = 1.0 - against <= limits
        likeliest = against >= against.max(axis=1, keepdims=True)
        return np.asarray(inside | (likeliest & inside.any(axis=1, keepdims=True)))


def merge(intervals: Sequence[Merged]) -> Merged:
    """Average the limits of several predictors of one target, for the mean of their estimates.

    An approximation for predictors that were calibrated apart: a number inside every single interval is inside
    the averaged one, so K predictors at 90 % promise no more than 1 - K * 10 %. Their errors mostly agree, and
    what was measured was as near to 90 % as calibrating the mean itself (docs/decisions/0002). A class without
    a limit in one predictor has none in the average.

    Raises: ConfigError where the kinds, levels or classes differ.
    """
    first = intervals[0]
    if len({(i.kind, i.level, i.scaled) for i in intervals if i.limits}) > 1 or len({i.kind for i in intervals}) > 1:
        raise ConfigError("predictors of different kinds of task or interval levels make no ensemble")
    n = min(i.n for i in intervals)
    lacking = next((i for i in intervals if not i.limits), None)
    if lacking is not None:
        why = f"one member has no interval: {lacking.reason}"
        return type(first)(first.kind, first.level, n, (), why, lower=_lower(intervals))
    if len({len(i.limits) for i in intervals}) > 1:
        raise ConfigError("predictors of different numbers of classes make no ensemble")
    limits = tuple(_average(limits) for limits in zip(*(i.limits for i in intervals), strict=True))
    counts = tuple(min(each) for each in zip(*(i.counts for i in intervals), strict=False))
    return type(first)(first.kind, first.level, n, limits, None, first.scaled, counts, _lower(intervals))


def _lower(intervals: Sequence[Interval]) -> Sets | None:
    """Merge what is shown beside the level, where all show it at the same lower one."""
    lower = [i.lower for i in intervals if i.lower is not None and i.lower.limits]
    same = len(lower) == len(intervals) and len({i.level for i in lower}) == 1
    return merge(lower) if same else None


def unit_of(spread: ArrayLike | None, rows: Any) -> Floats | float:
    """Return what an error is counted in: the predicted deviation of each row, or 1."""
    return 1.0 if spread is None else np.asarray(spread, dtype=np.float64)[rows]


def usable(truth: Floats, observed: ArrayLike | None, bound: ArrayLike | None) -> NDArray[np.bool_]:
    """Return the rows with an exact measured value."""
    rows = ~np.isnan(truth)
    if observed is not None:
        rows &= np.asarray(observed, dtype=bool)
    if bound is not None:
        rows &= np.asarray(bound) == EXACT
    return rows


def _against_best(estimate: Floats) -> Floats:
    """Return each class's probability beside the likeliest other one alone: p / (p + other), of two classes p itself.

    A slope, an offset or a temperature ranks these as they were, so the map that calibration rows teach to
    probabilities leaves every set as it is, and the promise with it.

    Shapes: `estimate` [n] or [n, C]; returns [n, 2] or [n, C].
    See: the margin as nonconformity: Johansson 2017, doi 10.1109/IJCNN.2017.7966105
    """
    if estimate.ndim == 1:
        return np.stack([1.0 - estimate, estimate], axis=1)
    second, first = np.sort(estimate, axis=1)[:, -2:].T
    other = np.where(np.arange(estimate.shape[1]) == estimate.argmax(axis=1)[:, None], second[:, None], first[:, None])
    return np.asarray(estimate / np.maximum(estimate + other, 1e-300))


def _limit(off: Floats, level: float, of: Groups) -> float | None:
    """Return the value at rank ceil((n + 1) * level) of n, or None where that rank is above n; where rows are of G
    groups, the first up to which lies so much of the weight of 1 / (G + 1) that each group has, its rows alike."""
    groups, size = np.unique(of, return_counts=True)
    if len(groups) == len(off):
        rank = math.ceil((len(off) + 1) * level - 1e-9)
        return float(np.sort(off)[rank - 1]) if rank <= len(off) else None
    order = np.argsort(off, kind="stable")
    up_to = np.cumsum(1 / size[np.searchsorted(groups, of[order])]) / (len(groups) + 1)
    at = int(np.searchsorted(up_to, level - 1e-9))
    return float(off[order[at]]) if at < len(off) else None


def _too_few(n: int, level: float, *, of: str = "", what: str = "interval", which: str = "") -> str:
    least = math.ceil(level / (1 - level) - 1e-9)
    return f"{n}{which} calibration rows{of}, and a {100 * level:g} % {what} needs at least {least}"


def _average(limits: Sequence[float | None]) -> float | None:
    known = [limit for limit in limits if limit is not None]
    return sum(known) / len(known) if len(known) == len(limits) else None
