"""Merged areas: only the first cell of each holds anything, and the others say so, however many there are."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

from molgraph.data import workbook as module
from molgraph.data.merged import Area, Covered
from molgraph.data.stream import Unread
from molgraph.data.workbook import workbook
from molgraph.errors import DataError


def merged(path: Path, areas: list[str], rows: int = 5, columns: int = 4) -> Path:
    """Write a table whose cells under merged areas are empty; the areas go into the text, whether Excel likes them."""
    book = openpyxl.Workbook()
    covered = {
        (row, column)
        for area in areas
        for left, top, right, bottom in [openpyxl.utils.range_boundaries(area)]
        for row in range(top, min(bottom, rows) + 1)
        for column in range(left, min(right, columns) + 1)
        if (row, column) != (top, left)
    }
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            if (row, column) not in covered:
                book.active.cell(row, column, f"c{column}" if row == 1 else 10 * row + column)
    book.save(path.with_suffix(".plain"))
    told = "".join(f'<mergeCell ref="{area}"/>' for area in areas)
    with zipfile.ZipFile(path.with_suffix(".plain")) as given, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            text = given.read(name).decode()
            if name.endswith("sheet1.xml"):
                text = text.replace("</sheetData>", f"</sheetData><mergeCells>{told}</mergeCells>")
            made.writestr(name, text)
    return path


def whys(path: Path) -> dict[tuple[int, int], str]:
    rows = list(workbook(path))
    return {
        (r, c): re.search(r"cells (\S+) of", cell.why)[1]
        for r, row in enumerate(rows, start=1)
        for c, cell in enumerate(row, start=1)
        if isinstance(cell, Unread)
    }


def test_every_cell_but_the_first_of_an_area_says_so(tmp_path: Path) -> None:
    path = merged(tmp_path / "a.xlsx", ["A2:A4", "B2:C3", "D5:Z5", "C4:D4"])
    assert whys(path) == {
        **{(3, 1): "A2:A4", (4, 1): "A2:A4"},
        **{(2, 3): "B2:C3", (3, 2): "B2:C3", (3, 3): "B2:C3", (4, 4): "C4:D4"},
    }
    assert [row[:2] for row in workbook(path)][1:] == [["21", "22"], ["", ""], ["", "42"], ["51", "52"]]


def test_an_area_to_the_last_row_of_a_sheet_is_told_too(tmp_path: Path) -> None:
    path = merged(tmp_path / "a.xlsx", ["B2:B1048576", "F1:XFD1048576"])
    assert whys(path) == {(row, 2): "B2:B1048576" for row in (3, 4, 5)}


@pytest.mark.parametrize(
    "areas",
    [
        ["A2:B3", "B3:C4"],
        ["A2:D5", "B3:C4"],
        ["B3:C4", "A2:D5"],
        ["A2:A9", "A3:A4"],
        ["A1:D1", "D1:D2"],
        [f"A{2 + n % 3}:D{1000 + n}" for n in range(5000)],
    ],
    ids=lambda areas: "-".join(areas[:2]),
)
def test_areas_that_overlap_are_refused_by_name(areas: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.xlsx: sheet 'Sheet' has merged areas that overlap, ") as caught:
        list(workbook(merged(tmp_path / "a.xlsx", areas, columns=5)))
    named = re.findall(r"[A-Z]+\d+:[A-Z]+\d+", str(caught.value))
    assert len(named) == 2 and set(named) <= set(areas)


def test_the_same_area_written_twice_is_one(tmp_path: Path) -> None:
    assert whys(merged(tmp_path / "a.xlsx", ["A2:A4", "A2:A4"])) == {(3, 1): "A2:A4", (4, 1): "A2:A4"}


def test_areas_are_looked_at_once_each() -> None:
    """Ten thousand areas over a million rows: each row is told its own, and none is gone through for every row."""
    areas = [Area(100 * n + 1, column, 100 * n + 90, column) for n in range(5_000) for column in (1, 3)]
    covered = Covered(areas, "a")
    assert [len(covered.at(row)) for row in (1, 90, 91, 101, 250_050, 499_995, 500_000)] == [2, 2, 0, 2, 2, 0, 0]


def test_more_than_are_kept_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    with pytest.raises(DataError, match="over 3 merged areas; save it as CSV"):
        list(workbook(merged(tmp_path / "a.xlsx", [f"A{n}:B{n}" for n in range(2, 6)])))
    book = openpyxl.Workbook()
    for row in [["a", "b"], *[["=1+1", "=2"]] * 2]:
        book.active.append(row)
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(DataError, match="over 3 formulas without a value"):
        list(workbook(tmp_path / "b.xlsx"))
