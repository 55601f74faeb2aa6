"""What the model knows: its training rows, the nearest one to a query, and whether that is near enough."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.files import atomic
from molgraph.data.packed import PART, Packed
from molgraph.data.room import Index, Room
from molgraph.data.untrusted import damaged, read_arrays
from molgraph.predictor.arrays import check_parts, read, written
from molgraph.predictor.inputs import things_of

QUANTILE = 0.05  # a query is in the domain when it is as near as 95 % of the training parts are to each other
LEAST = float(np.finfo(np.float32).eps)
ALMOST = np.nextafter(np.float32(1), np.float32(0))  # as near as can be, and not the same
CELLS = 50_000_000  # similarities held at once: 200 MB

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Marks = NDArray[np.uint64]


@dataclass(frozen=True)
class Side:
    """Hold the distinct training parts of one input: fingerprints, keys, and the user's names where there are any.

    `known` are the marks of what the parts are (see `marks`); a folder of an earlier version has none.

    `threshold` is the similarity from which a query counts as inside: the 5 % quantile of the parts' similarity to
    their nearest other; of a single part, 1. It is above 0 and at least `Room.related`: what has nothing to do with any
    part is outside, even where parts have nothing to do with each other, as proteins of different families.
    """

    room: Room
    prints: Packed
    keys: tuple[str, ...]
    names: tuple[str, ...]
    threshold: float
    known: Marks | None = None

    @classmethod
    def learn(cls, room: Room, used: Input) -> Side:
        """Learn from distinct parts, all in use."""
        prints = used.parts.only([room.fingerprint])
        near = room.index(prints).leave_one_out() if len(prints) > 1 else np.ones(1)
        threshold = _at_least(room, float(np.quantile(near, QUANTILE)))
        return cls(room, prints, used.keys, used.names, threshold, marks(things_of(room, used)))

    def only(self, parts: Rows) -> Side:
        """Return some of the parts."""
        keys = tuple(self.keys[at] for at in parts)
        names = tuple(self.names[at] for at in parts) if self.names else ()
        return replace(
            self, prints=self.prints.gather(torch.from_numpy(parts)), keys=keys, names=names, known=self.marks[parts]
        )

    @cached_property
    def marks(self) -> Marks:
        return marks(self.room.identity(self.keys)) if self.known is None else self.known

    def name(self, at: int) -> str:
        """Return what a person calls a part: the user's name, else its key."""
        return (self.names[at] if self.names else "") or self.keys[at]

    @cached_property
    def index(self) -> Index:
        return self.room.index(self.prints)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays."""
        name = self.room.fingerprint
        level = self.prints.level[name]
        ragged = {} if level == PART else {"offsets": self.prints.offsets[level].numpy(), "level": np.array(level)}
        return {
            "prints": self.prints.values[name].numpy(),
            **written("keys", self.keys),
            **written("names", self.names),
            "threshold": np.array(self.threshold),
            "known": self.marks,
            **ragged,
        }

    @classmethod
    def of(cls, room: Room, arrays: Mapping[str, NDArray[Any]]) -> Side:
        """Return what `arrays` gave."""
        level = str(arrays["level"]) if "level" in arrays else PART
        offsets = {level: torch.from_numpy(arrays["offsets"])} if "offsets" in arrays else {}
        check_parts(room, arrays, level)
        keys, name = read("keys", arrays), room.fingerprint
        prints = Packed({name: torch.from_numpy(arrays["prints"])}, {name: level}, offsets, {}, len(keys))
        names, known = read("names", arrays), arrays.get("known")
        return cls(room, prints, keys, names, _at_least(room, float(arrays["threshold"])), known)


def _at_least(room: Room, threshold: float) -> float:
    return max(threshold, room.related, LEAST)


@dataclass(frozen=True)
class Near:
    """Say of n rows which training row is nearest, how similar it is, and whether that is inside the domain.

    With several inputs the similarity of a row is the product over its inputs; `sides` has for each input the
    similarity of its nearest training part, whatever row that stands in. A row that lacks an input is judged by the
    others, and has NaN there.
    """

    rows: Rows
    similarity: Floats
    inside: NDArray[np.bool_]
    sides: dict[str, Floats]


@dataclass(frozen=True)
class Domain:
    """Hold the training rows: which parts, the user's ids and the measured values.

    Shapes: `index` int64 [N, inputs] into the parts of each side, ABSENT where a row lacks that input; `values`
    float64 [N, T], NaN where not measured; `bound` int8 [N, T], whether a value is exact or only a bound.
    """

    sides: dict[str, Side]
    index: Rows
    ids: tuple[str, ...]
    values: NDArray[np.float64]
    bound: NDArray[np.int8]

    @classmethod
    def learn(cls, rooms: Mapping[str, Room], train: Dataset) -> Domain:
        """Learn the domain from the training rows."""
        sides, index = {}, []
        for name, room in rooms.items():
            given = train.inputs[name]
            used, inverse = np.unique(given.index.numpy(), return_inverse=True)
            lacking = int(len(used) > 0 and used[0] == ABSENT)
            used = used[lacking:]
            at = torch.from_numpy(used)
            texts = (tuple(t[i] for i in used) if t else () for t in (given.keys, given.names, given.things))
            sides[name] = Side.learn(room, Input(given.parts.gather(at), at, *texts))
            index.append(inverse.reshape(-1) - lacking)
        values = torch.where(train.targets.observed, train.targets.values, torch.nan).numpy()
        return cls(sides, np.stack(index, axis=1), train.ids, values, train.targets.bound.numpy())

    def key(self, row: int) -> str:
        """Return the key of a training row's first input."""
        (side, *_), at = self.sides.values(), self.index[row, 0]
        return side.keys[at] if at != ABSENT else ""

    def only(self, rows: Rows) -> Domain:
        """Return the domain of some of the training rows; the thresholds stay those of all."""
        if len(rows) == len(self.index):
            return self
        sides, index = {}, []
        for at, (name, side) in enumerate(self.sides.items()):
            used, inverse = np.unique(self.index[rows, at], return_inverse=True)
            lacking = int(used[0] == ABSENT)
            sides[name] = side.only(used[lacking:]) if len(used) > lacking else side  # nobody has this input
            index.append(inverse.reshape(-1) - lacking)
        ids = tuple(self.ids[row] for row in rows)
        return Domain(sides, np.stack(index, axis=1), ids, self.values[rows], self.bound[rows])

    def bare(self) -> Domain:
        """Return the same things without ids and values: what is needed to know them again."""
        none = np.zeros((len(self.index), 0), dtype=np.int8)
        return Domain(self.sides, self.index, ("",) * len(self.index), none.astype(self.values.dtype), none)

    def seen(self, data: Dataset) -> NDArray[np.bool_]:
        """Tell which rows of `data` are, in all inputs together, the same things as a training row, [n]."""
        return np.array([bool(rows) for rows in self.same(data)], dtype=bool)

    def same(self, data: Dataset) -> list[list[int]]:
        """Return for each row of `data` the training rows that are, in all inputs together, the same thing."""
        asked = []
        for name, side in self.sides.items():
            given = data.inputs[name]
            asked.append(np.append(marks(things_of(side.room, given)), np.uint64(0))[given.index.numpy()].tolist())
        return [self._by_marks.get(row, []) for row in zip(*asked, strict=True)]

    @cached_property
    def _by_marks(self) -> dict[tuple[int, ...], list[int]]:
        found: dict[tuple[int, ...], list[int]] = {}
        sides = enumerate(self.sides.values())
        mine = [np.append(side.marks, np.uint64(0))[self.index[:, at]].tolist() for at, side in sides]
        for row, known in enumerate(zip(*mine, strict=True)):
            found.setdefault(known, []).append(row)
        return found

    @cached_property
    def _first(self) -> Rows:
        """Return the first training row of each part of the first input."""
        side = next(iter(self.sides.values()))
        first = np.zeros(len(side.keys), dtype=np.int64)
        first[self.index[::-1, 0]] = np.arange(len(self.index))[::-1]
        return first

    def nearest(self, data: Dataset) -> Near:
        """Return the nearest training row of each row of `data`."""
        found: dict[str, tuple[Rows, Floats]] = {}
        inside = np.ones(len(data), dtype=bool)
        for name, side in self.sides.items():
            parts, at = in_use(data.inputs[name])
            position, similarity = side.index.nearest(parts)
            at_or_last = np.where(at == ABSENT, len(parts), at)
            found[name] = np.append(position, ABSENT)[at_or_last], np.append(similarity, np.float32(np.nan))[at_or_last]
            inside &= (found[name][1] >= side.threshold) | (at == ABSENT)
        sides = {name: similarity for name, (_, similarity) in found.items()}
        if len(self.sides) == 1:
            ((position, similarity),) = found.values()
            rows = self._first[position]
        else:
            rows, similarity = self._nearest_row(data)
        own = self.itself(data)
        return Near(np.where((own >= 0) & (similarity >= 1), own, rows), similarity, inside, sides)

    def those(self, which: NDArray[np.bool_]) -> tuple[Rows, Domain]:
        """Return some rows, and the domain of those alone, made once."""
        key = which.tobytes()
        if key not in self._those:
            known = np.flatnonzero(which)
            self._those[key] = known, self.only(known)
        return self._those[key]

    @cached_property
    def _those(self) -> dict[bytes, tuple[Rows, Domain]]:
        return {}

    def itself(self, data: Dataset) -> Rows:
        """Return the first training row whose parts have the same keys as those of each row of `data`, -1: none.

        Of rows that are equally near, as stereoisomers are, the thing itself is the neighbour.
        """
        asked = [_keys(data.inputs[name].keys, data.inputs[name].index.numpy()) for name in self.sides]
        return np.array([self._by_keys.get(keys, -1) for keys in zip(*asked, strict=True)], dtype=np.int64)

    @cached_property
    def _by_keys(self) -> dict[tuple[str, ...], int]:
        mine = [_keys(side.keys, self.index[:, at]) for at, side in enumerate(self.sides.values())]
        rows = list(zip(*mine, strict=True))
        return dict(zip(rows[::-1], range(len(rows) - 1, -1, -1), strict=True))

    def _nearest_row(self, data: Dataset) -> tuple[Rows, Floats]:
        """Return the training row of greatest product of similarities, and that product.

        For each combination of the other inputs, every part of the first keeps its best training row, so a library
        screened against one protein costs no more than its molecules.
        """
        lead, *others = self.sides
        lead_parts, lead_at = in_use(data.inputs[lead])
        first = _similarity(self.sides[lead], lead_parts)  # [P + 1, M + 1]
        combined = np.stack([data.inputs[name].index.numpy() for name in others], axis=1)
        combinations, which = np.unique(combined, axis=0, return_inverse=True)
        which = which.reshape(-1)
        rows, similarity = np.zeros(len(data), dtype=np.int64), np.zeros(len(data), dtype=np.float32)
        tables = {name: _similarity(self.sides[name], data.inputs[name].parts) for name in others}
        order = np.argsort(self.index[:, 0], kind="stable")
        known, starts = np.unique(self.index[order, 0], return_index=True)
        for number, combination in enumerate(combinations):
            rest = np.ones(len(self.index), dtype=np.float32)
            for at, name in enumerate(others, start=1):
                rest *= tables[name][combination[at - 1], self.index[:, at]]
            best = np.maximum.reduceat(rest[order], starts)
            holder = _first_best(rest[order], starts, best)
            mine = np.flatnonzero(which == number)
            for block in np.array_split(mine, -(-len(mine) * len(known) // CELLS)):
                product = first[lead_at[block]][:, known] * best
                chosen = product.argmax(axis=1)
                rows[block] = order[holder[chosen]]
                similarity[block] = product[np.arange(len(block)), chosen]
        return rows, similarity

    def save(self, path: Path) -> None:
        """Write the domain to one `.npz` without pickled objects."""
        sides = {f"{name}_{i}": array for i, s in enumerate(self.sides.values()) for name, array in s.arrays().items()}
        with atomic(path) as file:
            own = {"index": self.index, **written("ids", self.ids), "values": self.values, "bound": self.bound}
            np.savez_compressed(file, allow_pickle=False, **own, **sides)

    @classmethod
    def load(cls, rooms: Mapping[str, Room], path: Path) -> Domain:
        """Read what `save` wrote.

        Raises: CheckpointError where the file is damaged.
        """
        with damaged(path, "the domain file is damaged"):
            found = read_arrays(path)
            sides = {name: Side.of(room, _numbered(found, at)) for at, (name, room) in enumerate(rooms.items())}
            made = cls(sides, found["index"], read("ids", found), found["values"], found["bound"])
            made._check()
            return made

    def _check(self) -> None:
        """Raise ValueError where rows, parts and values do not fit together."""
        rows, counts = len(self.ids), [len(side.keys) for side in self.sides.values()]
        fits: dict[str, tuple[NDArray[Any], Any, tuple[int, ...]]] = {
            "index": (self.index, np.int64, (rows, len(counts))),
            "values": (self.values, self.values.dtype, (rows, *self.values.shape[1:])),
            "bound": (self.bound, np.int8, self.values.shape),
        }
        for name, (array, kind, shape) in fits.items():
            if array.dtype != kind or array.shape != shape or array.ndim != 2:
                raise ValueError(f"'{name}' is of kind {array.dtype} and shape {array.shape}")
        if not rows or not all(counts):
            raise ValueError("no row is in it")
        if (self.index < ABSENT).any() or (self.index >= counts).any():
            raise ValueError("a row has parts that are not there")
        if np.isinf(self.values).any() or (np.abs(self.bound) > 1).any():
            raise ValueError("a measured value is no number")


def _numbered(found: Mapping[str, NDArray[Any]], at: int) -> dict[str, NDArray[Any]]:
    end = f"_{at}"
    return {name.removesuffix(end): array for name, array in found.items() if name.endswith(end)}


def marks(things: Sequence[str]) -> Marks:
    """Return 64 bits of the BLAKE2 hash of each identity: enough to tell things apart, smaller than their names."""
    whole = b"".join(hashlib.blake2b(thing.encode(), digest_size=8).digest() for thing in things)
    return np.frombuffer(whole, dtype="<u8").astype(np.uint64)


def _keys(keys: Sequence[str], index: Rows) -> list[str]:
    """Return the key of each row, "" where the part is absent; of parts without keys, nothing that is a key."""
    if not keys:
        return ["\0"] * len(index)
    return [keys[at] if at != ABSENT else "" for at in index.tolist()]


def in_use(given: Input) -> tuple[Packed, Rows]:
    """Return the parts in use, and int64 [n] from row to them (ABSENT where a row has none)."""
    used, inverse = np.unique(given.index.numpy(), return_inverse=True)
    lacking = int(len(used) > 0 and used[0] == ABSENT)
    return given.parts.gather(torch.from_numpy(used[lacking:])), inverse.reshape(-1) - lacking


def _similarity(side: Side, parts: Packed) -> Floats:
    """Return similarities [P + 1, M + 1]; the last row and column stand for an absent input.

    Where the query lacks it, any part will do, though none at all is nearer; where the training row does, it is far.
    """
    out = np.zeros((len(parts) + 1, len(side.keys) + 1), dtype=np.float32)
    out[:-1, :-1] = side.index.similarity(parts)
    out[-1, :-1], out[-1, -1] = ALMOST, 1
    return out


def _first_best(values: Floats, starts: Sequence[int] | Rows, best: Floats) -> Rows:
    """Return the first position in each segment that holds the segment's greatest value."""
    lengths = np.diff(np.append(starts, len(values)))
    hit = np.flatnonzero(values == np.repeat(best, lengths))
    segment = np.searchsorted(starts, hit, side="right") - 1
    _, first = np.unique(segment, return_index=True)
    return hit[first]
