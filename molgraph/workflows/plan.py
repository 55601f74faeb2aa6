"""What a training will do, before it does it: rows read, split made, leaks found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph import registry
from molgraph import split as splits
from molgraph.config import RunSettings
from molgraph.data.room import Room
from molgraph.errors import ConfigError, DataError, did_you_mean
from molgraph.predictor.member import needs
from molgraph.predictor.rows import Rows, read_rows
from molgraph.split import IDENTITY, Split
from molgraph.task import Task, make

DEEPCHEM = "deepchem:"
NONE = "none"


@dataclass(frozen=True)
class Plan:
    """Hold all that is decided before training. `comparator` is the settings of the method to beat, or None."""

    run: RunSettings
    room: Room
    rows: Rows
    task: Task
    split: Split
    comparator: RunSettings | None
    notes: list[str] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what a person wants to know of the data and the split."""
        cut, data = self.split, self.rows.data
        return {
            "data": self.rows.origin,
            "rows_read": self.rows.read,
            "rows_used": len(data),
            "rejected": dict(Counter(r.reason for r in data.rejects)),
            "split": self.run.split,
            "train": len(cut.train),
            "valid": len(cut.valid),
            "calibration": len(cut.calibration),
            "test": len(cut.test),
            "conflicts": self.rows.merged.conflicts,
            "replicates": self.rows.merged.spread,
            "notes": self.notes,
        }


def plan(run: RunSettings, source: Any = None, *, workers: int = 1) -> Plan:
    """Read the rows, split them and guard against leaks.

    Raises: ConfigError for unknown names and settings, before any data is read; DataError where the data is unusable.
    """
    room: Room = registry.room(run.model)
    comparator = _comparator(run, room)
    wanted = (*needs(run), *(needs(comparator) if comparator else ()), room.fingerprint)
    if not run.split.startswith(DEEPCHEM):
        splits.named(run.split)
    if source is None and not run.data:
        raise ConfigError('no data is named: write data = "FILE" in the run file, or name the file.')
    rows = read_rows(run.data if source is None else source, run, room, tuple(dict.fromkeys(wanted)), workers=workers)
    cut, notes = guard(_split(run, room, rows), rows, run.leaks)
    task = make(rows.kinds, rows.classes, balance=run.balance, focal=run.focal)
    task.adapt(rows.data.subset(cut.train).targets)  # says where there is nothing to learn, before anything is made
    return Plan(run, room, rows, task, cut, comparator, [*rows_notes(rows), *cut.notes, *notes])


def _comparator(run: RunSettings, room: Room) -> RunSettings | None:
    name = room.comparator if run.comparator == "auto" else run.comparator
    if name in (NONE, run.model):
        return None
    registry.model(name)
    return replace(run, model=name, encoder={}, ensemble=1, init="")


def _split(run: RunSettings, room: Room, rows: Rows) -> Split:
    """Cut the rows as the run says; grouping is the room's business, the method the split floor's."""
    data = rows.data
    (given,) = data.inputs.values()
    keys = [given.key_of(i) for i in range(len(data))]
    if run.split.startswith(DEEPCHEM):
        return _deepchem(run, keys, data.groups[IDENTITY])
    named, column = splits.named(run.split)
    labels: list[str] | None = None
    if column is not None:
        if column not in rows.frame:
            raise DataError(
                f"{rows.origin}: no column '{column}' to split by{did_you_mean(column, rows.frame.columns)}"
            )
        labels = [str(text) for text in rows.frame[column]]
    groups = data.groups[IDENTITY] if named.grouper == IDENTITY else room.groupers[named.grouper](keys)
    by_time = named.method == "time"
    return splits.split(
        len(data),
        method=named.method,
        groups=groups,
        column=None if by_time else labels,
        time=labels if by_time else None,
        fractions=(run.fractions[0], run.fractions[1], run.fractions[2]),
        seed=run.seed,
        rows=data.rows,
    )


def _deepchem(run: RunSettings, keys: list[str], identity: NDArray[np.int64]) -> Split:
    """Split as a DeepChem splitter does, then halve its validation fold as everywhere."""
    from molgraph.molecule.molnet import splitter

    folds = splitter(run.split.removeprefix(DEEPCHEM))(keys, tuple(run.fractions), run.seed)
    labels = np.empty(len(keys), dtype=object)
    for name, mine in zip(("train", "valid", "test"), folds, strict=True):
        labels[np.asarray(mine, dtype=np.int64)] = name
    return splits.split(len(keys), method="column", column=labels.tolist(), groups=identity, seed=run.seed)


def guard(cut: Split, rows: Rows, rule: str) -> tuple[Split, list[str]]:
    """Find rows that also stand in a later fold, and drop, report or refuse them.

    Raises: DataError where rows leak and the rule is "refuse".
    """
    leaks = splits.check(cut, rows.data.groups[IDENTITY])
    if not len(leaks):
        return cut, []
    records = rows.data.rows[np.concatenate([leaks.train, leaks.valid, leaks.calibration])]
    text = f"{len(leaks)} rows also stand in a later fold (first: row {records.min()})"
    if rule == "refuse":
        raise DataError(f"{rows.origin}: {text}; use --leaks drop to leave them out of the training.")
    if rule == "report":
        return cut, [f"{text}; they were left in (--leaks report): the test score flatters."]
    return splits.drop(cut, leaks), [f"{text}; they were left out of the training."]


def rows_notes(rows: Rows) -> list[str]:
    """Say what happened to rows on the way in."""
    found = []
    if rows.merged.into:
        found.append(f"{len(rows.merged.into)} rows repeat a molecule and were merged.")
    for cells in rows.unread.values():
        found.append(f"{len(cells)} cells count as not measured, first row {cells[0].row}: {cells[0].message}.")
    for name, count in rows.merged.conflicts.items():
        found.append(f"{name}: {count} molecules have rows that disagree.")
    for name, spread in rows.merged.spread.items():
        found.append(
            f"{name}: repeated measurements of {spread['things']} molecules agree within a standard deviation "
            f"of {spread['sd']:.3g}; no model can be expected to be nearer."
        )
    return found
