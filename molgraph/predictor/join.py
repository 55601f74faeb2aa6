"""Texts that stand in a second file, found by an id: a column of target ids and a FASTA file of their sequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from molgraph.data.stream import name_of
from molgraph.data.table import Table, nonempty
from molgraph.errors import ConfigError, DataError, did_you_mean

ID = "id"  # the column of a second file that is matched where it has none of the name asked for


def joined(tables: Iterable[Table], words: Sequence[str], rooms: Sequence[Any]) -> Iterator[Table]:
    """Add to every table the columns of other files; each of `words` is FILE:COLUMN.

    COLUMN of the table is matched with the column of that name in the file, else with its `id`. A row whose id is not
    in the file has blanks there, which is a reason and no number later on; columns that the table has stay.

    Raises: ConfigError for words that cannot be read; DataError where a column is missing or an id stands twice.
    """
    files = [(column, _read(path, column, rooms)) for path, column in map(_parted, words)]
    for table in tables:
        frame = table.frame
        for column, more in files:
            if column not in frame:
                raise DataError(f"{table.origin}: no column '{column}' to join by{did_you_mean(column, frame.columns)}")
            new = [name for name in more.columns if name not in frame]
            found = more[new].reindex(frame[column]).fillna("").reset_index(drop=True)
            frame = pd.concat([frame.reset_index(drop=True), found], axis="columns")
        yield replace(table, frame=frame)


def _parted(text: str) -> tuple[str, str]:
    path, sign, column = text.rpartition(":")
    if not (path and sign and column):
        raise ConfigError(f"--join {text}: write FILE:COLUMN, for example targets.fasta:target_id.")
    return path, column


def _read(path: str, column: str, rooms: Sequence[Any]) -> pd.DataFrame:
    """Read a second file by the first room that knows its format; return its columns by id."""
    frame = _frame(path, rooms)
    key = column if column in frame else next((name for name in map(str, frame) if name.lower() == ID), "")
    if not key:
        raise DataError(f"{path}: no column '{column}' and none called '{ID}'; columns: {', '.join(frame.columns)}.")
    double = frame[key][frame[key].duplicated()]
    if len(double):
        raise DataError(f"{path}: '{double.iloc[0]}' stands more than once in '{key}'; keep one row for each.")
    return frame.set_index(key)


def _frame(path: str, rooms: Sequence[Any]) -> pd.DataFrame:
    refused: DataError | None = None
    for room in rooms:
        try:
            tables = nonempty(room.reading.read(path, None), name_of(path))
            return pd.concat([table.frame for table in tables], ignore_index=True)
        except DataError as error:
            refused = refused or error
    raise refused or DataError(f"{path}: cannot be read.")
