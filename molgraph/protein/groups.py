"""Ways to group proteins, so that near relatives stay on one side of a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from molgraph.data.nearest import Bits
from molgraph.protein.kmers import kmer_bits
from molgraph.protein.residues import Refusal, as_written, codes_of

THRESHOLD = 0.1


def family(keys: Sequence[str], *, threshold: float = THRESHOLD) -> NDArray[np.int64]:
    """Group proteins so that no two of different groups share `threshold` or more of their words of three residues.

    Groups are the connected ones of that similarity (Tanimoto), numbered as they appear. A text that is no sequence
    is a group of its own.
    """
    known = [at for at, key in enumerate(keys) if not isinstance(as_written(key), Refusal)]
    packed = kmer_bits([codes_of(keys[at]) for at in known])
    pairs = [np.zeros((2, 0), dtype=np.int64)]
    for rows, asked, tile in Bits(packed).tiles(packed):
        near, query = np.nonzero(tile >= np.float32(threshold))
        pairs.append(np.stack([near + rows.start, query + asked.start]))
    one, other = np.array(known, dtype=np.int64)[np.concatenate(pairs, axis=1)]
    links = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(len(keys), len(keys)))
    return _numbered(connected_components(links, directed=False)[1])


def _numbered(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Give labels numbers in the order in which they appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return rank[inverse].astype(np.int64)
