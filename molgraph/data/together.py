"""Rows that share a word belong together."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def together(words: Sequence[Collection[Hashable]]) -> NDArray[np.int64]:
    """Give one number to rows that share a word, also by way of others; a row without words has its own.

    Shapes: int64 [n], numbered as they appear.

    >>> together([{"a"}, {"b", "a"}, set(), {"c"}, {"b"}, set()]).tolist()
    [0, 0, 1, 2, 0, 3]
    """
    place: dict[Hashable, int] = {}
    pairs = [(row, place.setdefault(word, len(place))) for row, own in enumerate(words) for word in own]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    size = len(words) + len(place)
    edges = coo_array((np.ones(len(pairs)), (rows, len(words) + columns)), shape=(size, size))
    _, found = connected_components(edges, directed=False)
    _, first, number = np.unique(found[: len(words)], return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbered: NDArray[np.int64] = rank[number]
    return numbered
