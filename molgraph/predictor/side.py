"""One input of the training parts: their fingerprints and keys, and from where on a query counts as inside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.dataset import Input
from molgraph.data.packed import PART, WHOSE, Packed
from molgraph.data.room import Index, Room
from molgraph.predictor.arrays import check_parts, read, written
from molgraph.predictor.things import things_of

QUANTILE = 0.05  # a query is in the domain when it is as near as 95 % of the training parts are to each other
LEAST = float(np.finfo(np.float32).eps)

Rows = NDArray[np.int64]
Marks = NDArray[np.uint64]


@dataclass(frozen=True)
class Side:
    """Hold the distinct training parts of one input: fingerprints, keys, and the user's names where there are any.

    `known` are the marks of what the parts are (see `marks`); a folder of an earlier version has none.

    `made_of` is what any of them is made of (`Likeness.made_of`), None where the room or the folder does not say.

    `threshold` is the similarity from which a query counts as inside: the 5 % quantile of the parts' similarity to
    their nearest other; of a single part, 1. It is above 0 and at least `Likeness.related`: what has nothing to do with
    any part is outside, even where parts have nothing to do with each other, as proteins of different families.
    """

    room: Room
    prints: Packed
    keys: tuple[str, ...]
    names: tuple[str, ...]
    threshold: float
    known: Marks | None = None
    made_of: frozenset[str] | None = None

    @classmethod
    def learn(cls, room: Room, used: Input) -> Side:
        """Learn from distinct parts, all in use."""
        prints = used.parts.only((*room.likeness.features, WHOSE))
        made_of = None if room.likeness.made_of is None else frozenset().union(*room.likeness.made_of(used.keys))
        known = marks(things_of(room, used))
        return cls(room, prints, used.keys, used.names, threshold(room, prints), known, made_of)

    def only(self, parts: Rows) -> Side:
        """Return some of the parts."""
        keys = tuple(self.keys[at] for at in parts)
        names = tuple(self.names[at] for at in parts) if self.names else ()
        return replace(
            self, prints=self.prints.gather(torch.from_numpy(parts)), keys=keys, names=names, known=self.marks[parts]
        )

    @cached_property
    def marks(self) -> Marks:
        return marks(self.room.likeness.identity(self.keys)) if self.known is None else self.known

    def name(self, at: int) -> str:
        """Return what a person calls a part: the user's name, else its key."""
        return (self.names[at] if self.names else "") or self.keys[at]

    def strange(self, keys: Sequence[str]) -> list[str]:
        """Return of each key what it is made of and no part is, in words, "" where there is nothing."""
        if self.made_of is None or self.room.likeness.made_of is None:
            return [""] * len(keys)
        return [", ".join(sorted(each - self.made_of)) for each in self.room.likeness.made_of(keys)]

    def beyond(self, parts: Packed) -> list[str]:
        """Say which numbers of each part lie outside of those of all these, in words, "" where none does."""
        return [""] * len(parts) if self.room.likeness.beyond is None else self.room.likeness.beyond(self.prints, parts)

    @cached_property
    def index(self) -> Index:
        return self.room.likeness.indexed(self.prints)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays."""
        prints: dict[str, NDArray[Any]] = {}
        for name in self.room.likeness.features:
            level = self.prints.level[name]
            prints["prints"] = self.prints.values[name].numpy()
            if level != PART:
                prints |= {"offsets": self.prints.offsets[level].numpy(), "level": np.array(level)}
        return {
            **prints,
            **written("keys", self.keys),
            **written("names", self.names),
            "threshold": np.array(self.threshold),
            "known": self.marks,
            **({} if self.made_of is None else {"made_of": np.array(sorted(self.made_of), dtype=np.str_)}),
        }

    @classmethod
    def of(cls, room: Room, arrays: Mapping[str, NDArray[Any]]) -> Side:
        """Return what `arrays` gave."""
        level = str(arrays["level"]) if "level" in arrays else PART
        offsets = {level: torch.from_numpy(arrays["offsets"])} if "offsets" in arrays else {}
        check_parts(room, arrays, level)
        keys, features = read("keys", arrays), room.likeness.features
        values = {name: torch.from_numpy(arrays["prints"]) for name in features}
        prints = Packed(values, dict.fromkeys(features, level), offsets, {}, len(keys))
        names, known = read("names", arrays), arrays.get("known")
        made_of = frozenset(arrays["made_of"].tolist()) if "made_of" in arrays else None
        return cls(room, prints, keys, names, _at_least(room, float(arrays["threshold"])), known, made_of)


def threshold(room: Room, prints: Packed) -> float:
    """Return from which similarity to one of some parts on a query counts as inside (see `Side`); NaN where the room
    does not say what is alike."""
    if room.likeness.index is None:
        return float(np.nan)
    near = room.likeness.indexed(prints).leave_one_out() if len(prints) > 1 else np.ones(1)
    return _at_least(room, float(np.quantile(near, QUANTILE)))


def _at_least(room: Room, limit: float) -> float:
    return max(limit, room.likeness.related, LEAST)


def marks(things: Sequence[str]) -> Marks:
    """Return 64 bits of the BLAKE2 hash of each identity: enough to tell things apart, smaller than their names."""
    whole = b"".join(hashlib.blake2b(thing.encode(), digest_size=8).digest() for thing in things)
    return np.frombuffer(whole, dtype="<u8").astype(np.uint64)
