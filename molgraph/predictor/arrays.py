"""Texts and parts as the arrays of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.data.cells import Cells
from molgraph.data.packed import PART
from molgraph.data.room import Room


def written(name: str, texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return texts as UTF-8 and the length of each: an array of texts gives every one the room of the longest."""
    whole = [text.encode() for text in texts]
    lengths = np.array([len(text) for text in whole], dtype=np.int32)
    return {name: np.frombuffer(b"".join(whole), dtype=np.uint8), f"{name}_length": lengths}


def read(name: str, arrays: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """Return what `written` gave; folders of earlier versions hold an array of texts."""
    if f"{name}_length" not in arrays:
        return tuple(arrays[name].tolist())
    whole, lengths = arrays[name].tobytes(), arrays[f"{name}_length"].astype(np.int64)
    ends = np.cumsum(lengths)
    if (lengths < 0).any() or lengths.sum() != len(whole):
        raise ValueError(f"{name}: their lengths do not fit")
    return tuple(whole[start:end].decode() for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True))


def check_parts(room: Room, arrays: Mapping[str, NDArray[Any]], level: str) -> None:
    """Raise ValueError where fingerprints, keys and names do not fit together, or are not this room's."""
    keys, names = read("keys", arrays), read("names", arrays)
    count = len(keys)
    if len(names) not in (0, count) or len(set(keys)) != count:
        raise ValueError("the keys are not those of as many parts")
    if not room.likeness.features:
        return
    (feature,) = room.likeness.features
    prints = arrays["prints"]
    rows = count
    if level != PART:
        offsets = arrays["offsets"]
        rows = len(prints)
        if offsets.shape != (count + 1,) or offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] != rows:
            raise ValueError("the parts do not follow each other")
    wanted = room.reading.prepare(Cells({}), (feature,)).parts.values[feature].numpy()
    if prints.dtype != wanted.dtype or prints.shape != (rows, *wanted.shape[1:]):
        raise ValueError(f"the fingerprints are of kind {prints.dtype} and shape {prints.shape}")
    known = arrays.get("known")
    if known is not None and (known.dtype != np.uint64 or known.shape != (count,)):
        raise ValueError("the marks are not those of as many parts")
    if not 0 <= float(arrays["threshold"]) <= 1:
        raise ValueError(f"the threshold is {float(arrays['threshold'])}")
