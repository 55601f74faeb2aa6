"""How near pictures are: correlation of small grey copies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from molgraph.data.diverse import maxmin
from molgraph.data.nearest import best_among
from molgraph.data.packed import Packed
from molgraph.rooms.imaging.intensity import AUTO, normalise
from molgraph.rooms.imaging.scan import Scan
from molgraph.rooms.imaging.view import framed

THUMBNAIL = "thumbnail"
SIDE = 16
STEPS = 127  # whole numbers, so that sums are exact in float32 and a similarity does not depend on its neighbours
CELLS = 1 << 22  # similarities held at once: 16 MB

Floats = NDArray[np.float32]


def thumbnail(scans: Sequence[Scan], where: str) -> NDArray[np.int8]:
    """Return the mean over channels, slices and scans, 16 x 16, less its own mean, in whole steps up to 127: [256]."""
    small = np.zeros((SIDE, SIDE), dtype=np.float32)
    for scan in scans:
        grey = normalise(scan, AUTO, where).voxels.mean(axis=(0, 1), dtype=np.float32)
        small += framed(grey, (SIDE, SIDE), fit=True)
    flat = (small - small.mean()).reshape(-1)
    largest = float(np.abs(flat).max())
    steps: NDArray[np.int8] = np.rint(flat * (STEPS / largest) if largest > 0 else flat).astype(np.int8)
    return steps


class Nearest:
    """Find the nearest training picture: the correlation of thumbnails, 0 where it is negative.

    Of several equally near ones it is the first, so a result depends neither on the batch nor on its size.
    """

    def __init__(self, parts: Packed) -> None:
        self.known = _thumbnails(parts)

    def nearest(self, parts: Packed) -> tuple[NDArray[np.int64], Floats]:
        """Return the position of the nearest training part (-1: there is none) and the similarity, each [P]."""
        return self._nearest(_thumbnails(parts), others=False)

    def nearest_among(self, parts: Packed, groups: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
        """Return the same among some training parts each, `groups` [G, M]: both [G, P]."""
        return best_among(np.maximum(self.similarity(parts), 0), groups)

    def leave_one_out(self) -> Floats:
        """Return the similarity [M] of each training part to the nearest other one (0: there is none)."""
        return self._nearest(self.known, others=True)[1]

    def similarity(self, parts: Packed) -> Floats:
        """Return the similarity of each part to each training part, [P, M]."""
        return _correlation(_thumbnails(parts), self.known)

    def _nearest(self, queries: Floats, others: bool) -> tuple[NDArray[np.int64], Floats]:
        position, similarity = np.full(len(queries), -1, dtype=np.int64), np.zeros(len(queries), dtype=np.float32)
        each = max(CELLS // max(len(self.known), 1), 1)
        for at in range(0, len(queries) if len(self.known) else 0, each):
            asked = slice(at, min(at + each, len(queries)))
            tile = _correlation(queries[asked], self.known)
            if others:
                own = np.arange(asked.start, asked.stop)
                tile[own - asked.start, own] = -1
            position[asked], similarity[asked] = tile.argmax(axis=1), tile.max(axis=1)
        return position, np.maximum(similarity, 0)


def diverse(parts: Packed, k: int) -> list[int]:
    """Pick `k` parts that differ most, the first part among them (see `maxmin`)."""
    known = _thumbnails(parts)
    return maxmin(len(known), k, lambda at: _correlation(known[at : at + 1], known)[0])


def _thumbnails(parts: Packed) -> Floats:
    return parts.values[THUMBNAIL].cpu().numpy().astype(np.float32)


def _correlation(queries: Floats, known: Floats) -> Floats:
    """Return similarities [Q, M]; a picture of one shade is near to none."""
    lengths = np.outer(np.linalg.norm(queries, axis=1), np.linalg.norm(known, axis=1))
    found: Floats = np.clip(queries @ known.T / np.maximum(lengths, 1), 0, 1).astype(np.float32)
    return found
