"""Workbooks and Parquet as a person sees them."""

from __future__ import annotations

import datetime
import gzip
import pickle
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from molgraph.data.sheets import parquet
from molgraph.data.stream import Unread
from molgraph.data.table import read_tables
from molgraph.data.workbook import workbook
from molgraph.errors import DataError
from molgraph.kinds.read import parse_targets
from molgraph.rooms.molecule.read import read as molecules


def book(path: Path, rows: list[list[object]], formats: dict[str, str] | None = None) -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for cell, code in (formats or {}).items():
        made.active[cell].number_format = code
    made.save(path)
    return path


def test_numbers_come_as_a_person_sees_them(tmp_path: Path) -> None:
    values = [7, 7.0, 0.1 + 0.2, 1e-7, True, "007", "NA", None, datetime.datetime(2024, 5, 1), "C"]
    path = book(tmp_path / "a.xlsx", [[f"c{i}" for i in range(len(values))], values])
    expected = ["7", "7", "0.3", "1e-07", "TRUE", "007", "NA", "", "2024-05-01", "C"]
    assert list(workbook(path))[1] == expected


def test_an_identifier_keeps_its_zeros(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["id", "y"], [7, 7]], {"A2": "0000", "B2": "0.00"})
    assert list(workbook(path))[1] == ["0007", "7"]


def test_rows_are_padded_never_shifted(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["smiles", "y"], ["C"], [], ["CC", 1, None, "stray"], [None, 2]])
    rows = list(workbook(path))
    assert rows == [["smiles", "y", "", ""], ["C", "", "", ""], [], ["CC", "1", "", "stray"], ["", "2", "", ""]]
    (table,) = read_tables(path)
    assert list(table.frame) == ["smiles", "y", "unnamed_3", "unnamed_4"] and not table.broken


def test_a_column_that_is_only_formatted_is_none(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["smiles", "y"], ["C", 1]], {"F2": "0.00"})
    assert list(workbook(path)) == [["smiles", "y"], ["C", "1"]]


def test_a_hidden_sheet_is_passed_over(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.append(["hidden"])
    made.active.sheet_state = "hidden"
    made.create_sheet("shown").append(["smiles"])
    made.save(tmp_path / "a.xlsx")
    assert list(workbook(tmp_path / "a.xlsx")) == [["smiles"]]


def test_a_formula_without_a_value_says_so_where_it_is_needed(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["smiles", "y", "z"], ["C", "=1+1", 5]])
    (table,) = read_tables(path)
    assert table.frame.to_numpy().tolist() == [["C", "", "5"]]
    assert parse_targets(table.frame, ["z"]).values[0, 0] == 5
    with pytest.raises(DataError, match=r"y: cell B2 of sheet 'Sheet' holds a formula without a value; open the"):
        parse_targets(table.frame, ["y"])


def test_merged_cells_are_named(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["smiles", "y"], ["C", 1], [None, 2], ["CC", 3]])
    made = openpyxl.load_workbook(path)
    made.active.merge_cells("A2:A3")
    made.save(path)
    (table,) = read_tables(path)
    cell = table.frame["smiles"][1]
    assert cell == "" and isinstance(cell, Unread)
    assert cell.why == "the cells A2:A3 of sheet 'Sheet' are merged; unmerge them and fill each"
    assert pickle.loads(pickle.dumps(cell)).why == cell.why


