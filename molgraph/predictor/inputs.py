"""The inputs of a run: which column holds each, which room reads it, and a table's rows as distinct things."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from molgraph import registry
from molgraph.config import RunSettings, check_values
from molgraph.data.cells import Cells
from molgraph.data.dataset import ABSENT, Input
from molgraph.data.fields import Fields
from molgraph.data.labels import MISSING
from molgraph.data.records import Timeline
from molgraph.data.room import NO_COLUMN, ROW, Noun, Prepared, Room
from molgraph.data.stream import Unread
from molgraph.data.table import BLOCK, Table, find_column
from molgraph.errors import ConfigError, DataError, Reject, did_you_mean
from molgraph.predictor.join import joined
from molgraph.predictor.ready import Ready
from molgraph.predictor.records import RECORDS, seen, source_of, whole

INPUT = "input"  # the name of the only input of a run that names none


@dataclass(frozen=True)
class Slot:
    """Hold one input: its column and the column that names its parts ("": found by their usual names), the model that
    reads it and that model's settings."""

    name: str
    column: str
    model: str
    settings: Mapping[str, Any]
    optional: bool = False
    id: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[str, Any] = field(default_factory=dict)

    @property
    def room(self) -> Room:
        """Return the room that reads it; where that reads several columns, with these once they are settled."""
        room: Room = registry.room(self.model)
        settled = self.fields and all(isinstance(said, Mapping) for said in self.fields.values())
        known = room.reading.with_fields
        return known(Fields.of(self.fields, self.line)) if settled and known is not None else room

    @property
    def line(self) -> Timeline | None:
        """Return how its records over time are told, None where all of it stands in the row."""
        return Timeline.of(self.records) if self.records else None

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the features that the model reads, with its settings checked.

        Raises: ConfigError for an unknown model or setting.
        """
        made = registry.model(self.model)
        known = registry.settings(made)
        check_values(self.section, self.settings, known, f"model '{self.model}'")
        chosen = {name: p.default for name, p in known.items()} | dict(self.settings)
        asked: tuple[str, ...] = made.asks(chosen)
        return asked

    @property
    def section(self) -> str:
        """Return where its settings stand in a run file."""
        return "encoder" if self.name == INPUT else f"inputs.{self.name}"

    @property
    def prints(self) -> tuple[str, ...]:
        """Return what makes fingerprints of texts again, read as the model reads them."""
        told = (name for name in self.needs if name.partition(":")[0] in self.room.reading.tells)
        return (*told, *self.room.likeness.features)


def of_pairs(found: Sequence[Slot]) -> tuple[str, ...]:
    """Return the metrics that a room of several inputs wants shown, none where none says so."""
    return next((slot.room.rivals.metrics for slot in found if slot.room.rivals.metrics), ()) if len(found) > 1 else ()


def slots(run: RunSettings) -> tuple[Slot, ...]:
    """Return the inputs of a run; the room of the first reads the files.

    Raises: ConfigError for an `optional` that is not true or false.
    """
    if not run.inputs:
        return (Slot(INPUT, run.column, run.model, run.encoder, fields=run.fields, records=run.records),)
    found = []
    for name, section in run.inputs.items():
        given = dict(section)
        words = {key: str(given.pop(key, "")) for key in ("column", "encoder", "id")}
        optional = given.pop("optional", False)
        if not isinstance(optional, bool):
            raise ConfigError(f"inputs.{name}.optional = {optional!r} has the wrong type: write true or false.")
        several = {key: given.pop(key, getattr(run, key)) for key in ("fields", "records")}
        for key, section in several.items():
            if not isinstance(section, dict):
                raise ConfigError(f"inputs.{name}.{key} is a section: write [inputs.{name}.{key}].")
        found.append(Slot(name, words["column"], words["encoder"], given, optional, words["id"], **several))
    if run.column:  # what a person names on the command line is the column of the first
        found[0] = dataclasses.replace(found[0], column=run.column)
    return tuple(found)


def _in_their_words(table: Table, reject: Reject) -> Reject:
    if not table.folder:
        return reject
    text, message = table.in_their_words(reject.text), table.in_their_words(reject.message)
    return dataclasses.replace(reject, text=text, message=message)


@dataclass(frozen=True)
class Inputs:
    """Read and prepare all inputs of a model.

    `needs` names the features of each input; `given` holds inputs that are the same for every row and stand in no
    column (one protein for a whole library), by the name of the input, of a field of records, or of what the reader of
    the first room wants beside the file (`Reading.beside`), and under RECORDS the records over time of all rows. `join`
    names other files whose columns are added to every table. `lacked` are the optional inputs that a trained model has
    learnt to do without: their columns need not be there. None: it is not trained yet, and any optional cell may be
    blank.
    """

    slots: tuple[Slot, ...]
    needs: Mapping[str, tuple[str, ...]]
    standardize: bool | int
    given: Mapping[str, str] = field(default_factory=dict)
    join: tuple[str, ...] = ()
    lacked: Collection[str] | None = None
    made: dict[str, Any] = field(default_factory=dict, compare=False)  # what was given, prepared once

    @property
    def lead(self) -> Slot:
        """Return the input that a row is of, the first: its room reads the file, draws, and says how rows are split."""
        return self.slots[0]

    @property
    def noun(self) -> Noun:
        """Say what a row holds: what the room of the only input calls it, of several inputs a row."""
        return self.lead.room.noun if len(self.slots) == 1 else ROW

    def only_first(self) -> Inputs:
        """Return the first input alone."""
        return dataclasses.replace(self, slots=self.slots[:1])

    def read(self, source: Any, column: str | None = None, *, block: int = BLOCK) -> Iterator[Table]:
        """Stream a user's file or table as the room of the first input reads it; `column` is that input's."""
        beside = {name: value for name, value in self.given.items() if name in self.lead.room.reading.beside}
        tables = self.lead.room.reading.read(source, column or self.lead.column or None, block=block, **beside)
        tables = joined(tables, self.join, [slot.room for slot in self.slots[::-1]])
        if any(slot.line is not None and not slot.line.file for slot in self.slots) and RECORDS not in self.given:
            tables = iter([whole(found)] if (found := list(tables)) else [])  # a row may see any other
        yield from tables

    def prepare(self, table: Table, workers: int = 1) -> Ready:
        """Turn the rows of a table into parts, or into reasons why not.

        Raises: DataError where a column is missing.
        """
        inputs: dict[str, Input] = {}
        rejects: dict[int, Reject] = {}
        columns: dict[str, str] = {}
        misread: list[str] = []
        said: dict[int, str] = {}
        for slot in self.slots:
            names: tuple[str, ...] = ()
            if slot.name in self.given:
                ready, columns[slot.name] = self._same(slot, len(table)), ""
            else:
                cells, column = self._cells(slot, table)
                columns[slot.name] = column
                ready = self._prepare(slot, cells, workers)
                misread += _misread(slot, column, ready)
                for at, words in ready.said.items():
                    named = f"{slot.name}: {words}" if len(self.slots) > 1 else words
                    said[at] = f"{said[at]}; {named}" if at in said else named
                for at, found in ready.rejects.items():
                    reject = _unread(found, table.frame[column].iloc[at]) if column else found
                    blank = all(_blank(each[at]) for each in cells.columns.values())
                    why = self._lacking(slot, reject) if slot.optional and blank else reject
                    if why is not None:
                        rejects.setdefault(at, self._told(slot, column, why, int(table.rows[at])))
                if len(self.slots) > 1:
                    names = _names(slot, table, ready)
            inputs[slot.name] = Input(ready.parts, torch.from_numpy(ready.index), ready.keys, names)
        nothing = np.all([given.index.numpy() == ABSENT for given in inputs.values()], axis=0)
        for at in np.flatnonzero(nothing).tolist():
            rejects.setdefault(at, Reject(int(table.rows[at]), "", "empty", "all inputs are blank"))
        rejects = {at: _in_their_words(table, found) for at, found in {**rejects, **table.broken}.items()}
        said = {at: table.in_their_words(words) for at, words in said.items()}
        return Ready(inputs, rejects, columns, tuple(misread), said)

    def _lacking(self, slot: Slot, reject: Reject) -> Reject | None:
        """Return why a row cannot do without an optional input: a trained model has not learnt what stands for it."""
        if self.lacked is None or slot.name in self.lacked:
            return None
        message = "is blank, and no training row lacked it, so the model has not learnt to do without"
        return dataclasses.replace(reject, reason="absent_untrained", message=message)

    def _told(self, slot: Slot, column: str, reject: Reject, row: int) -> Reject:
        """Say of which row a reason is, where there are several inputs of which one, and what helps."""
        message = f"{slot.name}: {reject.message}" if len(self.slots) > 1 else reject.message
        if reject.reason in slot.room.reading.remedies:
            message += f"; {_remedy(slot, column, reject.reason)}"
        if self.join and reject.reason == "empty" and slot is not self.lead:
            message += f"; is its id in {' or '.join(word.rpartition(':')[0] for word in self.join)}?"
        return dataclasses.replace(reject, row=row, message=message)

    def _cells(self, slot: Slot, table: Table) -> tuple[Cells, str]:
        """Return the cells of an input that stands in the table, and the column where it stands in one."""
        fields = slot.room.reading.fields
        if fields is None:
            column = self._column(slot, table)
            texts = [str(text) for text in table.frame[column]] if column else [""] * len(table)
            return Cells({column: texts}), column
        same = {f.name: [self.given[f.name]] * len(table) for f in fields.of_rows if f.name in self.given}
        rest = dataclasses.replace(fields, each=tuple(f for f in fields.each if f.name not in same))
        try:
            held = rest.transfer(list(table.frame.columns), table.origin)
        except DataError:
            if slot.name not in (self.lacked or ()) or slot.line is not None:
                raise
            return Cells({field.name: [""] * len(table) for field in fields.each}), ""
        texts_of = same | {name: [str(text) for text in table.frame[column]] for name, column in held.items()}
        cells = Cells({field.name: texts_of[field.name] for field in fields.of_rows})
        if slot.line is None:
            return cells, ""
        source = source_of(slot.line, self.given, self.lacked is not None)
        return dataclasses.replace(cells, seen=seen(slot.line, table, source, self.made)), ""

    def _prepare(self, slot: Slot, cells: Cells, workers: int) -> Prepared:
        return slot.room.reading.prepare(cells, self.needs[slot.name], standardise=self.standardize, workers=workers)

    def _same(self, slot: Slot, count: int) -> Prepared:
        """Return the input that is the same for every row, prepared once; its parts are the same object each time."""
        if slot.name not in self.made:
            made = self._prepare(slot, Cells.of([self.given[slot.name]]), 1)
            for reject in made.rejects.values():
                named = "no file of that name, and " if reject.reason in slot.room.reading.remedies else ""
                raise DataError(f"the {slot.name} given: {named}{reject.message}.")
            self.made[slot.name] = made
        same: Prepared = self.made[slot.name]
        return dataclasses.replace(same, index=np.zeros(count, dtype=np.int64))

    def _column(self, slot: Slot, table: Table) -> str:
        if slot is self.lead:
            return table.column
        columns = list(table.frame.columns)
        if not slot.column and slot.name in columns:
            return slot.name
        try:
            return find_column(columns, slot.column or None, slot.room.reading.columns, table.origin)
        except DataError as error:
            if slot.name in (self.lacked or ()):
                return ""
            wanted, own = slot.column or slot.room.reading.columns[0], slot.room.reading.remedies.get(NO_COLUMN, "")
            raise DataError(
                f"{table.origin}: no column '{wanted}' for the input '{slot.name}'{did_you_mean(wanted, columns)} "
                f"One for all rows of a prediction or a screen: {own}--given {slot.name}=X."
            ) from error


def _unread(reject: Reject, cell: str) -> Reject:
    """Say of an empty cell why it is."""
    return dataclasses.replace(reject, message=cell.why) if isinstance(cell, Unread) else reject


def _blank(text: str) -> bool:
    return text.strip().lower() in MISSING


def _remedy(slot: Slot, column: str, reason: str) -> str:
    return slot.room.reading.remedies[reason].format(column=column, section=slot.section)


def _misread(slot: Slot, column: str, ready: Prepared) -> Iterator[str]:
    """Say where most cells of a column are refused as something else than the input."""
    for reason, count in Counter(reject.reason for reject in ready.rejects.values()).items():
        if reason in slot.room.reading.remedies and 2 * count > len(ready.index):
            first = next(reject for reject in ready.rejects.values() if reject.reason == reason)
            yield (
                f"column '{column}' holds no {slot.room.noun.many}: {count} of {len(ready.index)} cells are none, as "
                f"that of row {first.row}: {first.message}; {_remedy(slot, column, reason)}"
            )


def named_by(slot: Slot, columns: Sequence[str], *, alone: bool = False) -> str:
    """Return the column that names the parts of an input, "" where there is none; "id" does so only in a file of that
    input `alone`: beside other inputs it names the row."""
    plain = {name.lower(): name for name in columns if alone or name.lower() != "id"}
    usual = next((plain[name] for name in slot.room.reading.ids if name in plain), "")
    return slot.id if slot.id in columns else usual


def _names(slot: Slot, table: Table, ready: Prepared) -> tuple[str, ...]:
    """Return the user's name of each part: what the column that names it says in the first row that has the part."""
    column = named_by(slot, list(table.frame.columns))
    if not column:
        return ()
    names = [""] * len(ready.keys)
    for at, text in zip(ready.index.tolist(), table.frame[column], strict=True):
        if at != ABSENT and not names[at]:
            names[at] = str(text)
    return tuple(names)
