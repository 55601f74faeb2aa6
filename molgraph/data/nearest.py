"""The nearest of several groups of things, whatever they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_among(
    similarity: NDArray[np.float32], groups: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return of each group the position of its nearest member, the first of equally near ones, and how near it is; of a
    group without members -1 and 0.

    Shapes: `similarity` [P, M], `groups` [G, M]; returns [G, P] twice.

    >>> best_among(np.array([[0.5, 0.9, 0.1]], dtype=np.float32), np.array([[True, False, True]]))[0].tolist()
    [[0]]
    """
    position = np.full((len(groups), len(similarity)), -1, dtype=np.int64)
    best = np.zeros((len(groups), len(similarity)), dtype=np.float32)
    for at, group in enumerate(groups):
        members = np.flatnonzero(group)
        if len(members):
            mine = similarity[:, members]
            position[at], best[at] = members[mine.argmax(axis=1)], mine.max(axis=1)
    return position, best
