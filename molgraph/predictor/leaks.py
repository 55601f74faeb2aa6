"""What stands on two sides of a split or gives the answer away: looked for before a training, said with its scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import gammaln

from molgraph import split as splits
from molgraph.data.dataset import ABSENT, Dataset
from molgraph.data.packed import PART, Packed
from molgraph.data.room import Index, Room
from molgraph.data.targets import EXACT
from molgraph.errors import DataError
from molgraph.predictor.domain import CELLS, in_use
from molgraph.predictor.inputs import Slot
from molgraph.predictor.known import Known
from molgraph.split import IDENTITY, Split

CHANCE = 1e-6  # a column that orders the rows as a target does, with less than this probability by chance, is a copy
ROWS, NUMBERS = 10_000, 5_000_000  # at most looked at, of a column and of all: a copy on so many is one
REMEDY = {"drop": "were left out of the training", "report": "were left in (--leaks report): the test score flatters"}

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """Say how many of the test rows have something in the training set that is like them."""

    rows: int
    of: int
    limit: float | None = None


@dataclass
class Leaks:
    """Hold what the guard found.

    `across` has, for what rows must not share over folds (IDENTITY, a group of the data), how many rows of an earlier
    fold share it with a later one, and the first of their records. `near` counts test rows with a near duplicate
    among the training rows (None: not looked for), `shared` those whose group has training rows, by grouping.
    `conflicts` counts by target the things whose rows disagree; `columns` names by target the inputs that give it away.
    """

    rule: str
    across: dict[str, tuple[int, int]] = field(default_factory=dict)
    near: Share | None = None
    shared: dict[str, Share] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """Say what changed the training, or flatters the score."""
        found = [f"{_across(name, *rows)}; they {REMEDY[self.rule]}." for name, rows in self.across.items()]
        return found + [f"{_given_away(name, told)} (--leaks report)." for name, told in self.columns.items()]

    @property
    def sentence(self) -> str:
        """Say all of it in one line, to stand beside a score."""
        found = [f"{_across(name, *rows)} and {REMEDY[self.rule]}" for name, rows in self.across.items()]
        found += [_given_away(name, told) for name, told in self.columns.items()]
        if self.near and self.near.rows:
            found.append(
                f"{self.near.rows} of {self.near.of} test rows have a near duplicate in the training set "
                f"(similarity {self.near.limit:g} or more)"
            )
        for name, share in self.shared.items():
            if share.rows:
                found.append(f"{share.rows} of {share.of} test rows share a {name} with a training row")
        found += [f"{name}: {n} things have rows that disagree" for name, n in self.conflicts.items()]
        looked = f" nor near it (similarity {self.near.limit:g} or more)" if self.near else ""
        return "; ".join(found) or f"none found: no test row is in the training set{looked}"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "rule": self.rule,
            "across": {name: {"rows": rows, "first": first} for name, (rows, first) in self.across.items()},
            "near": None if self.near is None else vars(self.near),
            "shared": {name: {"rows": share.rows, "of": share.of} for name, share in self.shared.items()},
            "conflicts": self.conflicts,
            "columns": self.columns,
            "sentence": self.sentence,
        }


def guard(
    cut: Split,
    data: Dataset,
    found: Sequence[Slot],
    *,
    rule: str,
    origin: str,
    grouped: Sequence[str] = (),
    reads: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Split, Leaks]:
    """Look for leaks between the folds; rows that share an identity or a group of the data with a later fold are
    dropped, reported or refused by `rule`, and an input that gives a target away is refused unless it is reported.

    `grouped` names the groupings that the split keeps apart, which need no look; `reads` the features of each input
    that any model to be trained reads, where they are more than the run's own.

    Raises: DataError where the score would mean nothing, or the rule is "refuse".
    """
    leaks = Leaks(rule, conflicts=conflicts(data))
    for name, groups in data.groups.items():
        crossing = splits.check(cut, groups)
        if not len(crossing):
            continue
        records = data.rows[np.concatenate([crossing.train, crossing.valid, crossing.calibration])]
        leaks.across[name] = len(crossing), int(records.min())
        if rule == "refuse":
            said = _across(name, *leaks.across[name])
            raise DataError(f"{origin}: {said}; use --leaks drop to leave them out of the training.")
        if rule == "drop":
            cut = splits.drop(cut, crossing)
            if not len(cut.train):
                said = f"every training row shares a {name} with a later fold"
                raise DataError(f"{origin}: {said}, so none is left; take another split, or --leaks report.")
    train, test = data.subset(cut.train), data.subset(cut.test)
    leaks.columns = dict(_told(train, found, reads or {slot.name: slot.needs for slot in found}))
    for name, told in leaks.columns.items():
        if rule != "report":
            raise DataError(
                f"{origin}: {_given_away(name, told)}: the score would mean nothing. Leave that input (or the setting "
                "that adds it) out, or train all the same with --leaks report."
            )
    if len(test) and len(train):
        _likeness(leaks, train, test, found, grouped)
    return cut, leaks


def _likeness(leaks: Leaks, train: Dataset, test: Dataset, found: Sequence[Slot], grouped: Sequence[str]) -> None:
    """Count the test rows that are like training rows without being the same things."""
    limits = _limits({slot.name: slot.room for slot in found})
    if limits:
        known, indices = [], {}
        for slot in found:
            parts, at = in_use(train.inputs[slot.name])
            known.append(at)
            indices[slot.name] = slot.room.index(parts.only([slot.room.fingerprint]))
        near = near_duplicates(indices, np.stack(known, axis=1), test, limits)
        leaks.near = _share(near, np.isin(test.groups[IDENTITY], train.groups[IDENTITY]), limits)
    for slot in found:
        name = slot.room.default_group
        if name not in grouped and name not in train.groups:
            given = train.inputs[slot.name]
            labels = np.append(slot.room.groupers[name](given.keys), ABSENT)
            mine, theirs = (labels[data.inputs[slot.name].index.numpy()] for data in (test, train))
            here = np.isin(mine, theirs) & (mine != ABSENT)
            leaks.shared[name if len(found) == 1 else f"{name} of {slot.name}"] = Share(int(here.sum()), len(test))


def evaluated(known: Known, data: Dataset) -> tuple[Mask, dict[str, Any]]:
    """Tell which rows to evaluate are known to have trained, [n], and say so, and of the others which are near them.

    Where none of a model's rows are at hand, `seen` is None: that no row was trained on cannot be said.
    """
    seen = known.seen(data)
    if not known.domains:
        said = f"which of the rows were trained on cannot be known: {known.gap}"
        return seen, {"seen": None, "of": len(data), "near": None, "sentence": said}
    found: dict[str, Any] = {"seen": int(seen.sum()), "of": len(data), "near": None}
    said = f"{found['seen']} of {len(data)} rows stood in the training set" if seen.any() else "no row was trained on"
    if known.gaps and not seen.any():
        said = "no row is among those known to have been trained on"
    if near := _near_known(known, data):
        share = Share(int((near[0] & ~seen).sum()), len(data), near[1])
        found["near"] = vars(share)
        said += f"; {share.rows} others have a near duplicate in it (similarity {share.limit:g} or more)"
    if known.gaps:
        said += f"; whether others were trained on cannot be known: {known.gap}"
    return seen, {**found, "sentence": said}


def _near_known(known: Known, data: Dataset) -> tuple[Mask, float] | None:
    """Tell which rows are near one that is known to have trained, [n], and from which similarity on; None: no limit."""
    found, least = np.zeros(len(data), dtype=bool), math.inf
    for domain in known.domains:
        limits = _limits({name: side.room for name, side in domain.sides.items()})
        if not limits:
            return None
        indices = {name: side.index for name, side in domain.sides.items()}
        found |= near_duplicates(indices, domain.index, data, limits)
        least = min(least, *limits.values())
    return found, least


def _limits(rooms: Mapping[str, Room]) -> dict[str, float]:
    """Return from which similarity on parts of each input are near; nothing where a room does not say so."""
    found = {name: room.near for name, room in rooms.items() if room.near is not None}
    return found if len(found) == len(rooms) else {}


def _share(near: Mask, same: Mask, limits: Mapping[str, float]) -> Share:
    """Count the rows that are near and not the same."""
    return Share(int((near & ~same).sum()), len(near), min(limits.values()))


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


def conflicts(data: Dataset) -> dict[str, int]:
    """Count by target the things whose rows disagree."""
    found = ((name, data.groups[IDENTITY][_disagree(data, name)]) for name in data.targets.names)
    return {name: len(np.unique(things)) for name, things in found if len(things)}


def _disagree(data: Dataset, name: str) -> Mask:
    """Tell which rows have an exact value of a target, and are the same thing as one that has another, [n]."""
    same = pd.Series(data.groups[IDENTITY])
    values, observed, bound = data.targets.arrays(name)
    sure: Mask = same.duplicated(keep=False).to_numpy() & observed & (bound == EXACT)
    sure[sure] = pd.Series(values[sure]).groupby(same[sure].to_numpy()).transform("nunique").to_numpy() > 1
    return sure


def _told(train: Dataset, found: Sequence[Slot], reads: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield each target with the inputs, numbers of a part as a whole, that order the training rows as it does.

    Things whose rows disagree say nothing: two values of one thing order differently than any copy.
    """
    for name in train.targets.names:
        values, observed, bound = train.targets.arrays(name)
        rows = np.flatnonzero(~_disagree(train, name) & observed & (bound == EXACT))
        told = [text for slot in found for text in _columns(train, slot, reads[slot.name], values, rows)]
        if told:
            yield name, told


