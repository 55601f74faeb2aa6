"""What rows are: the identity of their parts, and what they have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import ABSENT, Input
from molgraph.data.room import Room
from molgraph.data.together import together
from molgraph.predictor.inputs import Slot


def with_things(found: Sequence[Slot], inputs: Mapping[str, Input]) -> dict[str, Input]:
    """Return the inputs with the identity of each part."""
    return {s.name: dataclasses.replace(inputs[s.name], things=things_of(s.room, inputs[s.name])) for s in found}


def things_of(room: Room, given: Input) -> tuple[str, ...]:
    """Return the identity of each part: as it is kept, else as the room says."""
    return given.things or tuple(room.likeness.identity(given.keys))


def in_common(
    found: Sequence[Slot], inputs: Mapping[str, Input], rows: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """Group rows whose inputs have something in common (a picture of several), by what the rooms call it.

    Shapes: int64 [n] each, of the rows asked for.
    """
    words: dict[str, list[set[Any]]] = {}
    for slot in found:
        given = inputs[slot.name]
        at = given.index.numpy()[rows]
        for name, of in slot.room.likeness.holds.items():
            held = [*of(given.keys), frozenset()]  # the last place is that of ABSENT
            for mine, part in zip(words.setdefault(name, [set() for _ in rows]), at, strict=True):
                mine |= held[part]
    return {name: together(own) for name, own in words.items()}


def identity(inputs: Mapping[str, Input]) -> list[tuple[str, ...]]:
    """Return for each row what it is, equal where two rows are the same things; "" for an input that is absent."""
    columns = []
    for given in inputs.values():
        names = (*given.things, "")
        columns.append([names[at] if at != ABSENT else "" for at in given.index.tolist()])
    return list(zip(*columns, strict=True))
