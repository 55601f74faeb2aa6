"""How near proteins are: exact Tanimoto similarity between their sets of words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from molgraph.data.diverse import maxmin
from molgraph.data.nearest import best_among
from molgraph.data.packed import Packed
from molgraph.rooms.protein.prepare import KMERS

LEVEL = "kmer"
CELLS = 1 << 22  # similarities held at once: 16 MB

Floats = NDArray[np.float32]


class Nearest:
    """Find the nearest training protein by exact Tanimoto similarity of sets of words (see `kmers`).

    Of several equally near ones it is the first, so a result depends neither on the batch nor on its size. A sparse
    product counts the words in common: unrelated proteins share next to none, so it costs little more than what is
    shared.
    """

    def __init__(self, parts: Packed) -> None:
        self.parts = parts.only([KMERS])
        words, offsets = _words(parts)
        self.known, column = np.unique(words, return_inverse=True)
        ones = np.ones(len(words), dtype=np.float32)
        table = csr_array((ones, column.reshape(-1), offsets), shape=(len(parts), len(self.known)))
        self.by_word = table.T.tocsr()
        self.sizes = np.diff(offsets)

    def tiles(self, parts: Packed) -> Iterator[tuple[slice, Floats]]:
        """Yield (queries, similarity [queries, M]); a protein without a word has the similarity 0 to any."""
        words, offsets = _words(parts)
        column = np.searchsorted(self.known, words)
        column[column == len(self.known)] = 0
        there = np.append(self.known, -1)[column] == words
        size = np.diff(offsets)
        kept = np.append(0, np.cumsum(there))[offsets]
        ones = np.ones(int(there.sum()), dtype=np.float32)
        table = csr_array((ones, column[there], kept), shape=(len(parts), len(self.known)))
        each = max(CELLS // max(len(self.sizes), 1), 1)
        for at in range(0, len(parts), each):
            asked = slice(at, min(at + each, len(parts)))
            common = (table[asked] @ self.by_word).toarray()
            yield asked, (common / np.maximum(size[asked, None] + self.sizes - common, 1)).astype(np.float32)

    def nearest(self, parts: Packed) -> tuple[NDArray[np.int64], Floats]:
        """Return the position of the nearest training part (-1: there is none) and the similarity, each [P]."""
        position, similarity = np.full(len(parts), -1, dtype=np.int64), np.zeros(len(parts), dtype=np.float32)
        if len(self.sizes):
            for asked, tile in self.tiles(parts):
                position[asked], similarity[asked] = tile.argmax(axis=1), tile.max(axis=1)
        return position, similarity

    def nearest_among(self, parts: Packed, groups: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
        """Return the same among some training parts each, `groups` [G, M]: both [G, P]."""
        return best_among(self.similarity(parts), groups)

    def leave_one_out(self) -> Floats:
        """Return the similarity [M] of each training part to the nearest other one (0: there is none)."""
        found = np.zeros(len(self.sizes), dtype=np.float32)
        for asked, tile in self.tiles(self.parts):
            own = np.arange(asked.start, asked.stop)
            tile[own - asked.start, own] = 0
            found[asked] = tile.max(axis=1)
        return found

    def similarity(self, parts: Packed) -> Floats:
        """Return the similarity of each part to each training part, [P, M]."""
        tiles = [tile for _, tile in self.tiles(parts)]
        return np.concatenate(tiles) if tiles else np.zeros((0, len(self.sizes)), dtype=np.float32)


def diverse(parts: Packed, k: int) -> list[int]:
    """Pick `k` parts that differ most, the first part among them (see `maxmin`)."""
    known = parts.only([KMERS])
    index = Nearest(parts)
    return maxmin(len(parts), k, lambda at: index.similarity(known.gather(torch.tensor([at])))[0])


def _words(parts: Packed) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    return parts.values[KMERS].cpu().numpy(), parts.offsets[LEVEL].cpu().numpy()
