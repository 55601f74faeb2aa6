"""The method to beat at finding nodules: bright blobs in the dark of the lungs, without any learning."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from molgraph.imaging.boxes import Found
from molgraph.imaging.geometry import spacing_of, to_world

RADII = (2.0, 3.0, 4.5, 6.75, 10.0, 15.0)  # mm: of the blobs that are looked for
DARK = 0.5  # of the darkest and the brightest: below it is lung
LARGEST = 200  # blobs that are kept of a scan
CLOSED = 6.0  # mm: vessels and nodules narrower than twice this are taken into the lung

Volume = NDArray[np.float32]


def blobs(seen: Volume, affine: NDArray[np.float64], *, most: int = LARGEST) -> list[Found]:
    """Return bright blobs by the scale-normalised Laplacian of a Gaussian, largest response first.

    A blob is a maximum over place and scale inside of the lungs (all of the scan where it has none); the radius of a
    ball is sqrt(3) standard deviations of the Gaussian that answers it most.

    Shapes: `seen` [Z, Y, X] from 0 (dark) to 1; `affine` [4, 4] from voxel (x, y, z) to world mm.

    See: Lindeberg 1998, doi 10.1023/A:1008045108935
    """
    steps = np.array(spacing_of(affine))[::-1]
    inside = lungs(seen, steps)
    scales = [radius / math.sqrt(3) for radius in RADII]
    answers = np.stack([-(s**2) * _laplacian(seen, s / steps, steps) for s in scales])
    peak = ndimage.maximum_filter(answers, size=3, mode="nearest") == answers
    scale, *places = np.nonzero(peak & inside & (answers > 0))
    strength = answers[(scale, *places)]
    found = []
    for at in np.argsort(-strength, kind="stable")[:most]:
        x, y, z = to_world(affine, [places[2][at], places[1][at], places[0][at]]).tolist()
        side = 2 * RADII[scale[at]]
        volume = math.pi / 6 * side**3
        found.append(
            Found((x, y, z), (side, side, side), float(strength[at]), volume, round(volume / float(steps.prod())))
        )
    return found


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
    closed: NDArray[np.bool_] = (back > CLOSED) | lung
    return closed


def _laplacian(seen: Volume, sigma: NDArray[np.float64], steps: NDArray[np.float64]) -> Volume:
    """Return the sum of second derivatives after a Gaussian of `sigma` voxels, per mm2."""
    total = np.zeros_like(seen)
    for axis in range(3):
        order = [2 if a == axis else 0 for a in range(3)]
        total += ndimage.gaussian_filter(seen, sigma, order=order, mode="nearest") / np.float32(steps[axis] ** 2)
    return total
