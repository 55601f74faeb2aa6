"""Cells to parts: what the room makes of the fields of patients."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.cells import Cells
from molgraph.data.fields import GRADE, NUMBER, YES_NO, Field, Fields, Misread, transferred
from molgraph.data.packed import PART, UNTIL, WHOSE, Packed, pack
from molgraph.data.records import Seen
from molgraph.data.room import Prepared
from molgraph.data.times import moment_text
from molgraph.errors import ConfigError, Reject, did_you_mean, many
from molgraph.rooms.disease.history import names, summarised, width

RECORD, VISITS, TIME, KNOWN_AT = "record", "visits", "time", "known_at"
FEATURES = (RECORD, VISITS)
NONE = -1

Floats = NDArray[np.float64]


def prepare(
    fields: Fields,
    cells: Cells,
    needs: Collection[str] = (RECORD,),
    *,
    standardise: bool | int = True,
    workers: int = 1,
) -> Prepared:
    """Turn records into distinct parts, or into a reason why not; a blank cell stays unknown.

    "record" holds the numbers of all fields side by side (of a category one for each, 1 or 0), NaN where they are
    unknown; of fields over time what `summarised` makes of them, behind the moment itself where it is a number.
    "visits" holds the records that a part sees, in the order in which they were known, with "time" and "known_at". Of
    those over time a part is what was known of one patient at one moment. The key of a part says its values in words.
    Nothing is left to `standardise`.

    Shapes: "record" float32 [P, D]; "visits" float32 [V, F], "time", "known_at" float64 [V].

    Raises: ConfigError for an unknown feature, and for visits where no field stands in records over time.
    """
    for name in needs:
        if name not in FEATURES:
            raise ConfigError(f"patients have no feature '{name}'{did_you_mean(name, FEATURES)}")
    if VISITS in needs and fields.line is None:
        raise ConfigError("this model reads visits: name them, --inputs visits.csv:patient_id.")
    values: list[Floats] = []
    bad: dict[int, list[Misread]] = {}
    for field in fields.of_rows:
        found, wrong = field.read(cells.column(field.name))
        values.append(found)
        for at, why in wrong.items():
            bad.setdefault(at, []).append(why)
    table = np.concatenate([np.empty((len(cells), 0)), *values], axis=1)
    keys = keys_of(fields.of_rows, values, len(cells))
    story = None if fields.line is None else _Story.of(fields, cells.seen)
    if story is not None:
        bad |= {at: [*bad.get(at, ()), *whys] for at, whys in story.bad(table).items()}
        keys = story.keys(keys)
    else:
        for at in np.flatnonzero(np.isnan(table).all(axis=1)).tolist():
            bad.setdefault(at, [Misread("empty", "no field is known")])
    number: dict[str, int] = {}
    first: list[int] = []
    index = np.full(len(cells), NONE, dtype=np.int64)
    for at, key in enumerate(keys):
        if at in bad:
            continue
        index[at] = number.setdefault(key, len(number))
        if index[at] == len(first):
            first.append(at)
    parts = _packed(table[first]) if story is None else story.packed(table, first, VISITS in needs)
    rejects = {at: _reject(at, whys) for at, whys in bad.items()}
    said = {} if story is None else {at: words for at, words in story.said.items() if at not in rejects}
    return Prepared(parts=parts, index=index, keys=tuple(number), rejects=rejects, said=said)


def named(fields: Fields) -> list[str]:
    """Name the numbers of "record", in their order."""
    own = [f"'{column}'" for field in fields.of_rows for column in field.columns]
    moment = [f"'{fields.line.at or fields.line.time}'"] if fields.line is not None and not fields.line.dates else []
    return [*own, *moment, *(name for field in fields.over_time for name in names(field))]


def latest(fields: Fields, parts: Packed, name: str) -> Floats:
    """Return the last known value of a field that is a number, [P]; NaN where it is unknown, and of any other."""
    wanted = {f"'{name}'", f"'{name}' (last)"}
    at = next((at for at, each in enumerate(named(fields)) if each in wanted), None)
    values = parts.values[RECORD].double().numpy()
    found: Floats = np.full(len(parts), np.nan) if at is None else values[:, at]
    return found


def _packed(table: Floats) -> Packed:
    record = torch.from_numpy(table.astype(np.float32))
    return pack({RECORD: (PART, record)}, {}, {RECORD: [table.shape[1]]}, len(table))


@dataclass(frozen=True)
class _Story:
    """Hold what n rows see of records over time.

    Shapes: `values` of each field [M, its width]; `last` the same of what each row saw last [n, ...]; `summary` [n, D].
    """

    fields: Fields
    seen: Seen | None
    values: list[Floats]
    summary: Floats
    last: list[Floats]
    said: dict[int, str]

    @classmethod
    def of(cls, fields: Fields, seen: Seen | None) -> _Story:
        mine = fields.over_time
        if seen is None:  # no rows
            values = [np.zeros((0, field.width)) for field in mine]
            return cls(fields, None, values, np.zeros((0, _moments(fields) + width(mine))), values, {})
        columns = [str(name) for name in seen.records.frame.columns]
        values, unread = [], dict[int, str]()
        for field in mine:
            cells = seen.records.frame[transferred(field, columns, seen.records.origin)]
            found, wrong = field.read([str(cell) for cell in cells])
            values.append(found)
            unread |= {at: f"{unread[at]}; {why}" if at in unread else str(why) for at, why in wrong.items()}
        summary, last = summarised(mine, values, seen.records.time, seen.spans, seen.until)
        moment = seen.until[:, None][:, : _moments(fields)]
        return cls(fields, seen, values, np.concatenate([moment, summary], axis=1), last, _said_of(seen, unread))

    def bad(self, table: Floats) -> dict[int, list[Misread]]:
        """Say why rows tell nothing: of no moment, or with no record and no field of their own."""
        if self.seen is None:
            return {}
        found = {at: [Misread("no_moment", text)] for at, text in self.seen.lost.items()}
        none = (self.seen.spans[:, 0] == self.seen.spans[:, 1]) & np.isnan(table).all(axis=1)
        for at in np.flatnonzero(none).tolist():
            found.setdefault(at, [Misread("no_records", self.seen.nothing(at))])
        return found

    def keys(self, own: list[str]) -> list[str]:
        """Return what each row is in words: whose, when, its own fields, and what was last known over time."""
        if self.seen is None:
            return []
        line, spans = self.seen.records.timeline, self.seen.spans
        late = keys_of(self.fields.over_time, self.last, len(own))
        counts = (spans[:, 1] - spans[:, 0]).tolist()
        names = [name.replace(";", ",") for name in self.seen.names]
        moments = [moment_text(at, line.dates) if np.isfinite(at) else "" for at in self.seen.until.tolist()]
        when = line.at or line.time
        return [
            "; ".join(filter(None, (f"{line.by} = {name}", at and f"{when} = {at}", mine, last, many(n, "record"))))
            for name, at, mine, last, n in zip(names, moments, own, late, counts, strict=True)
        ]

    def packed(self, table: Floats, rows: list[int], visits: bool) -> Packed:
        """Return the parts that these rows are, records of one patient stored once."""
        made = _packed(np.concatenate([table, self.summary], axis=1)[rows])
        seen = self.seen
        whose = np.zeros(0, np.int64) if seen is None else seen.whose[rows]
        until = np.zeros(0) if seen is None else seen.until[rows]
        values = {**made.values, WHOSE: torch.from_numpy(whose), UNTIL: torch.from_numpy(until)}
        level = dict.fromkeys(values, PART)
        if not visits:
            return replace(made, values=values, level=level)
        each = np.concatenate([np.zeros((0 if seen is None else len(seen.records), 0)), *self.values], axis=1)
        over = {
            VISITS: torch.from_numpy(each.astype(np.float32)),
            TIME: torch.from_numpy(np.zeros(0) if seen is None else seen.records.time),
            KNOWN_AT: torch.from_numpy(np.zeros(0) if seen is None else seen.records.known_at),
        }
        spans = torch.from_numpy(np.zeros((0, 2), np.int64) if seen is None else seen.spans[rows])
        return replace(
            made,
            values=values | over,
            level=level | dict.fromkeys(over, VISITS),
            offsets={VISITS: spans},
            schema={**made.schema, VISITS: [each.shape[1]]},
        )


def _moments(fields: Fields) -> int:
    """Return 1 where the moment itself is a number that tells something, as an age or hours since admission do."""
    return int(fields.line is not None and not fields.line.dates)


def _said_of(seen: Seen, unread: Mapping[int, str]) -> dict[int, str]:
    """Say of rows what of their records was not read."""
    found: dict[int, list[str]] = {}
    at = np.array(sorted(unread), dtype=np.int64)
    for row, (begin, end) in enumerate(seen.spans.tolist()):
        first = int(np.searchsorted(at, begin))
        if first < len(at) and at[first] < end:
            place = int(at[first])
            where = f"row {seen.records.rows[place]} of {seen.records.origin}"
            found.setdefault(row, []).append(f"{where}: {unread[place]}; taken as unknown")
        if begin == end and row not in seen.lost:
            found.setdefault(row, []).append(f"scored without records: {seen.nothing(row)}")
        if seen.names[row] in seen.records.faults:
            found.setdefault(row, []).append(seen.records.faults[seen.names[row]])
    return {row: "; ".join(words) for row, words in found.items()}


def _reject(at: int, whys: list[Misread]) -> Reject:
    return Reject(at + 1, "", whys[0].reason, "; ".join(map(str, whys)))


def keys_of(fields: Sequence[Field], values: Sequence[Floats], count: int) -> list[str]:
    """Return what each of so many records says in words: "age = 63; sex = f", without what is unknown.

    Shapes: `values` of each field [count, width].
    """
    columns = [_said(field, each) for field, each in zip(fields, values, strict=True)]
    return ["; ".join(filter(None, row)) for row in zip(*columns, strict=True)] if columns else [""] * count


def _said(field: Field, values: Floats) -> list[str]:
    if field.kind == NUMBER:
        words = [format(value, ".15g") for value in values[:, 0].tolist()]
    elif field.kind == YES_NO:
        words = ["yes" if value else "no" for value in values[:, 0].tolist()]
    else:
        known = np.nan_to_num(values)
        at = known[:, 0] if field.kind == GRADE else known.argmax(axis=1)
        words = [field.categories[int(place)] for place in at.tolist()]
    unit = f" {field.unit}" if field.unit and f"({field.unit})" not in field.name else ""
    lost = np.asarray(np.isnan(values).any(axis=1)).tolist()
    return ["" if no else f"{field.name} = {word}{unit}" for no, word in zip(lost, words, strict=True)]
