"""Excel workbooks and Parquet files, as text: the first sheet, the row groups, one row of cells at a time."""

from __future__ import annotations

import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from molgraph.data.bounds import check
from molgraph.data.stream import SHOWN, STDIN, Broken, Row, name_of, open_bytes, suffixes
from molgraph.errors import DataError

_COPY = 1 << 20
_UNCALCULATED = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>]*><f[^>]*(?:/>|>[^<]*</f>)(?:<v ?/>|<v></v>)?</c>')
_FILLED = re.compile(rb'<c r="([A-Z]+)[0-9]+"(?:[^>/]|/(?!>))*>')  # a cell that is more than formatted
_LONGEST_CELL = 1 << 14  # bytes carried from one piece of a sheet to the next, so that no cell is cut in two


def workbook(source: str | os.PathLike[str]) -> Iterator[Row]:
    """Yield the header and then every row of the first visible sheet of an `.xlsx` workbook.

    A column with cells and no header has the header "". Numbers come with the 15 digits that Excel shows, whole ones
    without a point, dates in ISO form; an identifier formatted as "000" keeps its zeros. Other number formats are not
    applied: a percentage is its fraction.

    Raises: DataError for a damaged workbook, one that holds more than Excel allows, and for a formula that was never
    calculated.
    """
    import openpyxl  # 0.2 s, and only workbooks need it

    name = name_of(source)
    with _seekable(source) as stream:
        try:
            check(stream, name)
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            sheet = next(s for s in book.worksheets if s.sheet_state == "visible")
        except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError, StopIteration, OSError) as error:
            raise DataError(f"{name}: not a readable .xlsx workbook ({error}); save it again as .xlsx") from error
        widest = _scanned(stream, sheet, name)
        sheet.reset_dimensions()  # some programs write a wrong one, and rows would be cut to it
        width = 0
        try:
            for number, row in enumerate(sheet.iter_rows(), start=1):
                cells = [_text(cell) for cell in row]
                while len(cells) > width and not cells[-1]:
                    cells.pop()
                width = width or (max(len(cells), widest) if cells else 0)
                yield _row_of(cells, width, number)
        except DataError:
            raise
        except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
            raise DataError(f"{name}: the workbook is damaged ({error}); save it again as .xlsx") from error


def _row_of(cells: list[str], width: int, number: int) -> Row:
    if not any(cells):
        return []
    if len(cells) > width:
        message = f"row {number} of the sheet has {len(cells)} cells where the header has {width}"
        return Broken("ragged_row", message, "\t".join(cells)[:SHOWN])
    return cells + [""] * (width - len(cells))


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        digits = format(value, ".15g")
        zeros = cell.number_format or ""
        return digits.zfill(len(zeros)) if set(zeros) == {"0"} and digits.isdigit() else digits
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)


def _scanned(stream: IO[bytes], sheet: Any, name: str) -> int:
    """Return the number of the last column with a cell.

    Raises: DataError for formulas that hold no value: their cells would silently read as empty.
    """
    letters: set[bytes] = set()
    from openpyxl.utils import column_index_from_string

    with zipfile.ZipFile(stream) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as xml:
        carried = b""
        while piece := xml.read(_COPY):
            found = _UNCALCULATED.search(carried + piece)
            if found:
                raise DataError(
                    f"{name}: cell {found[1].decode()} of sheet '{sheet.title}' holds a formula without a value; "
                    "open the workbook in Excel and save it"
                )
            letters.update(_FILLED.findall(carried + piece))
            carried = piece[-_LONGEST_CELL:]
    return max((column_index_from_string(each.decode()) for each in letters), default=0)


def parquet(source: str | os.PathLike[str], block: int) -> Iterator[Row]:
    """Yield the header and then every row of a Parquet file; null is an empty cell, nested values are JSON.

    Raises: DataError for a damaged file.
    """
    name = name_of(source)
    with _seekable(source) as stream:
        try:
            file = pq.ParquetFile(stream)
            yield list(file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=block):
                yield from map(list, zip(*(_column(c) for c in batch.columns), strict=True))
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{name}: not a readable Parquet file ({error}); write it again") from error


def _column(values: pa.Array) -> list[str]:
    try:
        texts = values.cast(pa.string()).to_pylist()
    except pa.ArrowException:
        texts = [None if v is None else json.dumps(v, default=str) for v in values.to_pylist()]
    return ["" if t is None else t for t in texts]


@contextmanager
def _seekable(source: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that is read from its end: a compressed one is unpacked to a temporary file first."""
    if str(source) == STDIN:
        raise DataError("standard input is read as text; save the workbook or Parquet file and name it")
    with open_bytes(source) as stream:
        if not suffixes(source)[1]:
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            while piece := stream.read(_COPY):
                copy.write(piece)
            copy.seek(0)
            yield copy
