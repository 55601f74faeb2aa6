"""Ways to group proteins, so that near relatives stay on one side of a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from molgraph.rooms.protein.prepare import KMERS, prepare
from molgraph.rooms.protein.similarity import Nearest

# Of thresholds in steps of 0.01 this one agrees best with a normalised Smith-Waterman score of 0.4 over the pairs of
# the 379 distinct Davis kinases; it makes 182 families of them, the largest of 13.
THRESHOLD = 0.04


def family(keys: Sequence[str], *, threshold: float = THRESHOLD) -> NDArray[np.int64]:
    """Group proteins so that those of different groups share less than `threshold` of their words (Tanimoto).

    Groups are connected: a chain of near relatives is one group, numbered as groups appear. A text that is no sequence
    is a group of its own.
    """
    prepared = prepare(keys, (KMERS,), standardise=False)
    index, label = prepared.index, np.zeros(len(prepared.parts), dtype=np.int64)
    pairs = [np.zeros((2, 0), dtype=np.int64)]
    for asked, tile in Nearest(prepared.parts).tiles(prepared.parts):
        one, other = np.nonzero(tile >= np.float32(threshold))
        pairs.append(np.stack([one + asked.start, other]))
    links = np.concatenate(pairs, axis=1)
    near = coo_array((np.ones(links.shape[1], dtype=bool), (links[0], links[1])), shape=(len(label), len(label)))
    if len(label):
        label = connected_components(near, directed=False)[1].astype(np.int64)
    known = index >= 0
    whole = np.where(known, np.append(label, 0)[index], len(label) + np.arange(len(index)))
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    numbered: NDArray[np.int64] = np.argsort(np.argsort(first))[inverse].astype(np.int64)
    return numbered
