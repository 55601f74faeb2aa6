"""From the probability of every voxel to lesions: boxes in world coordinates, each with a score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Place = tuple[float, float, float]
SURE = 0.5  # a voxel of at least this probability belongs to a lesion


@dataclass(frozen=True)
class Found:
    """Hold one lesion that was found.

    Units: `centre` and `size` (of the box, along x, y, z) in mm, world axes RAS+; `volume` in mm3. `score`
    is the higher, the surer: of a network the mean probability of its voxels.
    """

    centre: Place
    size: Place
    score: float
    volume: float

    @property
    def box(self) -> tuple[float, ...]:
        """Return the box as (x0, y0, z0, x1, y1, z1)."""
        half = [(c, s / 2) for c, s in zip(self.centre, self.size, strict=True)]
        return (*(c - h for c, h in half), *(c + h for c, h in half))


def lesions(
    chance: NDArray[np.float32], affine: NDArray[np.float64], *, threshold: float = SURE, smallest: float = 10.0
) -> list[Found]:
    """Return the lesions in a volume of probabilities, highest score first.

    A lesion is a set of touching voxels of at least `threshold`. A mask says where a lesion is and how large, so that
    no second network need learn boxes; lesions that touch are one. What fills less than `smallest` mm3 is left out.

    Shapes: `chance` [Z, Y, X]; `affine` [4, 4] takes voxels (x, y, z) to world mm.
    """
    from scipy.ndimage import find_objects, label

    numbered, _ = label(chance >= threshold, structure=np.ones((3, 3, 3)))
    voxel = abs(float(np.linalg.det(affine[:3, :3])))
    found = []
    for number, where in enumerate(find_objects(numbered), start=1):
        inside = numbered[where] == number
        volume = voxel * int(inside.sum())
        if volume >= smallest:
            centre, size = _box(np.argwhere(inside) + [s.start for s in where], affine)
            found.append(Found(centre, size, float(chance[where][inside].mean(dtype=np.float64)), volume))
    return sorted(found, key=lambda lesion: -lesion.score)


def _box(places: NDArray[np.int64], affine: NDArray[np.float64]) -> tuple[Place, Place]:
    """Return middle and size of the smallest box along the world's axes around voxels (Z, Y, X) with their borders."""
    middles = places[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
    half = np.abs(affine[:3, :3]).sum(1) / 2  # of a voxel, along each of the world's axes
    low, high = middles.min(0) - half, middles.max(0) + half
    (x, y, z), (width, depth, height) = ((low + high) / 2).tolist(), (high - low).tolist()
    return (x, y, z), (width, depth, height)
