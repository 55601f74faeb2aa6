"""How often the truth lies where a model says: in its intervals, and in its sets of classes, of each class apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from molgraph.data.labels import ZERO_ONE
from molgraph.data.targets import EXACT

NO_TRUTH = "no row has an exact measured value"
NO_INTERVAL = "no measured row has an interval"
SAID = ("no", "yes")  # what sets of one of two classes say
LEVEL, FEWEST = 0.9, 20  # of intervals; rows that a judgement needs


@dataclass(frozen=True)
class Coverage:
    """Hold the share of measured rows inside their intervals, with its Wilson 95 % interval, or the reason for none."""

    value: float | None
    low: float | None
    high: float | None
    reason: str | None
    n: int

    def to_json(self) -> dict[str, Any]:
        """Return `{value, low, high, reason, n}`."""
        return asdict(self)


@dataclass(frozen=True)
class SetCoverage(Coverage):
    """Say of prediction sets how often they hold the truth, of rows of each class too, and how much they decide.

    `decided`, `undecided` and `empty` are the shares of rows whose set holds one class, several, none; `right` says how
    often a set that holds one class alone is right. `counts` are the rows of each class that calibrated; `said` is
    what a set of one of two classes says; `lower` is the same at the lower level that is shown beside this one.
    """

    level: float = 0.9
    classes: Mapping[str, Coverage] | None = None
    decided: float | None = None
    undecided: float | None = None
    empty: float | None = None
    right: Mapping[str, Coverage] | None = None
    counts: Mapping[str, int] | None = None
    said: Mapping[str, str] | None = None
    lower: SetCoverage | None = None


def coverage(
    low: ArrayLike,
    high: ArrayLike,
    truth: ArrayLike,
    *,
    observed: ArrayLike | None = None,
    bound: ArrayLike | None = None,
    reason: str | None = None,
) -> Coverage:
    """Measure how often the truth lies inside, ends included, over rows that have an interval and an exact truth.

    `reason` says why there is no interval, where that is known.

    Shapes: all [n].
    See: Wilson 1927, doi 10.1080/01621459.1927.10502953
    """
    lower, upper, wanted = (np.asarray(a, dtype=np.float64) for a in (low, high, truth))
    rows = ~np.isnan(wanted)
    if observed is not None:
        rows &= np.asarray(observed, dtype=bool)
    if bound is not None:
        rows &= np.asarray(bound) == EXACT
    if not rows.any():
        return Coverage(None, None, None, NO_TRUTH, 0)
    rows &= np.isfinite(lower) & np.isfinite(upper)
    if not rows.any():
        return Coverage(None, None, None, reason or NO_INTERVAL, 0)
    return _share((lower[rows] <= wanted[rows]) & (wanted[rows] <= upper[rows]), NO_INTERVAL)


def set_coverage(
    inside: NDArray[np.bool_] | None,
    truth: ArrayLike,
    *,
    level: float,
    names: Sequence[str] = ZERO_ONE,
    counts: Sequence[int] = (),
    said: Sequence[str] = (),
    reason: str | None = None,
    lower: SetCoverage | None = None,
) -> SetCoverage:
    """Measure how often sets hold the truth, over all rows and over those of each class; an empty set is a miss.

    `inside` is None where there are no sets, and `reason` says why. Where sets call the classes otherwise, it
    is `said` how.

    Shapes: `inside` [n, C], `truth` [n] numbers of classes, without NaN.
    See: Wilson 1927, doi 10.1080/01621459.1927.10502953; why each class apart: Vovk 2013, doi 10.1007/s10994-013-5355-6
    """
    known = dict(zip(names, counts, strict=False))
    words = dict(zip(names, said, strict=True)) if said else None
    labels = np.asarray(truth, dtype=np.float64).astype(np.int64)
    if inside is None or not len(labels):
        why = (reason or NO_INTERVAL) if len(labels) else NO_TRUTH
        return SetCoverage(None, None, None, why, 0, level, counts=known, said=words, lower=lower)
    hit, size = inside[np.arange(len(labels)), labels], inside.sum(axis=1)
    each = {name: _share(hit[labels == c], "no row is of this class") for c, name in enumerate(names)}
    alone = {c: inside[:, c] & (size == 1) for c in range(len(names))}
    right = {name: _share(labels[alone[c]] == c, "no set holds it alone") for c, name in enumerate(names)}
    shares = [float(np.mean(here)) for here in (size == 1, size > 1, size == 0)]
    return SetCoverage(
        **asdict(_share(hit, NO_TRUTH)),
        level=level,
        classes=each,
        decided=shares[0],
        undecided=shares[1],
        empty=shares[2],
        right=right,
        counts=known,
        said=words,
        lower=lower,
    )


def _share(hit: NDArray[np.bool_], none: str) -> Coverage:
    """Return a share with its Wilson 95 % interval."""
    n = len(hit)
    if n == 0:
        return Coverage(None, None, None, none, 0)
    share, z = float(np.mean(hit)), NormalDist().inv_cdf(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Coverage(share, max(0.0, centre - half), min(1.0, centre + half), None, n)


def sentences(found: Mapping[str, Any], rows: str) -> list[str]:
    """Say what a `Coverage` or a `SetCoverage` holds, as JSON values.

    >>> sentences({"value": 0.872, "low": 0.79, "high": 0.934, "n": 94}, "test rows")
    ['87 % (79 to 93 %) of the test rows lie in their 90 % intervals.']
    """
    if "classes" in found:
        return _of_sets(found, rows)
    if found["value"] is None:
        return [f"No word on the 90 % intervals: {found['reason']}."]
    narrow = ", fewer than promised: take them as too narrow" if too_few(found) else ""
    return [f"{_share_words(found)} of the {rows} lie in their 90 % intervals{narrow}."]


def too_few(found: Mapping[str, Any], level: float = LEVEL) -> bool:
    """Tell whether fewer rows were held than a level promises, by more than chance: the 95 % interval lies below it.

    >>> too_few({"n": 182, "value": 0.81, "high": 0.86}), too_few({"n": 90, "value": 0.87, "high": 0.93})
    (True, False)
    """
    return bool(found["n"] >= FEWEST and found["high"] < level)


def _of_sets(found: Mapping[str, Any], rows: str) -> list[str]:
    level, lower = f"{100 * found['level']:.0f} %", found["lower"]
    if found["value"] is None:
        first = [f"No {level} sets: {found['reason']}."]
        return first + (_of_sets(lower, rows) if lower else [])
    each = [
        f"{_share_words(one)} of those that are {name}" + ", fewer than promised" * too_few(one, found["level"])
        for name, one in found["classes"].items()
        if one["n"]
    ]
    zero_one = dict(zip(ZERO_ONE, SAID, strict=True))
    words = found.get("said") or (zero_one if tuple(found["classes"]) == ZERO_ONE else {})  # an earlier version
    right = [
        f"{_said(name, words)} was right in {_share_words(one)}" for name, one in found["right"].items() if one["n"]
    ]
    empty, like = found["empty"], "either" if len(found["classes"]) == 2 else "any"
    rest = [f"{_percent(found['undecided'])} are undecided"] + [f"{_percent(empty)} unlike {like}"] * (empty > 0)
    said = [
        f"{_share_words(found)} of the {rows} lie in their {level} sets: {', '.join(each)}.",
        f"The {level} sets decide {_percent(found['decided'])} of the {rows}, {', '.join(rest)}"
        + (f"; {', '.join(right)}." if right else "."),
    ]
    if found["decided"] < 0.5:
        beside = f"Those of {100 * lower['level']:.0f} % stand beside them" if lower else "Go by the probability"
        said.append(f"The {level} sets decide too little to act on: {_why(found)}. {beside}.")
    return said + (_of_sets(lower, rows) if lower else [])


def _said(name: str, words: Mapping[str, str]) -> str:
    """Return the word of a set for a class, with the class where the data calls it otherwise.

    >>> _said("1", {"0": "no", "1": "yes"}), _said("Active", {"Inactive": "no", "Active": "yes"}), _said("mild", {})
    ('yes', 'yes (Active)', 'mild')
    """
    word = words.get(name, name)
    return word if word.lower() == name.lower() or tuple(words) == ZERO_ONE else f"{word} ({name})"


def _why(found: Mapping[str, Any]) -> str:
    """Say why sets decide little: too few calibration rows of a class, else a model that does not tell them apart."""
    level, counts = found["level"], found["counts"]
    name = min(counts, key=lambda each: counts[each], default="")
    rank = math.ceil((counts.get(name, 0) + 1) * level - 1e-9)  # of the calibration row that sets the limit
    if not counts or rank < counts[name]:
        return "the model does not tell the classes apart well enough"
    rows = f"with {counts[name]} calibration rows of class {name}"
    if rank > counts[name]:
        least = math.ceil(level / (1 - level) - 1e-9)
        return f"{rows}, and at least {least} needed, no set leaves that class out"
    return f"{rows} the most misjudged of them sets the limit"


def _share_words(found: Mapping[str, Any]) -> str:
    low, high = round(100 * found["low"]), round(100 * found["high"])
    return f"{_percent(found['value'])} ({low} to {high} %)"


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"
