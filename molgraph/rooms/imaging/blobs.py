"""The method to beat at finding nodules: bright blobs in the dark of the lungs, without any learning."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from molgraph.rooms.imaging.boxes import Found
from molgraph.rooms.imaging.geometry import spacing_of, to_world

RADII = (2.0, 3.0, 4.5, 6.75, 10.0, 15.0)  # mm: of the blobs that are looked for
DARK = 0.5  # of the darkest and the brightest: below it is lung
LARGEST = 200  # blobs that are kept of a scan
CLOSED = 6.0  # mm: what is narrower than twice this, or enclosed, is taken into the lung

Volume = NDArray[np.float32]


def blobs(seen: Volume, affine: NDArray[np.float64], *, most: int = LARGEST) -> list[Found]:
    """Return bright blobs, the best first.

    Looked for are maxima, over place and scale, of the scale-normalised Laplacian of a Gaussian inside of the lungs (in
    all of the scan where it has none); a ball is answered most by a Gaussian of radius / sqrt(3). What counts of them
    is how round they are: the smallest curvature squared by the largest, which is near 0 on a vessel.

    Shapes: `seen` [Z, Y, X] from 0 (dark) to 1; `affine` [4, 4] from voxel (x, y, z) to world mm.

    See: Lindeberg 1998, doi 10.1023/A:1008045108935; Li et al. 2003 (the dot filter), doi 10.1118/1.1581411
    """
    steps = np.array(spacing_of(affine))[::-1]
    scales = [radius / math.sqrt(3) for radius in RADII]
    smooth = [ndimage.gaussian_filter(seen, scale / steps, mode="nearest") for scale in scales]
    answers = np.stack([-(scale**2) * _laplacian(each, steps) for scale, each in zip(scales, smooth, strict=True)])
    peak = ndimage.maximum_filter(answers, size=3, mode="nearest") == answers
    peak &= lungs(seen, steps) & (answers > 0)
    found = []
    for at, z, y, x in np.argwhere(peak).tolist():
        round_one = scales[at] ** 2 * _roundness(smooth[at], (z, y, x), steps)
        if round_one > 0:
            side = 2 * RADII[at]
            place = to_world(affine, [x, y, z]).tolist()
            volume = math.pi / 6 * side**3
            found.append(Found((place[0], place[1], place[2]), (side, side, side), round_one, volume))
    return sorted(found, key=lambda blob: -blob.score)[:most]


def lungs(seen: Volume, steps: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return what is dark and not around the body, with the vessels and nodules in it; everything where that is
    nothing."""
    dark = seen < DARK
    numbered, count = ndimage.label(dark)
    border = np.unique(np.concatenate([numbered[:, [0, -1]].ravel(), numbered[:, :, [0, -1]].ravel()]))
    keep = np.ones(count + 1, dtype=bool)
    keep[border] = False
    keep[0] = False
    lung = keep[numbered]
    if not lung.any():
        return np.ones(seen.shape, dtype=bool)
    away: NDArray[np.float64] = ndimage.distance_transform_edt(~lung, sampling=steps)
    grown = away <= CLOSED
    back: NDArray[np.float64] = ndimage.distance_transform_edt(grown, sampling=steps)
    closed: NDArray[np.bool_] = ndimage.binary_fill_holes((back > CLOSED) | lung)
    return closed


def _laplacian(smooth: Volume, steps: NDArray[np.float64]) -> Volume:
    """Return the sum of second derivatives, per mm2."""
    total = np.zeros_like(smooth)
    for axis, step in enumerate(steps):
        total += ndimage.convolve1d(smooth, np.array([1.0, -2.0, 1.0]) / step**2, axis, mode="nearest")
    return total


def _roundness(smooth: Volume, place: tuple[int, int, int], steps: NDArray[np.float64]) -> float:
    """Return the smallest curvature squared by the largest, 0 where not all of them fall off."""
    around = smooth[tuple(slice(max(p - 1, 0), p + 2) for p in place)].astype(np.float64)
    if around.shape != (3, 3, 3):  # at the border of the scan
        return 0.0
    gradients = np.gradient(around, *steps)
    curvature = [[np.gradient(g, step, axis=axis)[1, 1, 1] for axis, step in enumerate(steps)] for g in gradients]
    for axis, step in enumerate(steps):  # of one axis twice: from the neighbours, not from the next but one
        line = around[tuple(slice(None) if a == axis else 1 for a in range(3))]
        curvature[axis][axis] = (line[0] - 2 * line[1] + line[2]) / step**2
    small, _, large = sorted(-np.linalg.eigvalsh(np.array(curvature)))
    return float(small**2 / large) if small > 0 else 0.0
