"""Tables out: CSV, TSV, xlsx and Parquet, block by block, there whole or not at all."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any, Protocol, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from molgraph import registry
from molgraph.data.files import atomic
from molgraph.data.stream import suffixes
from molgraph.errors import ConfigError, DataError

DIGITS = ".7g"  # what a float32 holds: 24 bits of mantissa are 7.2 decimal digits (IEEE 754)
EXACT_DIGITS = ".15g"  # what a float64 holds: 53 bits, 15.95 digits; its columns hold what float32 cannot
EXCEL_ROWS, EXCEL_CELL = 1_048_576, 32_767  # support.microsoft.com, "Excel specifications and limits"
# See https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_UNIT = r"(?:[^\W\d_]|[%°])[\w %°^·./]*"
_HARMLESS = re.compile(  # a number, with a decimal comma or a unit too, a word, or signs alone
    rf"[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?(\s*{_UNIT})?|[+\-@][^\W\d]\w*( \w+)*|[+\-/ ]+"
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_QUOTED = re.compile(r'[",;\t\r\n]')  # any delimiter, so that no spreadsheet's locale cuts the cell


class Writer(Protocol):
    """Append blocks of a table to an open file."""

    def write(self, frame: pd.DataFrame) -> None:
        """Append the rows of a block; every block has the same columns."""
        ...

    def close(self) -> None:
        """Write what is still to be written; the file itself stays open."""
        ...


@contextmanager
def open_writer(path: str | os.PathLike[str], *, column: str = "") -> Iterator[Writer]:
    """Open a table file for writing, by its suffix: `.csv`, `.tsv` (also `.gz`, `.zst`), `.xlsx`, `.parquet`, `.sdf`.

    The file takes its name only when the block ends without an error. A column of float64 is written with 15 digits,
    other floats with 7, NaN as an empty cell, bools as true and false. `column` names the input column, which formats
    of a room need.

    Raises: ConfigError for an unknown suffix; ResourceError where the disk is full or closed to the user.
    """
    make = _format(path, column)
    with atomic(path) as raw, _compressed(raw, suffixes(path)[1]) as handle:
        writer = make(handle)
        try:
            yield writer
        except BaseException:
            with suppress(Exception):  # the file goes away; what is on its way is the error that counts
                writer.close()
            raise
        writer.close()


def _format(path: str | os.PathLike[str], column: str) -> Callable[[IO[bytes]], Writer]:
    suffix, packed = suffixes(path)
    text: dict[str, Callable[[IO[bytes]], Writer]] = {
        ".csv": partial(Delimited, delimiter=","),
        ".tsv": partial(Delimited, delimiter="\t"),
    }
    if suffix in text:
        return text[suffix]
    if suffix in registry.WRITERS:
        return partial(registry.load(registry.WRITERS[suffix]), column=column)
    binary: dict[str, Callable[[IO[bytes]], Writer]] = {".xlsx": Workbook, ".parquet": Parquet}
    if suffix in binary and not packed:
        return binary[suffix]
    known = ", ".join([*text, *registry.WRITERS]) + " (also .gz, .zst), " + ", ".join(binary)
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

    def __init__(self, handle: IO[bytes], *, delimiter: str) -> None:
        self._handle, self._delimiter = handle, delimiter
        self._columns: list[str] | None = None

    def write(self, frame: pd.DataFrame) -> None:
        if self._columns is None:
            self._columns = list(frame.columns)
            self._lines([[_cell(str(name))] for name in frame.columns])
        _same_columns(self._columns, frame)
        self._lines([[_cell(t) for t in column_texts(frame.iloc[:, at])] for at in range(frame.shape[1])])

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


def column_texts(values: pd.Series) -> list[str]:
    """Return a column as text: float64 with 15 digits, other floats with 7, NaN as "", bools as true and false."""
    if pd.api.types.is_float_dtype(values):
        numbers = values.to_numpy(np.float64, na_value=np.nan) + 0.0  # -0.0 becomes 0.0
        digits = EXACT_DIGITS if values.dtype == np.float64 else DIGITS
        return ["" if v != v else format(v, digits) for v in numbers.tolist()]
    return [_text(v) for v in values.tolist()]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if value is None or pd.isna(value) is True:
        return ""
    return format(value + 0.0, DIGITS) if isinstance(value, float | np.floating) else str(value)


def _same_columns(columns: Sequence[str], frame: pd.DataFrame) -> None:
    if list(frame.columns) != list(columns):
        raise DataError(f"a block has the columns {list(frame.columns)}, the blocks before it {list(columns)}")


class Workbook:
    """Write an Excel workbook; text stays text, and is a number only where the number reads exactly the same."""

    def __init__(self, handle: IO[bytes]) -> None:
        import openpyxl  # 0.2 s, and only workbooks need it

        self._handle = handle
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet("scores")
        self._columns: list[str] | None = None
        self._rows = 1

    def write(self, frame: pd.DataFrame) -> None:
        if self._columns is None:
            self._columns = list(frame.columns)
            self._sheet.append([self._excel_text(str(name)) for name in frame.columns])
        _same_columns(self._columns, frame)
        self._rows += len(frame)
        if self._rows > EXCEL_ROWS:
            raise DataError(f"an Excel sheet holds {EXCEL_ROWS:,} rows and this table has more; write .csv or .parquet")
        columns = [
            [self._excel(v, exact=values.dtype == np.float64) for v in values.tolist()]
            for values in (frame.iloc[:, at] for at in range(frame.shape[1]))
        ]
        for row in zip(*columns, strict=True):
            self._sheet.append(row)

    def close(self) -> None:
        with tempfile.TemporaryFile() as made:  # a zip that cannot be finished complains when it is forgotten
            self._book.save(made)
            made.seek(0)
            shutil.copyfileobj(made, self._handle)

    def _excel(self, value: Any, *, exact: bool) -> Any:
        if isinstance(value, str):
            number = _number(value)
            return self._excel_text(value) if number is None else number
        text = _text(value)
        if not text:
            return None
        if isinstance(value, bool | np.bool_):
            return bool(value)
        if not isinstance(value, float | np.floating) or not np.isfinite(value):
            return value
        return float(value) if exact else float(text)

    def _excel_text(self, text: str) -> Any:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        if len(text) > EXCEL_CELL:
            raise DataError(f"an Excel cell holds {EXCEL_CELL:,} characters and this table has longer ones; write .csv")
        clean = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)
        if not clean.startswith("="):
            return clean
        cell = WriteOnlyCell(self._sheet, clean)
        cell.data_type = "s"  # openpyxl takes a leading = for a formula
        return cell


def _number(text: str) -> float | int | None:
    """Return the number that Excel would show as exactly this text, if there is one."""
    if not _NUMBER.fullmatch(text) or len(text) > 15:
        return None
    made = int(text) if text.lstrip("+-").isdigit() else float(text)
    return made if str(made) == text else None


class Parquet:
    """Write Parquet; the first block decides the types, text and what is no number is text."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._schema: pa.Schema | None = None
        self._file: pq.ParquetWriter | None = None

    def write(self, frame: pd.DataFrame) -> None:
        if self._schema is None or self._file is None:
            self._schema = pa.schema([(str(c), _arrow_type(frame.iloc[:, i])) for i, c in enumerate(frame.columns)])
            self._file = pq.ParquetWriter(self._handle, self._schema)
        _same_columns(self._schema.names, frame)
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
        return pa.array([_text(v) for v in values.tolist()], kind)
    return pa.Array.from_pandas(values, type=kind)
