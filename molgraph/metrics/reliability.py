"""Whether a model knows how far off it is: calibration, sharpness, and the ranking of its errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from molgraph.metrics.figures import figure

Floats = NDArray[np.float64]

BINS = 10
LEVELS = tuple(round(0.1 * k, 1) for k in range(1, 10))
FEWEST = 3  # rows from which ranks say anything
# Rows from which a calibration error says something of the model: a perfect one shows 0.09 of 100 rows in ten bins, and
# 0.05 of 50 at nine levels (means of 2,000 made sets), about what models differ by.
CLASS_ROWS, NUMBER_ROWS = 100, 50
CALIBRATED = 20  # errors that make a distribution: of fewer its levels, a tenth apart, come in steps
BIN_ROWS = 10  # rows of a point that is drawn


@dataclass(frozen=True)
class Reliability:
    """Hold what is known of a target. What does not exist is None, and `reason` says why.

    `ece` is the expected calibration error: of classes the mean gap between confidence and share of hits, of numbers
    between the level of central intervals and the share of values inside. `width` is the mean width of the 90 %
    intervals (of classes the mean number of them still possible), `spearman` how well the predicted spread ranks the
    errors. `curve` has (said, seen, rows) to draw: a perfect model lies on the diagonal. `few` says which rows are too
    few for `ece` and `curve`.
    """

    ece: float | None
    width: float | None
    spearman: float | None
    curve: tuple[tuple[float, float, int], ...]
    n: int
    reason: str | None = None
    classes: bool = False
    few: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {**asdict(self), "curve": [list(point) for point in self.curve]}


def of_classes(probability: ArrayLike, truth: ArrayLike, width: ArrayLike) -> Reliability:
    """Say how far probabilities can be believed.

    The curve of two classes is that of class 1, and of several that of the likeliest class. Rows are put into ten bins
    of equal width; the error weighs each bin by its rows.

    Shapes: `probability` [n] of class 1, or [n, classes]; `truth`, `width` [n]. No NaN but in `width`.
    See: Guo 2017, arXiv 1706.04599 (equation 3)

    >>> of_classes([0.25, 0.25, 0.25, 0.25], [0, 0, 0, 1], [1, 1, 1, 1]).ece
    0.0
    """
    given, labels = np.asarray(probability, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if not len(labels):
        return _nothing("no row has an exact measured value")
    if given.ndim == 1:
        said, hit, sure = given, labels, np.maximum(given, 1 - given)
        wrong = (given >= 0.5) != (labels == 1)
    else:
        said = sure = given.max(axis=1)
        wrong = given.argmax(axis=1) != labels
        hit = 1.0 - wrong
    at = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    curve = tuple(
        (float(said[at == b].mean()), float(hit[at == b].mean()), int((at == b).sum())) for b in np.unique(at)
    )
    ece = sum(abs(mean - share) * rows for mean, share, rows in curve) / len(labels)
    ranked = _spearman(wrong.astype(np.float64), 1 - sure)
    return Reliability(ece, _mean(width), ranked, curve, len(labels), None if ranked is not None else EQUAL, True)


def of_numbers(
    estimate: ArrayLike, truth: ArrayLike, width: ArrayLike, spread: ArrayLike | None, places: ArrayLike
) -> Reliability:
    """Say how far intervals can be believed, at all levels.

    `places` says where each value lies in the distribution that was predicted of it (`place`), NaN where there is
    none. A central interval of a level holds the values whose place is at most half the level from the middle.

    Shapes: all [n].
    See: Kuleshov 2018, arXiv 1807.00263
    """
    given, wanted = np.asarray(estimate, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if not len(wanted):
        return _nothing("no row has an exact measured value")
    error, where = np.abs(wanted - given), np.asarray(places, dtype=np.float64)
    curve: tuple[tuple[float, float, int], ...] = ()
    ece = None
    if np.isfinite(where).all():
        curve = tuple((level, float((np.abs(where - 0.5) <= level / 2).mean()), len(where)) for level in LEVELS)
        ece = float(np.mean([abs(said - seen) for said, seen, _ in curve]))
    known = None if spread is None else np.asarray(spread, dtype=np.float64)
    ranked = None if known is None or not np.isfinite(known).all() else _spearman(error, known)
    reason = "no row calibrated" if ece is None else None
    if ranked is None:
        why = "one model predicts no spread: train an ensemble, or with variance = true" if known is None else EQUAL
        reason = "; ".join(filter(None, [reason, why]))
    return Reliability(ece, _mean(width), ranked, curve, len(error), reason)


def from_enough(found: Reliability, calibrated: int | None = None, *, rows: str = "rows") -> Reliability:
    """Return what is known without the calibration error where too few rows would make it chance.

    `calibrated` rows taught the distribution of a number; `rows` says which were counted.
    """
    least = CLASS_ROWS if found.classes else NUMBER_ROWS
    if found.n < least:
        few = f"{found.n} {rows}, and at least {least} are needed"
    elif calibrated is not None and calibrated < CALIBRATED:
        few = f"{calibrated} calibration rows, and at least {CALIBRATED} are needed"
    else:
        return found
    return replace(found, ece=None, curve=(), few=few)


def drawn(curve: Sequence[tuple[float, float, int]]) -> tuple[tuple[float, float, int], ...]:
    """Return the points of a curve that enough rows made; none where they are no curve."""
    points = tuple((said, seen, rows) for said, seen, rows in curve if rows >= BIN_ROWS)
    return points if len(points) > 1 else ()


def place(
    estimate: ArrayLike, truth: ArrayLike, errors: ArrayLike, spread: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return where each value lies, 0 to 1, in the distribution that `errors` of calibration rows make of its estimate.

    With `spread`, errors are in units of it. NaN where no row calibrated. Shapes: `errors` any number, else [n].
    See: predictive distributions from calibration errors: Vovk 2019, doi 10.1007/s10994-018-5755-8

    >>> place([0.0, 0.0], [0.0, 9.0], [-1.0, 0.0, 1.0]).tolist()
    [0.5, 0.875]
    """
    known = np.sort(np.asarray(errors, dtype=np.float64))
    off = np.asarray(truth, dtype=np.float64) - np.asarray(estimate, dtype=np.float64)
    if not len(known):
        return np.full(len(off), np.nan)
    far = off if spread is None else off / np.asarray(spread, dtype=np.float64)
    below, up_to = (np.searchsorted(known, far, side) for side in ("left", "right"))
    return np.asarray((below + up_to + 1) / (2 * len(known) + 2), dtype=np.float64)


