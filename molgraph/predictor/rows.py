"""A user's measured rows, ready to be split and to train or judge on: targets read, rejects kept."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.labels import labels_of
from molgraph.data.room import Room
from molgraph.data.stream import name_of
from molgraph.data.table import MEMORY, Table, is_usual, nonempty
from molgraph.data.targets import Targets
from molgraph.data.units import target_name
from molgraph.errors import ConfigError, DataError, Reject, did_you_mean, many
from molgraph.kinds import NAMED, Kind, Number, words
from molgraph.kinds.read import ParsedTargets, parse_targets
from molgraph.predictor.auto import groups_of, settled, with_fields
from molgraph.predictor.curves import with_curves
from molgraph.predictor.inputs import Inputs, slots
from molgraph.predictor.ready import Ready
from molgraph.predictor.records import whole
from molgraph.predictor.things import identity, in_common, with_things
from molgraph.split import IDENTITY

LOG_MOLAR = "-log10(M)"
OURS = ("status", "message", "in_domain", "nn_id", "nn_similarity")  # what predictions say beside the targets
WORKERS_FROM = 2000  # rows from which a pool of processes pays for its start
# Usual names of a column that names the rows, as chemists, registration systems and ChEMBL call it.
IDS = (
    *("id", "name", "_name", "compound id", "drug_id", "cid", "compound no", "compound number", "compound name"),
    *("cpd id", "cpd no", "cpd number", "cpd name", "cpd", "compound", "molecule id", "molecule name", "mol id"),
    *("molecule chembl id", "chembl id", "corporate id", "catalog id", "catalog number", "substance id"),
)
MANY = 20  # labels from which on words are hardly classes


@dataclass(frozen=True)
class Rows:
    """Hold measured rows.

    `data` has every row with at least one value, also those that repeat another (what trains is merged when a fold is
    taken to train, see `duplicates.merged`); `data.rejects` says why each other row was left out. `frame` has the
    user's own cells of the kept rows. `kinds` maps each target (named as it is trained, after
    unit conversion) to its kind; `classes` has the vocabulary of multiclass targets; `units` the unit of each.
    `columns` names the column of each input.
    `unread` are cells of kept rows that could not be read and count as not measured, by target. `run` has the
    settings with what was left to the data settled; `added` are columns of `frame` that the room added. `notes` say how
    it is known which rows belong together, and which words of a target were taken for what.
    """

    data: Dataset
    frame: pd.DataFrame
    kinds: dict[str, str]
    classes: dict[str, tuple[str, ...]]
    units: dict[str, str]
    columns: dict[str, str]
    origin: str
    read: int
    unread: dict[str, list[Reject]] = field(default_factory=dict)
    run: RunSettings = field(default_factory=RunSettings)
    notes: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def kind(self, column: str) -> type[Kind]:
        """Return of which kind the target is that a column is read for."""
        owner = (word for name, word in self.kinds.items() if column in NAMED[word]((name,)).reading)
        return NAMED[next(owner)]


def read_rows(
    source: Any,
    run: RunSettings,
    inputs: Inputs,
    *,
    workers: int = 1,
    classes: Mapping[str, Sequence[str]] | None = None,
    some: bool = False,
) -> Rows:
    """Read measured rows from a user's file or table; `classes` are the labels that a trained model knows. With `some`,
    targets without a column are left out, if there is one with a column.

    Raises: DataError where the file, a column or every row is unusable; ConfigError where no target is named.
    """
    table = whole(list(nonempty(inputs.read(source, run.column or None), _called(source))))
    run, table, told = with_curves(run, table, inputs)
    run = settled(run, table, inputs.lead.room)
    run, said = with_fields(run, table, inputs)
    inputs = dataclasses.replace(inputs, slots=slots(run))
    prepared = inputs.prepare(table, workers if len(table) >= WORKERS_FROM else 1)
    for why in prepared.misread:
        raise DataError(f"{table.origin}: {why}.")
    run = _with_columns(run, table) if some else run
    targets = _targets(table, run, set(prepared.columns.values()))
    kind_of = words(run.task, targets)
    texts = [[str(text) for text in table.frame[c]] if c else [] for c in prepared.columns.values()]
    groups, notes = groups_of(table, run, list(zip([slot.room for slot in inputs.slots], texts, strict=True)))
    parsed = parse_targets(
        table.frame,
        targets,
        units=run.units,
        kinds=kind_of,
        classes=classes,
        positive=run.positive,
        delimiter=table.delimiter,
        events=run.events,
    )
    kind_by_name = dict(zip(parsed.names, kind_of.values(), strict=True))
    kept, rejects = _usable(table, prepared, parsed)
    if not len(kept):
        hint = _as_classes(table, parsed, targets, kind_of)
        raise DataError(
            f"{table.origin}: none of {many(len(table), 'row')} can be used; the first: {_first(rejects)}{hint}"
        )
    known = with_things(inputs.slots, prepared.inputs)
    ids, same = _ids(table, run, inputs.lead.room, prepared), _numbered(_things(inputs, known), kept)
    shared = {n: labels for n, labels in in_common(inputs.slots, known, kept).items() if (labels != same).any()}
    data = Dataset(
        {n: dataclasses.replace(g, index=g.index[torch.from_numpy(kept)]) for n, g in known.items()},
        Targets.of(parsed.columns, torch.from_numpy(parsed.values[kept]), torch.from_numpy(parsed.bound[kept])),
        table.rows[kept],
        tuple(ids[i] for i in kept),
        groups={IDENTITY: same, **shared, **{name: labels[kept] for name, labels in groups.items()}},
        rejects=tuple(rejects[at] for at in sorted(rejects)),
    )
    units = {target_name(name, unit): LOG_MOLAR for name, unit in run.units.items()}
    frame = table.frame.iloc[kept].reset_index(drop=True)
    unread = _unread(table, parsed, set(range(len(table))) - set(rejects))
    return Rows(
        data,
        frame,
        kind_by_name,
        parsed.classes,
        units,
        prepared.columns,
        table.origin,
        len(table),
        unread,
        run,
        (*table.notes, *told, *said, *notes, *_read_as(prepared, table), *parsed.notes),
        table.added,
    )


def _usable(table: Table, prepared: Ready, parsed: ParsedTargets) -> tuple[NDArray[np.int64], dict[int, Reject]]:
    """Return which rows can be used, and by position why the others cannot: unreadable, or nothing was measured."""
    rejects = dict(prepared.rejects)
    for at in np.flatnonzero(np.isnan(parsed.values).all(axis=1)):
        rejects.setdefault(int(at), _unmeasured(table, parsed, int(at)))
    return np.array([at for at in range(len(table)) if at not in rejects], dtype=np.int64), rejects


def _things(inputs: Inputs, known: Mapping[str, Input]) -> list[tuple[str, ...]]:
    """Return what each row is; where no room says that equal parts are one thing, each row is one of its own."""
    things = identity(known)
    if any(slot.room.likeness.repeats for slot in inputs.slots):
        return things
    return [(*thing, str(at)) for at, thing in enumerate(things)]


def _as_classes(table: Table, parsed: ParsedTargets, targets: Sequence[str], kind_of: Mapping[str, str]) -> str:
    """Say how to read the words of the first target that was read as numbers as classes, "" where they are none."""
    for name, trained in zip(targets, parsed.names, strict=True):
        labels = labels_of([str(cell).strip() for cell in table.frame[name]])
        unread = any(parsed.columns[column] == trained for _, column in parsed.rejects)
        if NAMED[kind_of[name]] is not Number or not unread or not 1 < len(labels) <= MANY:
            continue
        one = "" if len(targets) == 1 else f'; of several targets a run file says it: [task] {name} = "..."'
        if len(labels) > 2:
            return f". Are these classes? Add --task multiclass{one}"
        first, second = (f"--positive {quote(label)}" for label in labels)
        return f". Are these two classes? Add --task binary {first}, or {second}: whichever is the positive one{one}"
    return ""


def _read_as(prepared: Ready, table: Table) -> list[str]:
    """Say how many rows were not read as they stand (a part alone, or sampled anew) and how many with a remark (a lone
    solvent), and of the first how."""
    told = {at: words for at, words in sorted(prepared.said.items()) if at not in prepared.rejects}
    kept = {at: words for at, words in told.items() if words.startswith("scored as itself")}
    changed = {at: words for at, words in told.items() if at not in kept}
    return [
        f"{many(len(said), 'row')} {'was' if len(said) == 1 else 'were'} {how}; the first, row {table.rows[first]}: "
        f"{said[first]}."
        for said, how in ((changed, "not read as written"), (kept, "read with a remark"))
        if (first := next(iter(said), None)) is not None
    ]


def _called(source: Any) -> str:
    return name_of(source) if isinstance(source, str | os.PathLike) else MEMORY


def _with_columns(run: RunSettings, table: Table) -> RunSettings:
    """Return the run with those targets that the table has a column for, or as it is where it has none."""
    there = [name for name in run.targets if name in table.frame]
    task = run.task if isinstance(run.task, str) else {name: kind for name, kind in run.task.items() if name in there}
    units = {name: unit for name, unit in run.units.items() if name in there}
    return dataclasses.replace(run, targets=there, task=task, units=units) if there else run


def _targets(table: Table, run: RunSettings, inputs: set[str]) -> list[str]:
    columns = [c for c in table.frame.columns if c not in inputs]
    if not run.targets:
        raise ConfigError(f"{table.origin}: no target is named. Use --target COLUMN; columns: {', '.join(columns)}.")
    for name in run.targets:
        if name in OURS:
            raise ConfigError(f"{table.origin}: predictions have a column '{name}' of their own; rename the target's.")
        if name in inputs:
            raise ConfigError(f"{table.origin}: '{name}' is an input of the model and no target.")
        if name not in columns:
            several = all(part.strip() in columns for part in name.split(","))
            hint = "; give each target a --target of its own." if several else did_you_mean(name, columns)
            raise DataError(f"{table.origin}: no column '{name}'{hint}")
    return run.targets


def _unmeasured(table: Table, parsed: ParsedTargets, at: int) -> Reject:
    """Say why a row has no target value: a cell that could not be read, or nothing but blanks."""
    unread = next((r for (row, _), r in parsed.rejects.items() if row == at), None)
    reason, message = (unread.reason, unread.message) if unread else ("not_measured", "no target has a value")
    return Reject(int(table.rows[at]), table.in_their_words(table.texts[at]), reason, message)


def _unread(table: Table, parsed: ParsedTargets, kept: set[int]) -> dict[str, list[Reject]]:
    found: dict[str, list[Reject]] = {}
    for (row, target), reject in parsed.rejects.items():
        if row in kept:
            numbered = dataclasses.replace(reject, row=int(table.rows[row]))
            found.setdefault(parsed.columns[target], []).append(numbered)
    return found


def _ids(table: Table, run: RunSettings, room: Room, prepared: Ready) -> list[str]:
    """Return the user's name of each row: the id column, else what its parts are called, else a column that is called
    so (of records also as their room says; of those over time whose they are, and when), else the row's number."""
    taken = {*prepared.columns.values(), *run.targets, *table.targets}
    columns = [str(c) for c in table.frame.columns if str(c) not in taken]
    also = room.reading.ids if room.reading.fields is not None else ()
    usual = next((c for name in (*IDS, *also) for c in columns if is_usual(c, [name])), "")
    if run.id and run.id not in table.frame:
        raise DataError(f"{table.origin}: no column '{run.id}'{did_you_mean(run.id, table.frame.columns)}")
    line = None if room.reading.fields is None else room.reading.fields.line
    column = run.id or (usual if line is None else line.by)
    texts = [str(t) for t in table.frame[column]] if column else [""] * len(table)
    if line is not None and line.at and not run.id:
        texts = [f"{text} at {when}" if text else "" for text, when in zip(texts, table.frame[line.at], strict=True)]
    ids = [text or f"row {row}" for text, row in zip(texts, table.rows, strict=True)]
    return ids if run.id else _pair_ids(prepared, ids)


def _numbered(things: Sequence[tuple[str, ...]], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for rows that are the same thing, as they come, int64 [n] of `rows`."""
    number: dict[tuple[str, ...], int] = {}
    return np.array([number.setdefault(things[row], len(number)) for row in rows], dtype=np.int64)


def _pair_ids(prepared: Ready, ids: list[str]) -> list[str]:
    """Return "drug on target" for each row where the user names the parts of every input, else its own of `ids`."""
    given = list(prepared.inputs.values())
    if len(given) < 2 or not all(each.names for each in given):
        return ids
    columns = [[each.names[at] if at != ABSENT else "" for at in each.index.tolist()] for each in given]
    called = (" on ".join(filter(None, names)) for names in zip(*columns, strict=True))
    return [name or own for name, own in zip(called, ids, strict=True)]


def _first(rejects: dict[int, Reject]) -> str:
    reject = rejects[min(rejects)]
    return f"row {reject.row} '{reject.text[:60]}': {reject.message}"


def not_measured(cells: Sequence[Reject]) -> str:
    """Say how many cells of a target could not be read, and of the first why."""
    count = "counts" if len(cells) == 1 else "count"
    return f"{many(len(cells), 'cell')} {count} as not measured, first row {cells[0].row}: {cells[0].message}"
