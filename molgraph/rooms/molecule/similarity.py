"""How near molecules are: exact Tanimoto similarity between bit-packed fingerprints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from molgraph.data.diverse import maxmin
from molgraph.data.packed import Packed

FEATURE = "fingerprint"
ROWS, QUERIES = 1024, 256  # a tile of 0.5 MB of counts stays in the cache: the fastest of the sizes tried

Packed8 = NDArray[np.uint8]  # fingerprints [P, bytes], eight bits to the byte


def fingerprints(parts: Packed) -> Packed8:
    """Return the bit-packed fingerprints of parts as an array [P, bytes]."""
    return np.asarray(parts.values[FEATURE].cpu().numpy(), dtype=np.uint8)


class Bits:
    """Hold the set bits of M fingerprints, compared with others a tile at a time, so that memory stays flat.

    A fingerprint of 2048 bits has about 45 set: a sparse product counts the common bits of 256 queries at a
    time in two to eight times less time than popcounts over words, a dense product or RDKit's bulk function.
    """

    def __init__(self, packed: Packed8) -> None:
        self.blocks = [_sparse(packed[b : b + ROWS]) for b in range(0, len(packed), ROWS)]
        self.sizes = [_count(packed[b : b + ROWS]) for b in range(0, len(packed), ROWS)]
        self.count = len(packed)

    def tiles(self, queries: Packed8) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
        """Yield (rows, queries, Tanimoto [rows, queries]) for all pairs, the rows of a query in rising order.

        An empty fingerprint has the similarity 0 to any other, as in RDKit.

        See: Tanimoto coefficient, https://doi.org/10.1021/ci9800211
        """
        for at in range(0, len(queries), QUERIES):
            asked = queries[at : at + QUERIES]
            dense = np.ascontiguousarray(np.unpackbits(asked, axis=1).T, dtype=np.uint16)
            size = _count(asked)
            for number, (block, sizes) in enumerate(zip(self.blocks, self.sizes, strict=True)):
                common = block @ dense
                union = np.maximum(sizes[:, None] + size - common, 1)
                tanimoto = np.divide(common, union, dtype=np.float32)
                start = number * ROWS
                yield slice(start, start + len(sizes)), slice(at, at + len(asked)), tanimoto

    def similarity(self, query: Packed8) -> NDArray[np.float32]:
        """Return the similarity [M] of every fingerprint to one query [bytes]."""
        return np.concatenate([tile[:, 0] for _, _, tile in self.tiles(query[None])])


class Nearest:
    """Find the nearest training molecule by exact Tanimoto similarity.

    Of several equally near ones it is the first, so a result depends neither on the batch nor on its size.
    """

    def __init__(self, parts: Packed) -> None:
        self.packed = fingerprints(parts)
        self.bits = Bits(self.packed)

    def nearest(self, parts: Packed) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the position of the nearest training part (-1: there is none) and the similarity, each [P]."""
        position, similarity = self.nearest_among(parts, np.ones((1, self.bits.count), dtype=np.bool_))
        return position[0], similarity[0]

    def nearest_among(self, parts: Packed, groups: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the same among some training parts each, `groups` [G, M]; every similarity is computed once."""
        return self._nearest(fingerprints(parts), groups)

    def leave_one_out(self) -> NDArray[np.float32]:
        """Return the similarity [M] of each training part to the nearest other one (0: there is none)."""
        _, similarity = self._nearest(self.packed, np.ones((1, self.bits.count), dtype=np.bool_), others=True)
        return np.asarray(similarity[0])

    def similarity(self, parts: Packed) -> NDArray[np.float32]:
        """Return the similarity of each part to each training part, [P, M]."""
        queries = fingerprints(parts)
        out = np.zeros((len(queries), self.bits.count), dtype=np.float32)
        for rows, asked, tile in self.bits.tiles(queries):
            out[asked, rows] = tile.T
        return out

    def _nearest(
        self, queries: Packed8, groups: NDArray[np.bool_], others: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        position = np.full((len(groups), len(queries)), -1, dtype=np.int64)
        similarity = np.full((len(groups), len(queries)), -1, dtype=np.float32)
        for rows, asked, tile in self.bits.tiles(queries):
            if others:
                own = np.arange(max(rows.start, asked.start), min(rows.stop, asked.stop))
                tile[own - rows.start, own - asked.start] = -1
            for group, best, at in zip(groups, similarity, position, strict=True):
                mine = np.flatnonzero(group[rows])
                if len(mine):
                    _nearer(tile if len(mine) == len(tile) else tile[mine], rows.start + mine, best[asked], at[asked])
        return position, np.maximum(similarity, 0)


def _nearer(
    tile: NDArray[np.float32], rows: NDArray[np.int64], best: NDArray[np.float32], at: NDArray[np.int64]
) -> None:
    """Note which of these rows are nearer to the queries than the `best` so far, and where those stand."""
    value = tile.max(axis=0)
    nearer = np.flatnonzero(value > best)  # where it stands is asked of the few that it brings nearer
    at[nearer] = rows[tile[:, nearer].argmax(axis=0)]
    best[nearer] = value[nearer]


def diverse(parts: Packed, k: int) -> list[int]:
    """Pick `k` parts that differ most, the first part among them (see `maxmin`)."""
    packed = fingerprints(parts)
    bits = Bits(packed)
    return maxmin(len(packed), k, lambda at: bits.similarity(packed[at]))


def _sparse(packed: Packed8) -> csr_array:
    count, width = len(packed), packed.shape[1] * 8
    at = np.flatnonzero(np.unpackbits(packed).view(np.bool_))
    starts = np.searchsorted(at, np.arange(count + 1) * width).astype(np.int32)
    ones = np.ones(len(at), dtype=np.uint16)
    return csr_array((ones, (at % width).astype(np.int32), starts), shape=(count, width))


def _count(packed: Packed8) -> NDArray[np.uint16]:
    return np.asarray(np.bitwise_count(packed).sum(axis=1), dtype=np.uint16)
