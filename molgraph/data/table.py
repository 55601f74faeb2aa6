"""A user's table in blocks of text cells: one row per record, in order, whatever the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph import registry
from molgraph.data.delimited import delimited
from molgraph.data.sheets import parquet
from molgraph.data.stream import SHOWN, STDIN, Broken, Row, Stored, name_of, suffixes
from molgraph.data.workbook import workbook
from molgraph.errors import DataError, Reject, did_you_mean

BLOCK = 4096
SUFFIX = "_predicted"  # of our columns where the user has one of that name
FORMATS = (".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm", ".parquet", ".pq")
LONGEST_NAME = 250  # characters of a file's name; systems refuse to look for longer ones
MEMORY = "the table given"  # how messages name a source that is no file


@dataclass(frozen=True)
class Table:
    """Hold a block of a user's table.

    `frame` has the user's own cells as text, "" for an empty one, in the user's column order. `column` names
    the input column ("" until it is chosen). `rows` numbers the records from 1. `broken` says, by position in
    this block, why a record could not be read: its cells that could not be read are "". `origin` names the
    source in messages. A source that brings its own folds or labels of classes names their columns in `split` and
    `targets`. `notes` say what was passed over on the way to the table. `delimiter` is what stands between the cells of
    a text ("" where there is none). `added` names the columns that a room put beside the user's own, and `folder` is
    what their paths begin with: neither belongs into a file that leaves this machine.
    """

    frame: pd.DataFrame
    column: str
    rows: NDArray[np.int64]
    broken: dict[int, Reject]
    origin: str
    split: str = ""
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    delimiter: str = ""
    added: tuple[str, ...] = ()
    folder: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def given(self) -> pd.DataFrame:
        """Return the user's own columns, without what a room added to find its files."""
        return self.frame.drop(columns=list(self.added))

    def in_their_words(self, text: str) -> str:
        """Return a text with paths as the user's cells have them, without the folder that they count from."""
        return text.replace(self.folder, "") if self.folder else text

    @property
    def texts(self) -> list[str]:
        """Return the cells of the input column; "" of each row where the inputs stand in several."""
        return [str(t) for t in self.frame[self.column]] if self.column else [""] * len(self)

    def row(self, at: int) -> Table:
        """Return one record as a table."""
        broken = {0: self.broken[at]} if at in self.broken else {}
        return replace(self, frame=self.frame.iloc[[at]].reset_index(drop=True), rows=self.rows[[at]], broken=broken)

    def blank(self, lost: Mapping[int, tuple[str, str]]) -> Table:
        """Return the table with blank records, for these reasons and messages by position."""
        frame, texts = self.frame.copy(), self.texts
        frame.iloc[list(lost)] = ""
        broken = {at: Reject(int(self.rows[at]), texts[at][:SHOWN], *why) for at, why in lost.items()}
        return replace(self, frame=frame, broken={**self.broken, **broken})


def read_tables(source: Any, *, block: int = BLOCK) -> Iterator[Table]:
    """Stream a table file ("-" is standard input) or a DataFrame in blocks of `block` records, as text.

    A column without a name is called by its place, `unnamed_3`. A blank line is a record only where the table has
    one column and more records follow. A source without a record yields nothing (see `nonempty`).

    Raises: DataError for a missing or damaged file, an unknown format and duplicate column names;
    ResourceError where there is no permission.
    """
    if isinstance(source, pd.DataFrame):
        yield from _frame_tables(source, block)
        return
    name = name_of(source)
    rows = _rows(source, block)
    header = next((row for row in rows if row), [])
    if isinstance(header, Broken):
        raise DataError(f"{name}: the header cannot be read: {header.message}")
    if header:
        origin = getattr(header, "origin", "") or name
        notes, delimiter = getattr(header, "notes", ()), getattr(header, "delimiter", "")
        names = column_names(header, origin)
        yield from (replace(t, delimiter=delimiter) for t in tables(rows, names, origin, block=block, notes=notes))


def _rows(source: str | os.PathLike[str], block: int) -> Iterator[Row]:
    suffix, _ = suffixes(source)
    if suffix in (".xlsx", ".xlsm"):
        return workbook(source)
    if suffix in (".parquet", ".pq"):
        return parquet(source, block)
    if suffix in (".tsv", ".tab"):
        return delimited(source, "\t")
    if suffix in FORMATS or str(source) == STDIN:
        return delimited(source)
    if Path(source).is_dir():
        raise DataError(f"{source}: this is not a file; name a file inside it")
    raise DataError(f"{source}: '{suffix}' is no table format; known: {', '.join(FORMATS)}, also .gz or .zst")


def column_names(header: Sequence[str], origin: str) -> list[str]:
    """Return the names of the columns, each different and none empty.

    Raises: DataError for a name that occurs twice.
    """
    names = [name if name.strip() else f"unnamed_{at}" for at, name in enumerate(header, start=1)]
    double = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if double:
        raise DataError(f"{origin}: more than one column is called {', '.join(map(repr, double))}; rename them")
    return names


