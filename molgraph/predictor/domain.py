"""What the model knows: its training rows, the nearest one to a query, and whether that is near enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.files import atomic
from molgraph.data.packed import Packed
from molgraph.data.room import Room
from molgraph.data.untrusted import damaged, read_arrays
from molgraph.predictor.arrays import read, written
from molgraph.predictor.side import Rows, Side, marks, threshold
from molgraph.predictor.things import things_of

ALMOST = np.nextafter(np.float32(1), np.float32(0))  # as near as can be, and not the same
CELLS = 50_000_000  # similarities held at once: 200 MB

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Near:
    """Say of n rows which training row is nearest, how similar it is, and whether that is inside the domain.

    With several inputs the similarity of a row is the product over its inputs; `sides` has for each input the
    similarity of its nearest training part, whatever row that stands in. A row that lacks an input is judged by the
    others, and has NaN there.

    `measured` [n, T] is the nearest training row in which each target was measured (-1: none), `alike` how similar that
    is (NaN: none), `within` whether a row is inside the domain of the rows in which that target was measured. `inside`
    is a row that is so for every target. `strange` says what a row is made of and no training row is, `beyond` which
    numbers of records beside another input lie outside of those of all training rows.
    """

    rows: Rows
    similarity: Floats
    inside: Mask
    sides: dict[str, Floats]
    measured: Rows
    alike: Floats
    within: Mask
    strange: tuple[str, ...]
    beyond: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """Hold the training rows: which parts, the user's ids and the measured values.

    Shapes: `index` int64 [N, inputs] into the parts of each side, ABSENT where a row lacks that input; `values`
    float64 [N, T], NaN where not measured; `bound` int8 [N, T], whether a value is exact or only a bound.

    `thresholds` [T] is, where targets of one input were measured on different rows, that of the parts in which each was
    measured (NaN: nowhere). Else it is None: the side's own is that of all targets.
    """

    sides: dict[str, Side]
    index: Rows
    ids: tuple[str, ...]
    values: NDArray[np.float64]
    bound: NDArray[np.int8]
    thresholds: NDArray[np.float64] | None = None

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
        values = torch.where(train.targets.observed, train.targets.values, torch.nan).contiguous().numpy()
        made = cls(sides, np.stack(index, axis=1), train.ids, values, train.targets.bound.contiguous().numpy())
        apart = made.compares and len(sides) == 1 and len(made._groups[0]) > 1
        return replace(made, thresholds=made._thresholds()) if apart else made

    def _thresholds(self) -> NDArray[np.float64]:
        """Return from which similarity on a query is near enough to the parts that have each target, [T]."""
        (side,), (groups, of) = self.sides.values(), self._groups
        each = [threshold(side.room, side.prints.gather(torch.from_numpy(np.flatnonzero(group)))) for group in groups]
        return np.array([each[at] if at >= 0 else np.nan for at in of])

    @cached_property
    def _groups(self) -> tuple[Mask, list[int]]:
        """Return groups of parts of the first input, bool [G, M], the first of them all, and of each target the group
        in which it was measured, -1: none."""
        (side, *_), known = self.sides.values(), ~np.isnan(self.values)
        groups, of, found = [np.ones(len(side.keys), dtype=bool)], [], {}
        found[groups[0].tobytes()] = 0
        for column in known.T:
            group = np.zeros(len(side.keys), dtype=bool)
            group[self.index[column, 0]] = True
            if group.any() and found.setdefault(group.tobytes(), len(groups)) == len(groups):
                groups.append(group)
            of.append(found[group.tobytes()] if group.any() else -1)
        return np.stack(groups), of

    @property
    def compares(self) -> bool:
        """Tell whether it can say how near a query is: every room says which of its parts are alike."""
        return all(side.room.likeness.index is not None for side in self.sides.values())

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
        return Domain(sides, np.stack(index, axis=1), ids, self.values[rows], self.bound[rows], self.thresholds)

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

    def _first_rows(self, which: Mask) -> Rows:
        """Return of each part of the first input the first of these training rows that has it, -1: none, [M]."""
        side, rows = next(iter(self.sides.values())), np.flatnonzero(which)[::-1]
        first = np.full(len(side.keys), -1, dtype=np.int64)
        first[self.index[rows, 0]] = rows
        return first

    def nearest(self, data: Dataset) -> Near:
        """Return the nearest training row of each row of `data`, of all and of those that have each target."""
        return self._of_parts(data) if len(self.sides) == 1 else self._of_rows(data)

    def _of_parts(self, data: Dataset) -> Near:
        """Look among the parts of the one input: every similarity is computed once for all targets."""
        ((name, side),), (groups, of), known = self.sides.items(), self._groups, ~np.isnan(self.values)
        parts, at = in_use(data.inputs[name])
        if len(groups) == 1:
            position, similarity = (found[None, at] for found in side.index.nearest(parts))
        else:
            position, similarity = (found[:, at] for found in side.index.nearest_among(parts, groups))
        own = self.itself(data)
        same = (own >= 0) & (similarity[0] >= 1)  # then it is so in every group that has it
        rows = np.where(same, own, self._first_rows(np.ones(len(known), dtype=bool))[position[0]])
        measured = np.full((len(data), len(of)), -1, dtype=np.int64)
        alike, within = np.full(measured.shape, np.nan, dtype=np.float32), np.zeros(measured.shape, dtype=bool)
        for target, group in enumerate(of):
            if group >= 0:
                first = self._first_rows(known[:, target])[position[group]]
                measured[:, target] = np.where(same & known[own, target], own, first)
                alike[:, target] = similarity[group]
                limit = side.threshold if self.thresholds is None else self.thresholds[target]
                within[:, target] = similarity[group] >= limit
        there = [target for target, group in enumerate(of) if group >= 0]
        every = similarity[0] >= side.threshold if self.thresholds is None else within[:, there].all(axis=1)
        strange = self._strange(data)
        plain = np.array([not each for each in strange], dtype=bool)
        sides = {name: similarity[0]}
        within &= plain[:, None]
        return Near(rows, similarity[0], every & plain, sides, measured, alike, within, strange, ("",) * len(data))

    def _of_rows(self, data: Dataset) -> Near:
        """Look among the rows of several inputs; where the nearest lacks a target, again among those that have it."""
        inside, sides = np.ones(len(data), dtype=bool), {}
        for name, side in self.sides.items():
            parts, at = in_use(data.inputs[name])
            similarity = np.append(side.index.nearest(parts)[1], np.float32(np.nan))
            sides[name] = similarity[np.where(at == ABSENT, len(parts), at)]
            inside &= (sides[name] >= side.threshold) | (at == ABSENT)
        strange, beyond = self._strange(data), self._beyond(data)
        inside &= np.array([not any(each) for each in zip(strange, beyond, strict=True)], dtype=bool)
        rows, similarity = self._nearest_or_itself(data)
        known = ~np.isnan(self.values)
        measured = np.where(known[rows], rows[:, None], -1)
        alike = np.where(known[rows], similarity[:, None], np.float32(np.nan))
        for target in np.flatnonzero(known.any(axis=0)):
            lacking = np.flatnonzero(measured[:, target] < 0)
            if len(lacking):
                of, there = self.those(known[:, target])
                found, near = there._nearest_or_itself(data.subset(lacking))
                measured[lacking, target], alike[lacking, target] = of[found], near
        within = inside[:, None] & (measured >= 0)
        return Near(rows, similarity, inside, sides, measured, alike, within, strange, beyond)

    def _nearest_or_itself(self, data: Dataset) -> tuple[Rows, Floats]:
        rows, similarity = self._nearest_row(data)
        own = self.itself(data)
        return np.where((own >= 0) & (similarity >= 1), own, rows), similarity

    def _strange(self, data: Dataset) -> tuple[str, ...]:
        """Say what each row is made of and no training row is, "" where there is nothing."""
        return self._said(data, lambda side, given: side.strange(given.keys) if given.keys else [""] * len(given.parts))

    def _beyond(self, data: Dataset) -> tuple[str, ...]:
        """Say which numbers of each row lie outside of those of the training rows, "" where none does."""
        return self._said(data, lambda side, given: side.beyond(given.parts))

    def _said(self, data: Dataset, say: Callable[[Side, Input], list[str]]) -> tuple[str, ...]:
        """Join what is said of the parts of each row."""
        words = []
        for name, side in self.sides.items():
            each = [*say(side, data.inputs[name]), ""]  # the last is of an absent part
            words.append([each[at] for at in data.inputs[name].index.tolist()])
        return tuple(", ".join(filter(None, row)) for row in zip(*words, strict=True))

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
            own |= {} if self.thresholds is None else {"thresholds": self.thresholds}
            np.savez_compressed(file, allow_pickle=False, **own, **sides)

    @classmethod
    def load(cls, rooms: Mapping[str, Room], path: Path) -> Domain:
        """Read what `save` wrote.

        Raises: CheckpointError where the file is damaged.
        """
        with damaged(path, "the domain file is damaged"):
            found = read_arrays(path)
            sides = {name: Side.of(room, _numbered(found, at)) for at, (name, room) in enumerate(rooms.items())}
            rows = found["index"], read("ids", found), found["values"], found["bound"], found.get("thresholds")
            made = cls(sides, *rows)
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
        limits = self.thresholds
        if limits is not None and (limits.dtype != np.float64 or limits.shape != self.values.shape[1:]):
            raise ValueError(f"the thresholds are of kind {limits.dtype} and shape {limits.shape}")


def _numbered(found: Mapping[str, NDArray[Any]], at: int) -> dict[str, NDArray[Any]]:
    end = f"_{at}"
    return {name.removesuffix(end): array for name, array in found.items() if name.endswith(end)}


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
