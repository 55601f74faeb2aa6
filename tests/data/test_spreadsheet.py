"""A workbook is ready to be used: header in sight, filter, widths, dates, pictures."""

from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from molgraph.data.table import read_tables
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, DataError
from molgraph.rooms.molecule.draw import picture

FRAME = pd.DataFrame(
    {
        "smiles": ["CCO", "nonsense", ""],
        "made": ["2024-05-01", "2024-13-01", "1899-01-01"],
        "note": ["x" * 200, "=1+1", "007"],
        "pIC50": ["5.1", "", "7"],
    }
)


def test_a_workbook_is_ready_to_be_used(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with open_writer(path) as writer:
        writer.write(FRAME)
    sheet = openpyxl.load_workbook(path).active
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:D4")
    assert [sheet.column_dimensions[c].width for c in "ABCD"] == [11, 13, 60, 8]
    assert sheet["B2"].value == datetime.datetime(2024, 5, 1) and sheet["B2"].is_date
    assert [sheet[c].value for c in ("B3", "B4", "C3", "C4", "D2")] == ["2024-13-01", "1899-01-01", "=1+1", "007", 5.1]
    (table,) = read_tables(path)
    assert table.frame.to_dict("list") == FRAME.to_dict("list")


def test_structures_have_their_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with open_writer(path, column="smiles", picture=picture) as writer:
        writer.write(FRAME.iloc[:1])
        writer.write(FRAME.iloc[1:])
    sheet = openpyxl.load_workbook(path).active
    assert [(image.anchor._from.row, image.anchor._from.col) for image in sheet._images] == [(1, 0)]
    assert (sheet.freeze_panes, sheet["A1"].value, sheet["B2"].value) == ("B2", "picture", "CCO")
    assert sheet.row_dimensions[2].height == 90 and sheet.row_dimensions[3].height is None
    with pytest.raises(ConfigError, match="pictures stand in a workbook"), open_writer(tmp_path / "a.csv", picture=len):
        pass
    with (
        pytest.raises(DataError, match="no column 'mol'"),
        open_writer(tmp_path / "b.xlsx", column="mol", picture=picture) as writer,
    ):
        writer.write(FRAME)


def test_a_picture_is_a_png_and_nothing_of_nothing() -> None:
    assert picture("c1ccccc1O").startswith(b"\x89PNG")
    assert picture("nonsense") == picture("") == picture("C" * 300) == b""


def test_csv_for_excel_is_marked_and_guarded_cells_are_counted(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.csv", mark=True) as writer:
        writer.write(FRAME)
        writer.write(FRAME)
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfsmiles,")
    assert writer.guarded == 2
    (table,) = read_tables(tmp_path / "a.csv")
    assert list(table.frame) == list(FRAME)
    with open_writer(tmp_path / "b.csv") as writer:
        writer.write(FRAME)
    assert (tmp_path / "b.csv").read_bytes().startswith(b"smiles,")