def _columns(
    train: Dataset, slot: Slot, needs: Sequence[str], values: NDArray[np.float64], rows: Rows
) -> Iterator[str]:
    given = train.inputs[slot.name]
    rows = rows[given.index.numpy()[rows] != ABSENT]
    for feature in dict.fromkeys(need.partition(":")[0] for need in needs):
        numbers = given.parts.values.get(feature)
        if numbers is None or given.parts.level[feature] != PART or not numbers.is_floating_point() or numbers.ndim > 2:
            continue
        numbers = numbers.reshape(len(numbers), -1)
        most = min(ROWS, max(NUMBERS // max(numbers.shape[1], 1), 1))
        some = rows[:: -(-len(rows) // most) or 1]
        table = numbers[given.index[some]].numpy()
        for column in same_order(table, values[some]):
            words = f"'{feature}'" if table.shape[1] == 1 else f"number {column + 1} of '{feature}'"
            yield words if slot.column == "" else f"{words} of column '{slot.column}'"


def same_order(table: NDArray[Any], values: NDArray[Any]) -> list[int]:
    """Return the columns of a table that order the rows as `values` do, or in reverse: no pair disagrees.

    A copy does so, and any monotone transform: another unit, a rounding, a class made by a threshold; so one of the two
    tells the other, row by row. A number that is there in some rows of one class and in none of the other does not.
    It counts where the ties leave a chance below CHANCE, over all columns, that a random order would do the same.

    Shapes: `table` [n, D], `values` [n].
    See: the chance of a table of counts with given margins, Freeman & Halton 1951, doi 10.1093/biomet/38.1-2.141

    >>> same_order(np.array([[i, -i, i % 7] for i in range(30)]), np.arange(30) ** 3)
    [0, 1]
    """
    if len(values) < 2 or not table.shape[1]:
        return []
    first = np.argsort(values, kind="stable")
    table, values = table[first], values[first]
    found = set()
    for sign in (1, -1):
        order = np.argsort(sign * table, axis=0, kind="stable")  # of equal numbers, the lower value comes first
        found |= set(np.flatnonzero((np.diff(values[order], axis=0) >= 0).all(axis=0)).tolist())
    limit = math.log(CHANCE / (2 * table.shape[1]))
    return [c for c in sorted(found) if _tells(table[:, c], values) and _log_chance(table[:, c], values) < limit]


def _tells(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Tell whether one of two columns is a function of the other."""
    pairs = len(np.unique(np.stack([a.astype(np.float64), b.astype(np.float64)]), axis=1).T)
    return pairs in (len(np.unique(a)), len(np.unique(b)))


def _log_chance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the log of the probability that a random pairing of two columns has this table of counts."""
    pairs = np.unique(np.stack([a.astype(np.float64), b.astype(np.float64)]), axis=1, return_counts=True)[1]
    ties = [np.unique(column, return_counts=True)[1] for column in (a, b)]
    margins = sum(float(gammaln(count + 1).sum()) for count in ties)
    return margins - float(gammaln(pairs + 1).sum()) - float(gammaln(len(a) + 1))


def _across(name: str, rows: int, first: int) -> str:
    what = "also stand in" if name == IDENTITY else f"share a {name} with"
    return f"{rows} rows {what} a later fold (first: row {first})"


def _given_away(name: str, told: Sequence[str]) -> str:
    return f"target '{name}' is given away by {', '.join(told)}, a copy of it or computed from the same numbers"
