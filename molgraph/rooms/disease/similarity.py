"""How near patients are: Gower's similarity of their records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from molgraph.data.diverse import maxmin
from molgraph.data.fields import NUMBER, Fields
from molgraph.data.nearest import best_among
from molgraph.data.packed import WHOSE, Packed
from molgraph.rooms.disease.prepare import RECORD

CELLS = 1 << 22  # similarities held at once: 16 MB
ENDS = 1, 99  # percentiles of the training parts between which a number spans: one outlier would make all others alike

Floats = NDArray[np.float32]


class Nearest:
    """Find the nearest training record by Gower's similarity.

    It is the mean, over the numbers known of both, of 1 - |difference| / span, at least 0; spans are those of the
    training parts (1st to 99th percentile). What is known of one alone counts nothing; a category counts by each of
    its numbers. Of several equally near records it is the first.

    See: Gower 1971, doi 10.2307/2528823
    """

    def __init__(self, parts: Packed) -> None:
        self.known = parts.values[RECORD].numpy()
        self.whose = parts.values[WHOSE].numpy() if WHOSE in parts.values else np.arange(len(self.known))
        self.span = _span(self.known)

    def tiles(self, asked: Floats) -> Iterator[tuple[slice, Floats]]:
        """Yield (queries, similarity [queries, M])."""
        each = max(CELLS // max(len(self.known), 1), 1)
        there = (~np.isnan(self.known)).astype(np.float32)
        for at in range(0, len(asked), each):
            some = slice(at, min(at + each, len(asked)))
            total = np.zeros((some.stop - some.start, len(self.known)), dtype=np.float32)
            for mine, theirs, span in zip(asked[some].T, self.known.T, self.span, strict=True):
                near = np.abs(mine[:, None] - theirs)
                near /= span
                np.minimum(near, 1, out=near)
                np.subtract(1, near, out=near)
                total += np.fmax(near, 0, out=near)  # what is NaN, as one of both is unknown, adds nothing
            both = (~np.isnan(asked[some])).astype(np.float32) @ there.T
            yield some, (total / np.maximum(both, 1)).astype(np.float32)

    def nearest(self, parts: Packed) -> tuple[NDArray[np.int64], Floats]:
        """Return the position of the nearest training part (-1: there is none) and the similarity, each [P]."""
        position, similarity = np.full(len(parts), -1, dtype=np.int64), np.zeros(len(parts), dtype=np.float32)
        for some, tile in self.tiles(parts.values[RECORD].numpy()) if len(self.known) else ():
            position[some], similarity[some] = tile.argmax(axis=1), tile.max(axis=1)
        return position, similarity

    def nearest_among(self, parts: Packed, groups: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
        """Return the same among some training parts each, `groups` [G, M]: both [G, P]."""
        return best_among(self.similarity(parts), groups)

    def leave_one_out(self) -> Floats:
        """Return the similarity [M] of each training part to the nearest other one (0: there is none), of moments of a
        patient to those of other patients."""
        found = np.zeros(len(self.known), dtype=np.float32)
        for some, tile in self.tiles(self.known):
            tile[self.whose[some][:, None] == self.whose] = -1
            found[some] = np.maximum(tile.max(axis=1), 0)
        return found

    def similarity(self, parts: Packed) -> Floats:
        """Return the similarity of each part to each training part, [P, M]."""
        found = [tile for _, tile in self.tiles(parts.values[RECORD].numpy())]
        return np.concatenate(found) if found else np.zeros((0, len(self.known)), dtype=np.float32)


def _span(values: Floats) -> Floats:
    """Return how wide each number spreads, [D]; infinite where nothing is known, so that it tells nothing apart."""
    span = np.full(values.shape[1], np.inf, dtype=np.float32)
    for at, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        if len(known):
            low, high = np.percentile(known, ENDS)
            span[at] = (high - low) or (known.max() - known.min()) or np.inf
    return span


def beyond(fields: Fields, known: Packed, parts: Packed) -> list[str]:
    """Say which numbers of each record lie outside of all known ones, or are unknown where those never are."""
    words: list[list[str]] = [[] for _ in range(len(parts))]
    at = 0
    for field in fields.of_rows:
        if field.kind == NUMBER:
            theirs, mine = known.values[RECORD][:, at].numpy(), parts.values[RECORD][:, at].numpy()
            low, high = (np.nanmin(theirs), np.nanmax(theirs)) if not np.isnan(theirs).all() else (-np.inf, np.inf)
            ends = f"{low:.6g} to {high:.6g}"
            for row in np.flatnonzero((mine < low) | (mine > high)).tolist():
                words[row].append(f"{field.name} = {mine[row]:.6g} (training rows: {ends})")
            for row in np.flatnonzero(np.isnan(mine)).tolist() if not np.isnan(theirs).any() else ():
                words[row].append(f"{field.name} is blank (in no training row)")
        at += field.width
    return [", ".join(each) for each in words]


def diverse(parts: Packed, k: int) -> list[int]:
    """Pick the positions of k records that differ most, the first among them."""
    near = Nearest(parts)
    return maxmin(len(parts), k, lambda at: next(near.tiles(near.known[at : at + 1]))[1][0])


def alike(keys: Sequence[str]) -> NDArray[np.int64]:
    """Group patients of whom nothing else is known by their records: those that say the same are one group, [P]."""
    return np.unique(np.asarray(keys, dtype=object).astype(str), return_inverse=True)[1].astype(np.int64)
