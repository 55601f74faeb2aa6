"""How many lesions are found at how many false alarms: the free-response ROC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from molgraph.metrics.formulas import Floats
from molgraph.metrics.overlap import box_iou
from molgraph.metrics.scores import Score, draws, interval

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # false positives per scan at which LUNA16 reads the curve
Rule = Literal["centre", "iou"]


@dataclass(frozen=True)
class Froc:
    """Hold a curve.

    `sensitivity` maps each rate of false positives per scan to the share of lesions found there; `mean` is their mean,
    LUNA16's competition performance metric.

    Shapes: `false_positives` per scan and `found` (share of lesions) [K], one
    point per threshold, from the highest score down; `means` the mean in each resample [1 + R], the first the mean
    itself: two methods on the same scans with the same seed see the same resamples.
    """

    sensitivity: dict[float, Score]
    mean: Score
    false_positives: Floats
    found: Floats
    means: Floats

    def to_json(self) -> dict[str, Any]:
        """Return the scores as plain values."""
        rates = {f"{rate:g}": score.to_json() for rate, score in self.sensitivity.items()}
        return {"sensitivity": rates, "mean": self.mean.to_json()}


def froc(
    lesions: Sequence[ArrayLike],
    boxes: Sequence[ArrayLike],
    scores: Sequence[ArrayLike],
    *,
    rule: Rule = "centre",
    iou: float = 0.1,
    counted: Sequence[ArrayLike] | None = None,
    rates: Sequence[float] = RATES,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Froc:
    """Score boxes against lesions, scan by scan, with bootstrap 95 % intervals over scans.

    A box hits the lesion whose centre is nearest, if nearer than the lesion's radius (half the mean side of its box);
    by the rule `iou`, the one it overlaps most, if at least by `iou`. The highest box on a lesion finds it, others on
    it count for nothing, and a box that hits none is a false positive. Between two thresholds the curve is a line, from
    (0, 0) on. `counted` tells which lesions count (those of a size, say): the others can neither be found nor missed.

    Shapes: per scan `lesions` [n, 6] and `boxes` [m, 6] as (x0, y0, z0, x1, y1, z1); `scores` [m]; `counted` [n].
    See: Setio et al. 2017 (LUNA16), doi 10.1016/j.media.2017.06.015

    >>> truth = [[[0, 0, 0, 4, 4, 4]], [[0, 0, 0, 4, 4, 4]]]
    >>> found = [[[1, 1, 1, 3, 3, 3], [9, 9, 9, 11, 11, 11]], [[9, 9, 9, 11, 11, 11]]]
    >>> froc(truth, found, [[0.9, 0.2], [0.8]], bootstrap=0).sensitivity[1.0].value
    0.5
    """
    events = _Events.of(lesions, boxes, scores, counted, rule, iou)
    at = np.asarray(rates, dtype=np.float64)
    values = np.concatenate(
        [events.read(counts, at) for counts in draws(len(events.lesions), bootstrap, seed, None)]
        or [np.full((1, len(at)), np.nan)]
    )
    total = int(events.lesions.sum())
    made = {float(rate): _score(values[:, i], total) for i, rate in enumerate(at)}
    false_positives, found = events.curve(np.ones(len(events.lesions)))
    return Froc(made, _score(values.mean(1), total), false_positives, found, values.mean(1))


def _score(values: Floats, total: int) -> Score:
    if np.isnan(values[0]):
        return Score(None, None, None, "there is no lesion to find", total)
    low, high = interval(values[1:]) or (None, None)
    return Score(float(values[0]), low, high, None, total)


@dataclass(frozen=True)
class _Events:
    """Hold what each threshold adds: boxes from the highest score down.

    Shapes: `scan` int64 [E]; `hit` bool [E], else a false positive; `last` bool [E], the last of equal scores;
    `lesions` [S], how many count in each scan.
    """

    scan: NDArray[np.int64]
    hit: NDArray[np.bool_]
    last: NDArray[np.bool_]
    lesions: Floats

    @classmethod
    def of(
        cls,
        lesions: Sequence[ArrayLike],
        boxes: Sequence[ArrayLike],
        scores: Sequence[ArrayLike],
        counted: Sequence[ArrayLike] | None,
        rule: Rule,
        iou: float,
    ) -> _Events:
        found: list[tuple[float, int, bool]] = []
        totals = []
        for scan, (there, given, marks) in enumerate(zip(lesions, boxes, scores, strict=True)):
            truth, mine = _boxes(there), _boxes(given)
            counts = np.ones(len(truth), bool) if counted is None else np.asarray(counted[scan], dtype=bool)
            marks = np.asarray(marks, dtype=np.float64).reshape(-1)
            if len(marks) != len(mine) or len(counts) != len(truth) or not np.isfinite(marks).all():
                raise ValueError(
                    f"scan {scan}: {len(mine)} boxes, {len(marks)} scores (each finite), {len(truth)} lesions"
                )
            totals.append(float(counts.sum()))
            taken: set[int] = set()
            hits = _hits(truth, mine, rule, iou)
            for at in np.argsort(-marks, kind="stable"):
                lesion = int(hits[at])
                if lesion < 0 or (counts[lesion] and lesion not in taken):
                    found.append((float(marks[at]), scan, lesion >= 0))
                taken.add(lesion)
        found.sort(key=lambda event: -event[0])
        marks = np.array([event[0] for event in found])
        last = np.append(marks[1:] != marks[:-1], True)[: len(marks)]
        scan_of = np.array([event[1] for event in found], dtype=np.int64)
        return cls(scan_of, np.array([event[2] for event in found], dtype=bool), last, np.array(totals))

    def curve(self, counts: Floats) -> tuple[Floats, Floats]:
        """Return false positives per scan and the share of lesions found, [K] each, where scan s is drawn counts[s]
        times."""
        drawn = counts[self.scan]
        false_positives = np.cumsum(drawn * ~self.hit)[self.last] / counts.sum()
        total = counts @ self.lesions
        found = np.cumsum(drawn * self.hit)[self.last] / total if total else np.full(int(self.last.sum()), np.nan)
        return np.append(0.0, false_positives), np.append(0.0 if total else np.nan, found)

    def read(self, counts: Floats, rates: Floats) -> Floats:
        """Return the share of lesions found at each rate, [R, rates], for R resamples [R, scans]."""
        return np.stack([np.interp(rates, *self.curve(each)) for each in counts])


def _boxes(given: ArrayLike) -> Floats:
    boxes = np.asarray(given, dtype=np.float64).reshape(-1, 6)
    if (boxes[:, 3:] < boxes[:, :3]).any():
        raise ValueError("a box ends before it begins; give (x0, y0, z0, x1, y1, z1)")
    return boxes


def _hits(lesions: Floats, boxes: Floats, rule: Rule, iou: float) -> NDArray[np.int64]:
    """Return the number of the lesion that each box hits, -1 for none."""
    none = np.full(len(boxes), -1, dtype=np.int64)
    if not len(lesions) or not len(boxes):
        return none
    if rule == "iou":
        near = box_iou(boxes, lesions)
        best = near.argmax(1)
        good = near.max(1) >= iou
    else:
        middle = (lesions[:, :3] + lesions[:, 3:]) / 2
        away = np.linalg.norm((boxes[:, None, :3] + boxes[:, None, 3:]) / 2 - middle, axis=2)
        radius = (lesions[:, 3:] - lesions[:, :3]).mean(1) / 2
        away = np.where(away <= radius, away, np.inf)
        best, good = away.argmin(1), np.isfinite(away.min(1))
    return np.where(good, best, none)
