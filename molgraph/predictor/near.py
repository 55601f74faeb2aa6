"""Rows that are nearly the same things as rows known before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.dataset import ABSENT, Dataset
from molgraph.data.packed import Packed
from molgraph.data.room import Index, Room
from molgraph.predictor.domain import CELLS, in_use
from molgraph.predictor.known import Known

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


def near_limits(rooms: Mapping[str, Room]) -> dict[str, float]:
    """Return from which similarity on parts of each input are near; nothing where a room does not say so."""
    likeness = {name: room.likeness for name, room in rooms.items() if room.likeness.index is not None}
    found = {name: each.near for name, each in likeness.items() if each.near is not None}
    return found if len(found) == len(rooms) else {}


def near_known(known: Known, data: Dataset) -> tuple[Mask, float] | None:
    """Tell which rows are near one that is known to have trained, [n], and from which similarity on; None: no limit."""
    found, least = np.zeros(len(data), dtype=bool), math.inf
    for domain in known.domains:
        limits = near_limits({name: side.room for name, side in domain.sides.items()})
        if not limits:
            return None
        indices = {name: side.index for name, side in domain.sides.items()}
        found |= near_duplicates(indices, domain.index, data, limits)
        least = min(least, *limits.values())
    return found, least


def near_duplicates(indices: Mapping[str, Index], known: Rows, data: Dataset, limits: Mapping[str, float]) -> Mask:
    """Tell which rows of `data` have one known row that is near them in every input.

    Shapes: `known` int64 [M, inputs], the position of each known row's part in the index of that input; returns [n].
    """
    if len(indices) == 1:
        ((name, index),) = indices.items()
        parts, at = in_use(data.inputs[name])
        _, similarity = index.nearest(parts)
        alike: Mask = np.append(similarity >= limits[name], False)[at]
        return alike
    rows = set(map(tuple, known.tolist()))
    wide = known.max(axis=0, initial=0) + 1
    near = [
        _near_parts(index, *in_use(data.inputs[name]), limits[name], CELLS // int(wide[at]))
        for at, (name, index) in enumerate(indices.items())
    ]
    return np.array([any(row in rows for row in product(*parts)) for parts in zip(*near, strict=True)], dtype=bool)


def _near_parts(index: Index, parts: Packed, at: Rows, limit: float, each: int) -> Iterator[Sequence[int]]:
    """Yield for each row the known parts as near to its own as `limit`; an absent one is near to an absent one.

    So many parts as `each` says are asked at once.
    """
    found: list[list[int]] = []
    for start in range(0, len(parts), max(each, 1)):
        block = parts.gather(torch.arange(start, min(start + max(each, 1), len(parts))))
        found += [np.flatnonzero(row).tolist() for row in index.similarity(block) >= limit]
    found.append([ABSENT])  # the last place is that of ABSENT
    for part in at:
        yield found[part]
