"""What stands on two sides of a split or gives the answer away: looked for before a training, said with its scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

from molgraph import split as splits
from molgraph.data.dataset import ABSENT, Dataset
from molgraph.data.packed import PART
from molgraph.data.targets import EXACT
from molgraph.errors import DataError
from molgraph.predictor.domain import in_use
from molgraph.predictor.inputs import Slot
from molgraph.predictor.known import Known
from molgraph.predictor.near import near_duplicates, near_known, near_limits
from molgraph.split import IDENTITY, Split

CHANCE = 1e-6  # a column that orders the rows as a target does, with less than this probability by chance, is a copy
ROWS, NUMBERS = 10_000, 5_000_000  # at most looked at, of a column and of all: a copy on so many is one
LEFT_IN = "were left in (--leaks report): the test score flatters"
REMEDY = {"drop": "were left out of the training", "report": LEFT_IN}

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """Say how many of the test rows have something in the training set that is like them."""

    rows: int
    of: int
    limit: float | None = None


@dataclass(frozen=True)
class Started:
    """Say what a model to start from was trained on: of `of` test rows `rows` (of all held-out rows `held`), and in
    words whose rows are not at hand."""

    rows: int
    of: int
    held: int
    gaps: tuple[str, ...] = ()

    @property
    def none_left(self) -> bool:
        """Tell whether every test row was trained on before."""
        return 0 < self.rows == self.of

    @property
    def gap(self) -> str:
        """Say what cannot be known, "" where all is."""
        return (
            f"whether test rows were trained on before cannot be known: {' and '.join(self.gaps)}" if self.gaps else ""
        )


@dataclass
class Leaks:
    """Hold what the guard found.

    `across` has, for what rows must not share over folds (IDENTITY, a group of the data), how many rows of an earlier
    fold share it with a later one, and the first of their records. `near` counts test rows with a near duplicate
    among the training rows (None: not looked for), `shared` those whose group has training rows, by grouping.
    `conflicts` counts by target the things whose rows disagree; `columns` names by target the inputs that give it away.
    `start` is what the weights that the training starts from have seen, None where they are drawn.
    """

    rule: str
    across: dict[str, tuple[int, int]] = field(default_factory=dict)
    near: Share | None = None
    shared: dict[str, Share] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    start: Started | None = None

    @property
    def notes(self) -> list[str]:
        """Say what changed the training, or flatters the score."""
        found = [f"{_across(name, *rows)}; they {REMEDY[self.rule]}." for name, rows in self.across.items()]
        if self.start and self.start.held:
            what = "were left out of validation, calibration and test" if self.rule == "drop" else LEFT_IN
            none = " No test row is left, so nothing is judged." if self.start.none_left and self.rule == "drop" else ""
            found.append(f"{self.start.held} held-out rows stood in the training of the start; they {what}.{none}")
        if self.start and self.start.gap:
            found.append(f"{self.start.gap[0].upper()}{self.start.gap[1:]}.")
        return found + [f"{_given_away(name, told)} (--leaks report)." for name, told in self.columns.items()]

    @property
    def sentence(self) -> str:
        """Say all of it in one line, to stand beside a score."""
        found = [f"{_across(name, *rows)} and {REMEDY[self.rule]}" for name, rows in self.across.items()]
        if self.start and self.start.rows:
            what = "were left out" if self.rule == "drop" else LEFT_IN
            found.append(
                f"{self.start.rows} of {self.start.of} test rows stood in the training of the start and {what}"
            )
        found += [_given_away(name, told) for name, told in self.columns.items()]
        if self.near and self.near.rows:
            found.append(
                f"{self.near.rows} of {self.near.of} test rows have a near duplicate in the training set "
                f"(similarity {self.near.limit:g} or more)"
            )
        for name, share in self.shared.items():
            if share.rows:
                found.append(f"{share.rows} of {share.of} test rows share a {name} with a training row")
        if self.start and self.start.gap:
            return "; ".join([*(found or ["none found among the rows at hand"]), self.start.gap])
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
            "start": None if self.start is None else {**vars(self.start), "gaps": list(self.start.gaps)},
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
    known: Known | None = None,
) -> tuple[Split, Leaks]:
    """Look for leaks between the folds; rows that share an identity or a group of the data with a later fold are
    dropped, reported or refused by `rule`, and an input that gives a target away is refused unless it is reported.

    `grouped` names the groupings that the split keeps apart, which need no look; `reads` the features of each input
    that any model to be trained reads, where they are more than the run's own.

    Raises: DataError where the score would mean nothing, or the rule is "refuse".
    """
    leaks = Leaks(rule, conflicts=conflicts(data))
    if known is not None:
        cut = _not_of_the_start(leaks, cut, data, known, origin)
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
        _likeness(leaks, train, test, found, grouped, known or Known())
    return cut, leaks


def _not_of_the_start(leaks: Leaks, cut: Split, data: Dataset, known: Known, origin: str) -> Split:
    """Return the split without the held-out rows that the weights to start from were trained on.

    Raises: DataError where the rule refuses.
    """
    held = np.concatenate([cut.valid, cut.calibration, cut.test])
    seen = held[known.seen(data.subset(held))]
    rows = int(np.isin(cut.test, seen).sum())
    leaks.start = Started(rows, len(cut.test), len(seen), known.gaps)
    if len(seen) and leaks.rule == "refuse":
        said = f"{len(seen)} held-out rows stood in the training of the start (first: row {data.rows[seen].min()})"
        raise DataError(f"{origin}: {said}; use --leaks drop to leave them out.")
    if leaks.rule != "drop":
        return cut
    kept = {name: np.setdiff1d(getattr(cut, name), seen) for name in ("valid", "calibration", "test")}
    return Split(cut.train, kept["valid"], kept["calibration"], kept["test"], cut.notes)


def _likeness(
    leaks: Leaks, train: Dataset, test: Dataset, found: Sequence[Slot], grouped: Sequence[str], known: Known
) -> None:
    """Count the test rows that are like training rows, or rows of the start, without being the same things."""
    limits = near_limits({slot.name: slot.room for slot in found})
    if limits:
        positions, indices = [], {}
        for slot in found:
            parts, at = in_use(train.inputs[slot.name])
            positions.append(at)
            indices[slot.name] = slot.room.likeness.indexed(parts.only(slot.room.likeness.features))
        near = near_duplicates(indices, np.stack(positions, axis=1), test, limits)
        earlier = near_known(known, test)
        near |= earlier[0] if earlier else False
        same = np.isin(test.groups[IDENTITY], train.groups[IDENTITY]) | known.seen(test)
        leaks.near = Share(int((near & ~same).sum()), len(test), min(limits.values()))
    for slot in found:
        beside = len(found) > 1 and not slot.room.likeness.repeats  # conditions that two things share
        name, given = slot.room.likeness.default_group, train.inputs[slot.name]
        if beside or name not in slot.room.likeness.groupers:
            continue
        before = [key for domain in known.domains for key in domain.sides[slot.name].keys]
        if name not in train.groups and (before or name not in grouped):  # a split does not part it from the start
            labels = np.asarray(slot.room.likeness.groupers[name]([*given.keys, *before]))
            of = np.append(labels[: len(given.keys)], ABSENT)
            mine, theirs = (of[data.inputs[slot.name].index.numpy()] for data in (test, train))
            theirs = np.append(labels[len(given.keys) :], theirs if name not in grouped else [])
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
    if near := near_known(known, data):
        share = Share(int((near[0] & ~seen).sum()), len(data), near[1])
        found["near"] = vars(share)
        others = ("others" if share.rows != 1 else "other") if seen.any() else ("rows" if share.rows != 1 else "row")
        have = "has" if share.rows == 1 else "have"
        said += (
            f"; {share.rows} {others} {have} a near duplicate in the training set (similarity {share.limit:g} or more)"
        )
    if known.gaps:
        said += f"; whether others were trained on cannot be known: {known.gap}"
    return seen, {**found, "sentence": said}


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
            words = slot.room.reading.called[feature][column] if feature in slot.room.reading.called else words
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
