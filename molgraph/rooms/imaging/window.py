"""A network over a scan that is larger than what it can see at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from molgraph.rooms.imaging.patches import LEVELS, cut_out

OVERLAP = 0.25  # of a window with the next
BELL = 0.125  # of a window: the standard deviation of the weights within it (as in nnU-Net and MONAI)


def slide(see: Callable[[Tensor], Tensor], voxels: Tensor, size: int, *, overlap: float = OVERLAP) -> Tensor:
    """Return the probability of every voxel, from windows of `size` voxels that overlap; near a window's middle its
    word counts most.

    `see` takes a window [1, C, S, S, S] in [0, 1] to probabilities [S, S, S]. One window is seen at a time: beside the
    scan, two volumes of its size are held.

    Shapes: uint8 [C, Z, Y, X] to float32 [Z, Y, X].

    See: Isensee et al. 2021, doi 10.1038/s41592-020-01008-z
    """
    shape = voxels.shape[1:]
    total, weights = torch.zeros(shape), torch.zeros(shape)
    bell = _bell(size)
    for begin in windows(shape, size, overlap):
        cube, _ = cut_out(voxels, begin, size)
        seen = see(cube[None].float() / LEVELS) * bell
        low, high = np.maximum(begin, 0), np.minimum(begin + size, shape)
        goal = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        source = tuple(slice(int(a - o), int(b - o)) for a, b, o in zip(low, high, begin, strict=True))
        total[goal] += seen[source]
        weights[goal] += bell[source]
    return total.div_(weights)


def windows(shape: Sequence[int], size: int, overlap: float) -> list[np.ndarray]:
    """Return where windows begin so that they cover the shape, the last one flush with its end; one that is larger
    than the scan lies in its middle."""
    starts = []
    for length in shape:
        if length <= size:
            starts.append([(length - size) // 2])
            continue
        count = int(np.ceil((length - size) / (size * (1 - overlap)))) + 1
        starts.append(np.linspace(0, length - size, count).round().astype(int).tolist())
    return [np.array(begin) for begin in itertools.product(*starts)]


def _bell(size: int) -> Tensor:
    """Return weights that fall off from the middle of a window; nowhere are they 0."""
    line = torch.exp(-0.5 * ((torch.arange(size) - (size - 1) / 2) / (BELL * size)) ** 2).clamp(min=1e-3)
    cube = line[:, None, None] * line[:, None] * line
    return cube.clamp(min=float(cube.max()) * 1e-4)
