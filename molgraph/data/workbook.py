"""Excel workbooks as text: one sheet, one row of cells at a time."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain
from typing import IO, Any, NamedTuple

from molgraph.data.above import titles
from molgraph.data.bounds import check
from molgraph.data.merged import Area, Covered
from molgraph.data.sheets import seekable
from molgraph.data.stream import SHOWN, Broken, Header, Row, Stored, Unread, file_and_sheet, name_of
from molgraph.errors import DataError, did_you_mean, many

_COPY = 1 << 20
_UNCALCULATED = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>]*><f[^>]*(?:/>|>[^<]*</f>)(?:<v ?/>|<v></v>)?</c>')
_FILLED = re.compile(rb'<c r="([A-Z]+)[0-9]+"(?:[^>/]|/(?!>))*>')  # a cell that is more than formatted
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]+[0-9]+):([A-Z]+[0-9]+)" ?/>')
_LONGEST_CELL = 1 << 14  # bytes carried from one piece of a sheet to the next, so that no cell is cut in two
_ABOVE = 10  # rows among which titles are looked for
_MOST = 1 << 20  # merged areas, and formulas without a value: one of each row


class Scanned(NamedTuple):
    """Hold what the text of a sheet says: the last column with a cell, the columns of formulas without a value by row,
    and the merged areas."""

    widest: int
    formulas: dict[int, list[int]]
    merged: list[Area]


def workbook(source: str | os.PathLike[str]) -> Iterator[Row]:
    """Yield the header and then every row of a sheet of an `.xlsx` workbook: the one that `data.xlsx#Sheet2` names,
    else the first visible one.

    A column with cells and no header has the header "". Numbers come with the 15 digits that Excel shows, whole ones
    without a point, dates in ISO form; an identifier formatted as "000" keeps its zeros. Other number formats are not
    applied: a percentage is its fraction. A formula that was never calculated and all but the first of merged cells are
    empty, and say why. Titles above the header are passed over.

    Raises: DataError for a damaged workbook, one that holds more than Excel allows, and a sheet that is not there.
    """
    import openpyxl  # 0.2 s, and only workbooks need it

    path, wanted = file_and_sheet(source)
    name = name_of(path)
    with seekable(path) as stream:
        try:
            check(stream, name)
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            sheet, origin = _sheet(book, wanted, name)
        except DataError:
            raise
        except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError, StopIteration, OSError) as error:
            raise DataError(f"{name}: not a readable .xlsx workbook ({error}); save it again as .xlsx") from error
        scanned = _scanned(stream, sheet, name)
        sheet.reset_dimensions()  # some programs write a wrong one, and rows would be cut to it
        try:
            count = 0
            for row in _rows(_cells(sheet, scanned, name), scanned.widest, origin):
                count += 1
                yield row
            if count < 2 and origin != name:  # what is wanted is in another sheet
                raise DataError(f"{origin}: no rows; the sheet is empty or holds only a header")
        except DataError:
            raise
        except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
            raise DataError(f"{name}: the workbook is damaged ({error}); save it again as .xlsx") from error


def _sheet(book: Any, wanted: str, name: str) -> tuple[Any, str]:
    """Return the sheet to read, and how messages name it: of several, with the others."""
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if wanted:
        found = next((sheet for sheet in book.worksheets if sheet.title == wanted), None)
        if found is None:
            raise DataError(f"{name}: no sheet '{wanted}'{did_you_mean(wanted, [sheet.title for sheet in visible])}")
        return found, f"{name} (sheet '{wanted}')"
    first = next(iter(visible))
    others = [sheet.title for sheet in visible if sheet is not first]
    if not others:
        return first, name
    also = ", ".join(f"'{title}'" for title in others[:5])
    return first, f"{name} (sheet '{first.title}'; it also has {also}: name one as {name}#{others[0]})"


def _cells(sheet: Any, scanned: Scanned, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every row; an empty one that is so for a reason says it."""
    from openpyxl.utils import get_column_letter

    formula = "cell {} of sheet '{}' holds a formula without a value; open the workbook in Excel and save it"
    covered = Covered(scanned.merged, f"{name}: sheet '{sheet.title}'")
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [_text(cell) for cell in row]
        columns = scanned.formulas.get(number, ())
        cells += [""] * (max(columns, default=0) - len(cells))
        for at in columns:
            cells[at - 1] = cells[at - 1] or Unread(formula.format(f"{get_column_letter(at)}{number}", sheet.title))
        for area in covered.at(number) if any(cells) else ():
            last = min(area.right, scanned.widest)
            cells += [""] * (last - len(cells))
            why = f"the cells {area} of sheet '{sheet.title}' are merged; unmerge them and fill each"
            for at in range(area.left + (area.top == number), last + 1):
                cells[at - 1] = cells[at - 1] or Unread(why)
        yield number, cells


def _rows(numbered: Iterator[tuple[int, list[str]]], widest: int, origin: str) -> Iterator[Row]:
    head = []
    for number, cells in numbered:
        head.append((number, cells))
        if len(head) == _ABOVE:
            break
    above = titles([cells for _, cells in head])
    words = " / ".join(cell for _, cells in head[:above] for cell in cells if cell)
    notes = [f"'{words[:SHOWN]}' stands above the table and was passed over."] if above else []
    width = 0
    for number, cells in chain(head[above:], numbered):
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if not width and cells:
            width = max(len(cells), widest)
            yield Header([*cells, *[""] * (width - len(cells))], notes, origin)
        else:
            yield _row_of(cells, width, number)


def _row_of(cells: list[str], width: int, number: int) -> Row:
    if not any(cells):
        return []
    if len(cells) > width:
        message = f"row {number} of the sheet has {many(len(cells), 'cell')} where the header has {width}"
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
        if "." in digits:
            return Stored(digits)
        return digits.zfill(len(zeros)) if set(zeros) == {"0"} and digits.isdigit() else digits
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)


def _scanned(stream: IO[bytes], sheet: Any, name: str) -> Scanned:
    """Look through the text of a sheet for what openpyxl reads as empty without a word.

    Raises: DataError for more formulas without a value, or merged areas, than are kept.
    """
    from openpyxl.utils import column_index_from_string
    from openpyxl.utils.cell import coordinate_to_tuple

    letters: set[bytes] = set()
    merged: set[Area] = set()
    formulas: set[tuple[int, int]] = set()
    with zipfile.ZipFile(stream) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as xml:
        carried = b""
        while piece := xml.read(_COPY):
            text = carried + piece  # what is carried is found again
            formulas.update(coordinate_to_tuple(cell.decode()) for cell in _UNCALCULATED.findall(text))
            for corners in _MERGED.findall(text):
                (top, left), (bottom, right) = (coordinate_to_tuple(cell.decode()) for cell in corners)
                merged.add(Area(top, left, bottom, right))
            if len(formulas) > _MOST or len(merged) > _MOST:
                what = "formulas without a value" if len(formulas) > _MOST else "merged areas"
                raise DataError(f"{name}: sheet '{sheet.title}' has over {_MOST:,} {what}; save it as CSV in Excel")
            letters.update(_FILLED.findall(text))
            carried = piece[-_LONGEST_CELL:]
    columns: dict[int, list[int]] = {}
    for row, column in sorted(formulas):
        columns.setdefault(row, []).append(column)
    widest = max((column_index_from_string(each.decode()) for each in letters), default=0)
    return Scanned(widest, columns, [area for area in merged if area.left <= widest])
