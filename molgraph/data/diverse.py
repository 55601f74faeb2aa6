"""Picking things that differ, whatever they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def maxmin(count: int, k: int, similarity_to: Callable[[int], NDArray[np.float32]]) -> list[int]:
    """Pick `k` of `count` things that differ most: the first, then always the one farthest from all picked.

    Things in ranked order thus keep their best one. Of equally far ones the first is taken.

    Shapes: `similarity_to(i)` is the similarity of each thing to thing i, [count].
    See: https://doi.org/10.1002/qsar.200290002

    >>> place = np.array([0.0, 0.1, 1.0, 0.5], dtype=np.float32)
    >>> maxmin(4, 3, lambda i: 1 - abs(place - place[i]))
    [0, 2, 3]
    """
    if not count or k < 1:
        return []
    picked = [0]
    nearest = np.zeros(count, dtype=np.float32)
    while len(picked) < min(k, count):
        nearest = np.maximum(nearest, similarity_to(picked[-1]))
        nearest[picked[-1]] = np.inf  # never twice
        picked.append(int(nearest.argmin()))
    return picked