EQUAL = "errors or spreads are all alike, or too few to rank"


def _spearman(errors: Floats, spread: Floats) -> float | None:
    if len(errors) < FEWEST or np.ptp(errors) == 0 or np.ptp(spread) == 0:
        return None
    return float(stats.spearmanr(errors, spread).statistic)


def _mean(width: ArrayLike) -> float | None:
    known = np.asarray(width, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else None


def _nothing(reason: str) -> Reliability:
    return Reliability(None, None, None, (), 0, reason)


def sentence(found: dict[str, Any], unit: str = "") -> str:
    """Say what a `Reliability` holds, as JSON values, in one line; widths of intervals are in a unit.

    >>> sentence(Reliability(0.042, 1.93, None, (), 99, "one model predicts no spread").to_json())
    'calibration error 0.042; 90 % intervals 1.93 wide on average; no ranking of errors: one model predicts no spread'
    """
    parts = []
    if found["ece"] is not None:
        parts.append(f"calibration error {found['ece']:.3f}")
    elif found.get("few"):  # an earlier version did not ask
        parts.append(f"no calibration error: {found['few']}")
    if found["width"] is not None and not math.isnan(found["width"]):
        wide = f"{figure(found['width'])} ({unit})" if unit else figure(found["width"])
        of_sets = f"90 % sets of {found['width']:.3g} classes on average"
        parts.append(of_sets if found.get("classes") else f"90 % intervals {wide} wide on average")
    if found["spearman"] is not None:
        parts.append(f"predicted spread ranks the errors with Spearman {found['spearman']:.2f}")
    elif found["reason"]:
        parts.append(f"no ranking of errors: {found['reason']}")
    return "; ".join(parts) or "nothing is known"
