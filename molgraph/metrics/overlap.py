"""How well what was found lies on what is there: masks, boxes, and the brightest point of an explanation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from molgraph.metrics.formulas import Floats
from molgraph.metrics.scores import Score, draws, interval


def dice(truth: ArrayLike, estimate: ArrayLike) -> float:
    """Return the Dice overlap of two masks of one shape, NaN where both are empty.

    See: Dice 1945, doi 10.2307/1932409

    >>> dice([1, 1, 0, 0], [0, 1, 1, 0])
    0.5
    """
    there, found = np.asarray(truth, dtype=bool), np.asarray(estimate, dtype=bool)
    if there.shape != found.shape:
        raise ValueError(f"masks of two shapes: {there.shape} and {found.shape}")
    both = int(there.sum()) + int(found.sum())
    return 2.0 * int((there & found).sum()) / both if both else float("nan")


def box_iou(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the volume that two boxes share divided by the volume that they fill together.

    Shapes: boxes (x0, y0, z0, x1, y1, z1) [N, 6] and [M, 6] to [N, M].

    >>> box_iou([[0, 0, 0, 2, 1, 1]], [[1, 0, 0, 3, 1, 1]]).round(3)
    array([[0.333]])
    """
    a = np.asarray(first, dtype=np.float64).reshape(-1, 1, 6)
    b = np.asarray(second, dtype=np.float64).reshape(1, -1, 6)
    shared = np.clip(np.minimum(a[..., 3:], b[..., 3:]) - np.maximum(a[..., :3], b[..., :3]), 0, None).prod(-1)
    together = (a[..., 3:] - a[..., :3]).prod(-1) + (b[..., 3:] - b[..., :3]).prod(-1) - shared
    found: Floats = np.divide(shared, together, out=np.zeros_like(shared), where=together > 0)
    return found


def pointing(attribution: ArrayLike, mask: ArrayLike) -> float:
    """Return 1 where the largest attribution lies on the mask, else 0; of a tie, the share that lies there.

    NaN where the mask is empty: there is nothing to point at.

    See: Zhang et al. 2018 (the pointing game), doi 10.1007/s11263-017-1059-x

    >>> pointing([0.1, 0.9, 0.2], [0, 1, 1])
    1.0
    """
    values, there = np.asarray(attribution, dtype=np.float64), np.asarray(mask, dtype=bool)
    if values.shape != there.shape:
        raise ValueError(f"attribution {values.shape} and mask {there.shape} differ in shape")
    return float(there[values == values.max()].mean()) if there.any() else float("nan")


def average(values: ArrayLike, *, bootstrap: int = 1000, seed: int = 0, groups: ArrayLike | None = None) -> Score:
    """Return the mean of one number per scan with its bootstrap interval over scans (or groups of scans).

    NaN, a number that does not exist, is left out.

    >>> average([0.5, 1.0, float("nan")], bootstrap=0).value
    0.75
    """
    given = np.asarray(values, dtype=np.float64)
    there = ~np.isnan(given)
    kept = given[there]
    if not len(kept):
        return Score(None, None, None, "no scan has a value", 0)
    units = None if groups is None else np.asarray(groups)[there]
    means = np.concatenate([counts @ kept / counts.sum(1) for counts in draws(len(kept), bootstrap, seed, units)])
    low, high = interval(means[1:]) or (None, None)
    note = None if there.all() else f"{int((~there).sum())} of {len(given)} have no value"
    return Score(float(means[0]), low, high, note, len(kept))