def test_a_sheet_is_named_and_the_others_are_told(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.title = "Cover"
    made.active.append(["Made by", "on"])
    made.active.append(["somebody", "Monday"])
    for row in (["smiles", "y"], ["C", 1]):
        made["Data 2.1"].append(row) if "Data 2.1" in made else made.create_sheet("Data 2.1").append(row)
    path = tmp_path / "a.xlsx"
    made.save(path)
    (table,) = read_tables(f"{path}#Data 2.1")
    assert table.frame.to_dict("list") == {"smiles": ["C"], "y": ["1"]}
    with pytest.raises(DataError, match=r"sheet 'Cover'; it also has 'Data 2\.1': name one as .*a\.xlsx#Data 2\.1"):
        list(molecules(path))
    with pytest.raises(DataError, match=r"no sheet 'Data'; did you mean 'Data 2\.1'"):
        list(read_tables(f"{path}#Data"))


def test_sheets_are_told_where_the_first_has_no_rows(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.append(["read me"])
    made.create_sheet("data").append(["smiles"])
    path = tmp_path / "a.xlsx"
    made.save(path)
    with pytest.raises(DataError, match=r"it also has 'data': name one as .*a\.xlsx#data\): no rows"):
        list(molecules(path))


@pytest.mark.parametrize("between", [[], [[None]]])
def test_titles_above_the_header_are_passed_over(tmp_path: Path, between: list[list[object]]) -> None:
    rows = [["Assay of May 2024"], ["Plate: 7"], *between, ["smiles", "y"], ["C", 1], ["CC", 2]]
    (table,) = read_tables(book(tmp_path / "a.xlsx", rows))
    assert table.frame.to_dict("list") == {"smiles": ["C", "CC"], "y": ["1", "2"]} and table.rows.tolist() == [1, 2]
    assert table.notes == ("'Assay of May 2024 / Plate: 7' stands above the table and was passed over.",)


def test_a_formula_with_a_value_gives_the_value(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["smiles", "y"], ["C", "=1+1"]])
    done = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(done, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>"))
    assert list(workbook(done))[1] == ["C", "2"]


def test_a_wrong_dimension_record_cuts_nothing(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["smiles", "y"], ["C", 1]])
    done = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(done, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1"'))
    assert list(workbook(done)) == [["smiles", "y"], ["C", "1"]]


@pytest.mark.parametrize("read", [workbook, lambda path: parquet(path, 10)])
@pytest.mark.parametrize("content", [b"", b"nonsense", "half"])
def test_damaged_files_are_data_errors(tmp_path: Path, read, content: bytes | str) -> None:
    path = tmp_path / "a.file"
    if content == "half":
        book(path, [["smiles"], ["C"]]) if read is workbook else pq.write_table(pa.table({"smiles": ["C"] * 99}), path)
        content = path.read_bytes()[: path.stat().st_size // 2]
    assert isinstance(content, bytes)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.file"):
        list(read(path))


def test_a_workbook_with_a_damaged_sheet_is_a_data_error(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["smiles"], ["C"]])
    done = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(done, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text[: len(text) // 2] if "sheet1" in name else text)
    with pytest.raises(DataError, match=r"b\.xlsx"):
        list(workbook(done))


def test_parquet_cells_are_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "smiles": pa.array(["C", None]).dictionary_encode(),
            "f": pa.array([0.1, 5.3], pa.float32()),
            "d": [5.0, 1e-7],
            "i": [7, None],
            "b": [True, False],
            "l": [[1, 2], None],
            "raw": [b"\xff", b"a"],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    header, *rows = parquet(tmp_path / "a.parquet", 1)
    assert header == table.column_names
    assert rows[0][:6] == ["C", "0.1", "5", "7", "true", "[1, 2]"]
    assert rows[1][:6] == ["", "5.3", "1e-7", "", "false", ""]
    assert rows[0][6] == "\"b'\\\\xff'\""


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_compressed_ones_are_read(tmp_path: Path, suffix: str, pack) -> None:
    frame = pd.DataFrame({"smiles": ["C", "CC"], "y": ["1", "2"]})
    expected = [["smiles", "y"], ["C", "1"], ["CC", "2"]]
    frame.to_parquet(tmp_path / "a.parquet")
    made = book(tmp_path / "a.xlsx", expected)
    for path, read in ((tmp_path / "a.parquet", lambda p: parquet(p, 10)), (made, workbook)):
        packed = path.with_name(path.name + suffix)
        packed.write_bytes(pack(path.read_bytes()))
        assert list(read(packed)) == expected


def test_standard_input_is_no_workbook() -> None:
    with pytest.raises(DataError, match="save the workbook"):
        list(workbook("-"))