def tables(
    rows: Iterable[Row],
    columns: Sequence[str],
    origin: str,
    *,
    column: str = "",
    block: int = BLOCK,
    notes: Sequence[str] = (),
) -> Iterator[Table]:
    """Gather records in blocks and number them; a `Broken` one keeps its place and becomes a `Reject`."""
    cells: list[Sequence[str]] = []
    broken: dict[int, Reject] = {}
    empty = [""] * len(columns)
    done = 0

    def table() -> Table:
        frame = pd.DataFrame(cells, columns=list(columns), dtype=object)
        return Table(
            frame, column, np.arange(done + 1, done + 1 + len(cells)), dict(broken), origin, notes=tuple(notes)
        )

    for row in _records(rows, blank_is_record=len(columns) == 1):
        if isinstance(row, Broken):
            text = row.text[:SHOWN]
            broken[len(cells)] = Reject(done + len(cells) + 1, text, row.reason, f"{origin}: {row.message}")
            row = list(row.cells)
        cells.append(row or empty)
        if len(cells) == block:
            yield table()
            done += block
            cells, broken = [], {}
    if cells:
        yield table()


def _records(rows: Iterable[Row], blank_is_record: bool) -> Iterator[Row]:
    blank = 0
    for row in rows:
        if row:
            if blank:
                yield from ([] for _ in range(blank))
                blank = 0
            yield row
        elif blank_is_record:
            blank += 1


def _frame_tables(given: pd.DataFrame, block: int) -> Iterator[Table]:
    names = column_names([str(c) for c in given.columns], MEMORY)
    for start in range(0, len(given), block):
        part = given.iloc[start : start + block]
        cells = {name: cell_texts(_exact(part.iloc[:, at])) for at, name in enumerate(names)}
        rows = np.arange(start + 1, start + 1 + len(part))
        yield Table(pd.DataFrame(cells, columns=names, dtype=object), "", rows, {}, MEMORY)


def _exact(values: pd.Series) -> Iterable[Any]:
    """Return the values of a column; pandas would give a float32 the digits of the nearest float64."""
    return values.to_numpy() if values.dtype == np.float32 else values


def cell_texts(values: Iterable[Any]) -> list[str]:
    """Return cells of memory as text: a missing one is "", a whole float keeps no point."""
    return [_cell_text(v) for v in values]


def _cell_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value) is True:
        return ""
    return Stored(str(value).removesuffix(".0")) if isinstance(value, float | np.floating) else str(value)


def find_column(columns: Sequence[str], wanted: str | None, usual: Sequence[str], origin: str) -> str:
    """Return the input column: the one `wanted`, or the first with a usual name (case and punctuation aside).

    Names that say what is in them come first, whole or short ("SMILES", "smi"), then a single column whose name ends so
    ("Ligand SMILES", "SMILES string"); only then those that may be a picture or a name ("Structure", "Drug"). Failing
    all, a single column whose name holds the first usual name is taken.

    Raises: DataError that lists the columns there are.
    """
    if wanted is not None:
        for same in (str, str.strip, _plain):
            found = [c for c in columns if same(c) == same(wanted)]
            if len(found) == 1:
                return found[0]
        raise DataError(f"{origin}: no column '{wanted}'{did_you_mean(wanted, columns)}")
    told = _plain(usual[0])
    sure = [name for name in usual if told in _plain(name) or told.startswith(_plain(name))]
    ending = [c for c in columns if _plain(c).removesuffix("string").endswith(told)]
    holding = [c for c in columns if told in _plain(c)]
    for name in (*sure, *_single(ending), *usual, *_single(holding)):
        found = [c for c in columns if _plain(c) == _plain(name)]
        if found:
            return name if name in found else found[0]
    raise DataError(
        f"{origin}: no column is called {usual[0]} or alike; name it with -s. Columns: {', '.join(columns)}."
    )


def _single(found: list[str]) -> list[str]:
    return found if len(found) == 1 else []


def is_usual(name: str, usual: Iterable[str]) -> bool:
    """Tell whether a column name is one of the usual ones, case and punctuation aside."""
    return _plain(name) in map(_plain, usual)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def is_file(text: str) -> bool:
    """Tell whether a text names a file; a sequence may be longer than any file's name.

    Raises: DataError for what is called as a file and is not there.
    """
    if len(text) >= LONGEST_NAME:
        return False
    if not Path(text).is_file() and suffixes(text)[0] in readable():
        raise DataError(f"{text}: no such file; check the name.")
    return Path(text).is_file()


def readable() -> tuple[str, ...]:
    """Return the suffixes of files that somebody here reads: tables, and what rooms bring."""
    return (*FORMATS, *registry.words("files"))


def nonempty(tables: Iterable[Table], origin: str) -> Iterator[Table]:
    """Pass tables on.

    Raises: DataError where there is not one record.
    """
    blocks = iter(tables)
    first = next(blocks, None)
    if first is None:
        raise DataError(f"{origin}: no rows; the file is empty or holds only a header")
    yield from chain([first], blocks)


def free_names(taken: Sequence[str], ours: Sequence[str]) -> dict[str, str]:
    """Give each of our columns a name that the user's columns leave free: theirs keep their names.

    >>> free_names(["smiles", "pIC50"], ["pIC50", "status"])
    {'pIC50': 'pIC50_predicted', 'status': 'status'}
    """
    used = set(taken)
    names = {}
    for name in ours:
        free = name
        while free in used:
            free += SUFFIX
        used.add(free)
        names[name] = free
    return names
