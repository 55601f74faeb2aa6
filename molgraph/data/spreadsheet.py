"""Workbooks out, as a person opens them: one sheet, its header in sight, numbers and dates as such, pictures."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from typing import IO, Any

import numpy as np
import pandas as pd

from molgraph.data.cells import cell_text, column_texts, same_columns
from molgraph.errors import DataError

EXCEL_ROWS, EXCEL_CELL = 1_048_576, 32_767  # support.microsoft.com, "Excel specifications and limits"
FIRST_YEAR = 1900  # whose days Excel counts from 1, and wrongly until March
NARROWEST, WIDEST = 8, 60  # characters of a column
SAMPLE = 200  # rows by which widths are told
PICTURE = "picture"
PICTURE_SIZE = 180, 120  # pixels
MOST_PICTURES = 2_000  # rows with one: pictures are held in memory, 12 kB each
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Picture = Callable[[str], bytes]  # of what stands in a cell, as PNG; b"" where there is nothing to draw


class Workbook:
    """Write an Excel workbook that is ready to be used: the header stays in sight and filters, columns are as wide as
    what they hold, a structure may have its picture.

    Text stays text, and is a number or a date only where Excel shows exactly the same.
    """

    guarded = 0

    def __init__(self, handle: IO[bytes], *, column: str = "", picture: Picture | None = None) -> None:
        import openpyxl  # 0.2 s, and only workbooks need it

        self._handle, self._column, self._picture = handle, column, picture
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet("scores")
        self._columns: list[str] | None = None
        self._rows = 1

    def write(self, frame: pd.DataFrame) -> None:
        if self._columns is None:
            self._begin(frame)
        same_columns(self._columns or [], frame)
        drawn = [str(cell) for cell in frame[self._column]] if self._picture else []
        if self._rows + len(frame) > EXCEL_ROWS:
            raise DataError(f"an Excel sheet holds {EXCEL_ROWS:,} rows and this table has more; write .csv or .parquet")
        for at, text in enumerate(drawn):
            self._draw(text, self._rows + at + 1)
        self._rows += len(frame)
        columns = [
            [self._excel(v, exact=values.dtype == np.float64) for v in values.tolist()]
            for values in (frame.iloc[:, at] for at in range(frame.shape[1]))
        ]
        for row in zip(*columns, strict=True):
            self._sheet.append([*[None] * bool(self._picture), *row])

    def _begin(self, frame: pd.DataFrame) -> None:
        """Set what must be known before the first row, and write the header."""
        from openpyxl.utils import get_column_letter

        self._columns = list(frame.columns)
        if self._picture and self._column not in self._columns:
            raise DataError(f"no column '{self._column}' to draw pictures of")
        header = [*[PICTURE] * bool(self._picture), *map(str, frame.columns)]
        texts = [[""] * bool(self._picture)] if self._picture else []
        texts += [column_texts(frame.iloc[:SAMPLE, at]) for at in range(frame.shape[1])]
        for at, (name, column) in enumerate(zip(header, texts, strict=True), start=1):
            longest = max(map(len, (name, *column)))
            width = PICTURE_SIZE[0] / 7 if name == PICTURE and self._picture and at == 1 else longest + 3
            self._sheet.column_dimensions[get_column_letter(at)].width = min(max(width, NARROWEST), WIDEST)
        self._sheet.freeze_panes = "B2" if self._picture else "A2"
        self._width = len(header)
        self._sheet.append([self._excel_text(name) for name in header])

    def _draw(self, text: str, row: int) -> None:
        """Put the picture of a structure in front of its row; what has none has none."""
        from openpyxl.drawing.image import Image

        if row > MOST_PICTURES + 1 or self._picture is None:
            return
        drawn = self._picture(text)
        if drawn:
            image = Image(io.BytesIO(drawn))
            image.width, image.height = PICTURE_SIZE
            image.anchor = f"A{row}"
            self._sheet.add_image(image)
            self._sheet.row_dimensions[row].height = PICTURE_SIZE[1] * 0.75  # points to a pixel

    def close(self) -> None:
        from openpyxl.utils import get_column_letter

        if self._columns:
            self._sheet.auto_filter.ref = f"A1:{get_column_letter(self._width)}{self._rows}"
        with tempfile.TemporaryFile() as made:  # a zip that cannot be finished complains when it is forgotten
            self._book.save(made)
            made.seek(0)
            shutil.copyfileobj(made, self._handle)

    def _excel(self, value: Any, *, exact: bool) -> Any:
        if isinstance(value, str):
            same: Any = _number(value)
            same = _date(value) if same is None else same
            return self._excel_text(value) if same is None else same
        text = cell_text(value)
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


def _date(text: str) -> date | None:
    """Return the date that Excel shows as exactly this text, if there is one."""
    try:
        found = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None
    return found if found is not None and found.year > FIRST_YEAR else None
