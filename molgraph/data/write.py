"""Tables out: CSV, TSV, xlsx and Parquet, block by block, there whole or not at all."""

from __future__ import annotations

import codecs
import gzip
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Protocol, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from molgraph import registry
from molgraph.data.cells import cell_text, column_texts, same_columns
from molgraph.data.files import atomic
from molgraph.data.spreadsheet import Picture, Workbook
from molgraph.data.stream import suffixes
from molgraph.errors import ConfigError

# See https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_UNIT = r"(?:[^\W\d_]|[%°])[\w %°^·./]*"
_HARMLESS = re.compile(  # a number, with a decimal comma or a unit too, a word, or signs alone
    rf"[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?(\s*{_UNIT})?|[+\-@][^\W\d]\w*( \w+)*|[+\-/ ]+"
)
_QUOTED = re.compile(r'[",;\t\r\n]')  # any delimiter, so that no spreadsheet's locale cuts the cell


class Writer(Protocol):
    """Append blocks of a table to an open file."""

    def write(self, frame: pd.DataFrame) -> None:
        """Append the rows of a block; every block has the same columns."""
        ...

    def close(self) -> None:
        """Write what is still to be written; the file itself stays open."""
        ...

    @property
    def guarded(self) -> int:
        """Return how many of the user's cells were changed so that no spreadsheet runs them as formulas."""
        ...


@contextmanager
def open_writer(
    path: str | os.PathLike[str], *, column: str = "", mark: bool = False, picture: Picture | None = None
) -> Iterator[Writer]:
    """Open a table file for writing, by its suffix: `.csv`, `.tsv` (also `.gz`, `.zst`), `.xlsx`, `.parquet`, `.sdf`.

    The file takes its name only when the block ends without an error. A column of float64 is written with 15 digits,
    other floats with 7, NaN as an empty cell, bools as true and false. `column` names the input column, which formats
    of a room need. With `mark` text begins with a byte order mark, by which Excel knows UTF-8. `picture` draws what
    stands in the input column, in a workbook only.

    Raises: ConfigError for an unknown suffix, and for pictures in a file that has none; ResourceError where the disk is
    full or closed to the user.
    """
    make = _format(path, column, mark, picture)
    with atomic(path) as raw, _compressed(raw, suffixes(path)[1]) as handle:
        writer = make(handle)
        try:
            yield writer
        except BaseException:
            with suppress(Exception):  # the file goes away; what is on its way is the error that counts
                writer.close()
            raise
        writer.close()


def _format(
    path: str | os.PathLike[str], column: str, mark: bool, picture: Picture | None
) -> Callable[[IO[bytes]], Writer]:
    suffix, packed = suffixes(path)
    if picture is not None and suffix != ".xlsx":
        raise ConfigError(f"{path}: pictures stand in a workbook; name it .xlsx.")
    text: dict[str, Callable[[IO[bytes]], Writer]] = {
        ".csv": partial(Delimited, delimiter=",", mark=mark),
        ".tsv": partial(Delimited, delimiter="\t", mark=mark),
    }
    if suffix in text:
        return text[suffix]
    if suffix in registry.writers():
        return partial(registry.load(registry.writers()[suffix]), column=column)
    binary: dict[str, Callable[[IO[bytes]], Writer]] = {
        ".xlsx": partial(Workbook, column=column, picture=picture),
        ".parquet": Parquet,
    }
    if suffix in binary and not packed:
        return binary[suffix]
    known = ", ".join([*text, *registry.writers()]) + " (also .gz, .zst), " + ", ".join(binary)
    raise ConfigError(f"{path}: no format is called '{suffix}{packed}'; known: {known}")


@contextmanager
def _compressed(raw: IO[bytes], packed: str) -> Iterator[IO[bytes]]:
    if packed == ".gz":  # without name and time, so that the same table gives the same bytes
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as handle:
            yield cast(IO[bytes], handle)
    elif packed == ".zst":
        with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as handle:
            yield cast(IO[bytes], handle)
    else:
        yield raw


class Delimited:
    """Write CSV or TSV in UTF-8; a cell that a spreadsheet would run as a formula starts with an apostrophe."""

    def __init__(self, handle: IO[bytes], *, delimiter: str, mark: bool = False) -> None:
        self._handle, self._delimiter, self._mark = handle, delimiter, mark
        self._columns: list[str] | None = None
        self.guarded = 0

    def write(self, frame: pd.DataFrame) -> None:
        if self._columns is None:
            self._columns = list(frame.columns)
            self._handle.write(codecs.BOM_UTF8 * self._mark)
            self._lines([[_cell(str(name))] for name in frame.columns])
        same_columns(self._columns, frame)
        texts = [column_texts(frame.iloc[:, at]) for at in range(frame.shape[1])]
        self.guarded += sum(harmless(text) is not text for column in texts for text in column)
        self._lines([[_cell(text) for text in column] for column in texts])

    def _lines(self, columns: list[list[str]]) -> None:
        if len(columns) == 1:  # a blank line would be no record
            columns = [[cell or '""' for cell in columns[0]]]
        lines = map(self._delimiter.join, zip(*columns, strict=True))
        self._handle.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))

    def close(self) -> None:
        """Nothing is left to write."""


def _cell(text: str) -> str:
    text = harmless(text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula.

    What can run nothing stays as it is, so that it is read again as it was: `-1,5`, `-CH3`, `@id`.

    >>> harmless("=2+5"), harmless("-7.2 kcal/mol"), harmless("+HYPERLINK(A1)")
    ("'=2+5", '-7.2 kcal/mol', "'+HYPERLINK(A1)")
    """
    return f"'{text}" if _FORMULA.match(text) and not _HARMLESS.fullmatch(text) else text


class Parquet:
    """Write Parquet; the first block decides the types, text and what is no number is text."""

    guarded = 0

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._schema: pa.Schema | None = None
        self._file: pq.ParquetWriter | None = None

    def write(self, frame: pd.DataFrame) -> None:
        if self._schema is None or self._file is None:
            self._schema = pa.schema([(str(c), _arrow_type(frame.iloc[:, i])) for i, c in enumerate(frame.columns)])
            self._file = pq.ParquetWriter(self._handle, self._schema)
        same_columns(self._schema.names, frame)
        arrays = [_arrow(frame.iloc[:, i], field.type) for i, field in enumerate(self._schema)]
        self._file.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        if self._file is None:
            pq.write_table(pa.table({}), self._handle)
        else:
            self._file.close()


def _arrow_type(values: pd.Series) -> pa.DataType:
    if pd.api.types.is_bool_dtype(values):
        return pa.bool_()
    if pd.api.types.is_integer_dtype(values):
        return pa.int64()
    if pd.api.types.is_float_dtype(values):
        return pa.float32() if values.dtype == np.float32 else pa.float64()
    return pa.string()


def _arrow(values: pd.Series, kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        return pa.array([cell_text(v) for v in values.tolist()], kind)
    return pa.Array.from_pandas(values, type=kind)
