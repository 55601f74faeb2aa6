"""What a run leaves to the data: the targets, what they are, the split; and which rows belong together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph import split as splits
from molgraph.config import AUTO, RunSettings
from molgraph.data.fields import Fields
from molgraph.data.labels import MISSING
from molgraph.data.records import Timeline
from molgraph.data.room import Room
from molgraph.data.table import Table, is_usual
from molgraph.data.together import together
from molgraph.data.units import told_unit
from molgraph.errors import ConfigError, DataError, did_you_mean
from molgraph.kinds import Curve, Event, Number
from molgraph.kinds.told import measured_in_units, told
from molgraph.predictor.curves import latest
from molgraph.predictor.inputs import Inputs, Slot, slots
from molgraph.predictor.records import long_table, met, seen, source_of


def settled(run: RunSettings, table: Table, room: Room) -> RunSettings:
    """Return the settings of a run with what it leaves open taken from the data, else from the room.

    A source that names its own labels has them as targets, one that names its own folds has them as split. A target
    without a unit whose cells are yes or no (1, 0), or two labels of which one is the positive, is binary; where the
    room leaves the task to the data, labels of a source and words are classes; all else is regression. One cell in
    ten may be neither yes nor no. A concentration whose name says its unit ("IC50 (nM)") is read in it.
    """
    targets = run.targets or list(table.targets)
    split, task = run.split, run.task
    if split == AUTO:
        split = f"column:{table.split}" if table.split else room.likeness.default_group
    if task == AUTO:
        known = [name for name in targets if name in table.frame]
        usual = "" if room.reading.task == AUTO else room.reading.task
        said = dict.fromkeys(run.events, Event.word) | dict.fromkeys(latest(run), Curve.word)
        kinds = {
            name: said.get(name)
            or told(table.frame[name], labels=name in table.targets, usual=usual, unit=name in run.units)
            for name in known
        }
        several = len(set(kinds.values())) > 1
        task = kinds if several else next(iter(kinds.values()), Number.word)
    kind_of = task if isinstance(task, dict) else dict.fromkeys(targets, task)
    plain = [name for name in targets if name in kind_of and name not in run.units]
    said = {name: told_unit(name) for name in plain if measured_in_units(kind_of[name])}
    units = {**run.units, **{name: unit for name, unit in said.items() if unit}}
    return replace(run, targets=targets, split=split, task=task, units=units)


def with_fields(run: RunSettings, table: Table, inputs: Inputs) -> tuple[RunSettings, tuple[str, ...]]:
    """Return the settings of a run with the fields of its records settled, and what is said of columns that are none.

    Taken by something else, and no field, are targets, the names of rows, a column that the rows are split by, columns
    of other inputs, those that say which rows belong together, and when records over time were true and known. Of a
    column that stands in the rows and in their records, that of the rows is the field.

    Raises: ConfigError where records are given and no input reads any; DataError as `Fields.settle`.
    """
    notes: list[str] = []
    found = inputs.slots
    if run.records and not any(slot.room.reading.with_fields for slot in found):
        raise ConfigError(f"'{run.model}' reads no records over time; models of patients do, as disease/feedforward.")
    for slot in found:
        if slot.room.reading.with_fields is None:
            continue
        taken = _taken(run, table, found)
        if slot.line is None:
            settled, line = Fields.settle(slot.fields, table.frame, taken, table.origin), None
        else:
            settled, line, said = _over_time(slot, slot.line, table, taken, inputs)
            notes += said
        if not settled.each:
            columns = ", ".join(map(str, table.frame.columns))
            raise DataError(
                f"{table.origin}: no column is left as a field; name them: --fields A,B. Columns: {columns}."
            )
        lost = "; ".join(f"{name} ({why})" for name, why in settled.left_out.items())
        notes += [f"columns that are no fields: {lost}."] if lost else []
        told: dict[str, Any] = {"fields": settled.to_toml()} | ({} if line is None else {"records": line.to_toml()})
        if run.inputs:
            run = replace(run, inputs={**run.inputs, slot.name: {**run.inputs[slot.name], **told}})
        else:
            run = replace(run, **told)
    return run, tuple(notes)


def _over_time(
    slot: Slot, line: Timeline, table: Table, taken: set[str], inputs: Inputs
) -> tuple[Fields, Timeline, list[str]]:
    """Return the fields of an input whose records come over time, how they are told, and what there is to say."""
    given = source_of(line, inputs.given, inputs.lacked is not None)
    long = long_table(line, table, given, inputs.made)
    line = line.settled(long, table) if inputs.lacked is None else line
    here = {str(name) for name in table.frame.columns} if long is not table else set()
    there = {str(name) for name in long.frame.columns}
    lacking = [name for name in slot.fields if name not in here | there]
    if lacking:
        raise DataError(
            f"{table.origin}: no column '{lacking[0]}' for a field{did_you_mean(lacking[0], [*here, *there])}"
        )
    taken = taken | line.columns
    theirs = {name: said for name, said in slot.fields.items() if name not in here or "over_time" in said}
    own = {name: said for name, said in slot.fields.items() if name not in theirs}
    none = Fields((), {})
    of_rows = (
        none if long is table or (slot.fields and not own) else Fields.settle(own, table.frame, taken, table.origin)
    )
    over = none
    if theirs or not slot.fields:
        over = Fields.settle(theirs, long.frame, taken | here, long.origin)
    each = (*of_rows.each, *(replace(field, over_time=True) for field in over.each))
    notes = met(seen(line, table, given, inputs.made), table)
    return Fields(each, {**of_rows.left_out, **over.left_out}, line), line, list(notes)


def _taken(run: RunSettings, table: Table, found: Sequence[Slot]) -> set[str]:
    """Return the columns that are no fields as they are something else."""
    usual = {name for slot in found for name in (*slot.room.reading.ids, *chain(*slot.room.reading.belongs.values()))}
    names = {str(c) for c in table.frame.columns if is_usual(str(c), usual)}
    own = run.split.partition(":")[2]
    inputs = {name for slot in found for name in (slot.column, slot.name, slot.id)}
    beside = {column for each in run.events.values() for column in each.values()}
    beside |= {run.weight} if isinstance(run.weight, str) else set(run.weight.values())
    return {*names, *inputs, *beside, *run.targets, *table.targets, table.split, table.column, run.id, own}


def groups_of(
    table: Table, run: RunSettings, inputs: Sequence[tuple[Room, Sequence[str]]]
) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...]]:
    """Return the groups of rows that must not stand on two sides, and what there is to say of them.

    They are told by the columns that the rooms know (patient), where there is none by the files of the inputs (each a
    room and its texts), and by the column of a split `group:COLUMN`. A row whose cell is blank, or whose file says
    nothing, is a group of its own.

    Shapes: int64 [N] each.

    Raises: DataError where that column is missing.
    """
    columns = list(map(str, table.frame.columns))
    usual = {name: names for room, _ in inputs for name, names in room.reading.belongs.items()}
    found = {name: next((c for n in names for c in columns if is_usual(c, [n])), "") for name, names in usual.items()}
    for slot in slots(run):  # whose records a row sees is known
        found |= dict.fromkeys(slot.room.reading.belongs, slot.line.by) if slot.line is not None else {}
    told, notes = _told_by_files(inputs, [name for name, column in found.items() if not column])
    head, _, own = run.split.partition(":")
    if head == splits.GROUP:
        if own not in columns:
            raise DataError(f"{table.origin}: no column '{own}' to group by{did_you_mean(own, columns)}")
        found[own] = own
    return {**told, **{n: _labels(table.frame[c]) for n, c in found.items() if c and c not in run.targets}}, notes


def _told_by_files(
    inputs: Sequence[tuple[Room, Sequence[str]]], wanted: Sequence[str]
) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...]]:
    """Return the groups by these names that the files of the inputs tell, but no grouping twice."""
    asked = [(room.reading.owners, texts) for room, texts in inputs if wanted and len(texts)]
    said = [owners(texts) for owners, texts in asked if owners is not None]
    found: dict[str, NDArray[np.int64]] = {}
    for name in wanted:
        rows = zip(*(each.words[name] for each in said if name in each.words), strict=True)
        words = [frozenset[Hashable]().union(*row) for row in rows]
        labels = together(words) if any(words) else None
        if labels is not None and not any(np.array_equal(labels, other) for other in found.values()):
            found[name] = labels
    told = ", ".join(f"{len(np.unique(labels)):,} groups by {name}" for name, labels in found.items())
    used = (f"The headers of the files say which rows belong together: {told}.",) if told else ()
    return found, (*used, *(note for each in said for note in each.notes))


def _labels(cells: Iterable[str]) -> NDArray[np.int64]:
    number: dict[str | int, int] = {}
    texts = [str(cell).strip() for cell in cells]
    names = [at if text.lower() in MISSING else text for at, text in enumerate(texts)]
    return np.array([number.setdefault(name, len(number)) for name in names], dtype=np.int64)
