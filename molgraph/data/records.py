"""Records of things over time (the visits of patients): a long table, and what each row may see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.labels import MISSING
from molgraph.data.table import Table, is_usual
from molgraph.data.times import are_dates, moment_text, moments
from molgraph.errors import ConfigError, DataError, did_you_mean, many

NOBODY = -1
TWICE = "repeats another, cell by cell"
TIMES = ("time", "datetime", "timestamp", "date", "visit_time", "visit_date", "charttime", "day", "hour", "minute")
MOMENTS = ("prediction_time", "predict_at", "index_time", "index_date")  # usual names of a row's own moment

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """Say how records over time are told.

    They stand in `file` ("": the rows are records themselves), `by` names the column that says whose they are, there
    and in the rows; `time` when they were true, `known_at` when they were known ("": at once); `at` the column of the
    rows that says until when each may see ("": all there is). `dates`: moments are dates, and count in days.
    """

    by: str
    file: str = ""
    time: str = ""
    known_at: str = ""
    at: str = ""
    dates: bool = False

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Self:
        """Read a section of a run file.

        Raises: ConfigError for an unknown key, a value that is no text, and where `by` is not said.
        """
        known = tuple(asdict(cls("")))
        for key, value in section.items():
            if key not in known:
                raise ConfigError(f"unknown key 'records.{key}'{did_you_mean(key, known)}")
            if not isinstance(value, bool if key == "dates" else str):
                raise ConfigError(f"records.{key} = {value!r} has the wrong type.")
        if not section.get("by"):
            raise ConfigError(
                "nothing says whose the visits are: --inputs visits.csv:patient_id, or in a run file [records] by = "
                '"patient_id".'
            )
        return cls(**section)

    def to_toml(self) -> dict[str, Any]:
        """Return what a run file says of it."""
        return {key: value for key, value in asdict(self).items() if value}

    @property
    def columns(self) -> set[str]:
        """Return the columns that tell whose and when, and are no fields."""
        return {self.by, self.time, self.known_at, self.at} - {""}

    def settled(self, records: Table, rows: Table) -> Timeline:
        """Return the same with the columns of time found by their usual names, and told whether they are dates.

        Raises: DataError where a column is missing.
        """
        time = self.time or _usual(records.frame, TIMES)
        if not time:
            raise DataError(
                f"{records.origin}: no column is called time or alike; name it: --time COL. "
                f"Columns: {', '.join(map(str, records.frame.columns))}."
            )
        shared = time if time in rows.frame else ""
        at = self.at or (time if not self.file else _usual(rows.frame, MOMENTS) or shared)
        for table, names in ((records, (self.by, time, self.known_at)), (rows, (self.by, at))):
            for name in filter(None, names):
                if name not in table.frame:
                    raise DataError(f"{table.origin}: no column '{name}'{did_you_mean(name, table.frame.columns)}")
        dates = are_dates(_texts(records.frame, time), f"{records.origin}: the column '{time}'")
        return replace(self, time=time, at=at, dates=dates)


@dataclass(frozen=True)
class Records:
    """Hold the records of all things, those of one end to end, in the order in which they were known.

    Shapes: `offsets` int64 [things + 1]; `time`, `known_at` float64 and `rows` (of their file, from 1 on) [M], as many
    as `frame`, the cells, has. `number` maps the name of a thing to its place. `faults` say by name what was left out
    of its records, and `notes` the same of all.
    """

    timeline: Timeline
    origin: str
    frame: pd.DataFrame
    offsets: Rows
    time: Floats
    known_at: Floats
    rows: Rows
    number: Mapping[str, int]
    faults: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, timeline: Timeline, table: Table) -> Self:
        """Read a long table, in whatever order it stands; what says when nothing was, or says it twice, is left out.

        A record counts from the later of its two moments on: it cannot be known before it is true.

        Raises: DataError where a column is missing.
        """
        for name in filter(None, (timeline.by, timeline.time, timeline.known_at)):
            if name not in table.frame:
                raise DataError(f"{table.origin}: no column '{name}'{did_you_mean(name, table.frame.columns)}")
        names = _texts(table.frame, timeline.by)
        time, bad = moments(_texts(table.frame, timeline.time), timeline.dates)
        known, late = time, dict[int, str]()
        if timeline.known_at:
            known, late = moments(_texts(table.frame, timeline.known_at), timeline.dates)
            known = np.fmax(known, time)
        broken = {at: reject.message for at, reject in table.broken.items()}
        why = dict.fromkeys(np.flatnonzero(table.frame.duplicated()).tolist(), TWICE)
        why |= _unplaced(names, timeline.by, time, bad, timeline.time)
        why |= {at: f"{timeline.known_at} = {text}" for at, text in late.items()} | broken
        kept = np.array([at for at in range(len(table)) if at not in why], dtype=np.int64)
        number = {name: at for at, name in enumerate(dict.fromkeys(names[at] for at in kept.tolist()))}
        whose = np.array([number[names[at]] for at in kept.tolist()], dtype=np.int64)
        order = np.lexsort((time[kept], known[kept], whose))
        kept = kept[order]
        return cls(
            timeline,
            table.origin,
            table.frame.iloc[kept].reset_index(drop=True),
            np.concatenate([[0], np.cumsum(np.bincount(whose, minlength=len(number)))]).astype(np.int64),
            time[kept],
            known[kept],
            table.rows[kept],
            number,
            _faults(names, why, table),
            _notes(why, table),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def seen_by(self, table: Table) -> Seen:
        """Return what the rows of a table may see; records of nobody in it are left out."""
        line = self.timeline
        names = _texts(table.frame, line.by)
        until, bad = np.full(len(table), np.inf), dict[int, str]()
        if line.at:
            until, bad = moments(_texts(table.frame, line.at), line.dates)
        lost = _unplaced(names, line.by, until, bad, line.at)
        used = dict.fromkeys(self.number[name] for name in names if name in self.number)
        mine = self._only(list(used))
        whose = np.array([mine.number.get(name, NOBODY) for name in names], dtype=np.int64)
        begin, end = np.zeros(len(table), np.int64), np.zeros(len(table), np.int64)
        for row, (thing, moment) in enumerate(zip(whose.tolist(), until.tolist(), strict=True)):
            if thing == NOBODY or row in lost:
                continue
            begin[row], stop = mine.offsets[thing : thing + 2]
            end[row] = begin[row] + np.searchsorted(mine.known_at[begin[row] : stop], moment, side="right")
            if moment == np.inf:  # all there is: until the last of it
                until[row] = mine.known_at[stop - 1]
        until[np.isinf(until)] = np.nan
        return Seen(mine, tuple(names), whose, np.stack([begin, end], axis=1), until, lost)

    def _only(self, things: Sequence[int]) -> Records:
        lengths = np.diff(self.offsets)[list(things)]
        rows = np.concatenate([np.zeros(0, np.int64), *(np.arange(*self.offsets[at : at + 2]) for at in things)])
        names = list(self.number)
        return replace(
            self,
            frame=self.frame.iloc[rows],
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            time=self.time[rows],
            known_at=self.known_at[rows],
            rows=self.rows[rows],
            number={names[thing]: at for at, thing in enumerate(things)},
        )


@dataclass(frozen=True)
class Seen:
    """Hold what n rows may see of records: those of their own thing that were known by their own moment.

    Shapes: `whose` int64 [n], the place of a thing in `records`, NOBODY where it has none; `spans` int64 [n, 2], the
    first record that a row sees and the one after the last; `until` float64 [n]. `lost` says why a row sees nothing.
    """

    records: Records
    names: tuple[str, ...]
    whose: Rows
    spans: Rows
    until: Floats
    lost: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.names)

    def nothing(self, row: int) -> str:
        """Say why a row sees no record."""
        line, name = self.records.timeline, self.names[row]
        if self.whose[row] == NOBODY:
            return f"no record of {line.by} '{name}' in {self.records.origin}"
        return f"no record of {line.by} '{name}' was known by {moment_text(float(self.until[row]), line.dates)}"


def _usual(frame: pd.DataFrame, names: Sequence[str]) -> str:
    return next((str(c) for name in names for c in frame.columns if is_usual(str(c), [name])), "")


def _texts(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the cells of a column, "" of those that say nothing.

    Raises: DataError where there is no such column.
    """
    if column not in frame:
        raise DataError(f"no column '{column}'{did_you_mean(column, map(str, frame.columns))}")
    texts = [str(cell).strip() for cell in frame[column]]
    return ["" if text.lower() in MISSING else text for text in texts]


def _unplaced(names: Sequence[str], by: str, time: Floats, bad: Mapping[int, str], when: str) -> dict[int, str]:
    """Say by position what has no moment, and what belongs to nobody."""
    found = dict.fromkeys(np.flatnonzero(np.isnan(time)).tolist(), f"'{when}' is blank")
    found |= {at: f"{when} = {text}" for at, text in bad.items()}
    return found | {at: f"'{by}' is blank" for at, name in enumerate(names) if not name}


def _faults(names: Sequence[str], why: Mapping[int, str], table: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for at, text in sorted(why.items()):
        if names[at] and text != TWICE:
            found.setdefault(names[at], f"row {table.rows[at]} of {table.origin} was left out: {text}")
    return found


def _notes(why: Mapping[int, str], table: Table) -> tuple[str, ...]:
    if not why:
        return ()
    first = min(why)
    was = "was" if len(why) == 1 else "were"
    said = f"{many(len(why), 'record')} {was} left out, the first in row {table.rows[first]}: {why[first]}"
    return (f"{table.origin}: {said}.",)
