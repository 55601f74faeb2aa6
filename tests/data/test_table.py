"""Any table, in blocks of text: one row per record, in order."""

from __future__ import annotations

import io
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molgraph.data import stream
from molgraph.data.stream import Broken
from molgraph.data.table import BLOCK, Table, find_column, nonempty, read_tables, tables
from molgraph.errors import DataError

USUAL = ("smiles", "canonical_smiles", "drug")


def whole(source: object, **options: int) -> Table:
    (table,) = read_tables(source, **options)
    return table


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.tsv", "a.txt", "a.xlsx", "a.parquet"])
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"smiles": ["CCO", "not a smiles", ""], "id": ["007", "1e-3", "NA"]})
    path = tmp_path / name
    if path.suffix == ".xlsx":
        frame.to_excel(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    table = whole(path)
    assert table.frame.to_dict("list") == frame.to_dict("list")
    assert table.rows.tolist() == [1, 2, 3]
    assert table.column == "" and not table.broken and table.origin == str(path)


def test_blocks_join_to_the_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles,n\n" + "".join(f"C,{i}\n" if i % 7 else "C\n" for i in range(1000)))
    blocks = list(read_tables(path, block=64))
    assert [len(b) for b in blocks] == [64] * 15 + [40]
    assert np.concatenate([b.rows for b in blocks]).tolist() == list(range(1, 1001))
    assert [int(b.rows[i]) for b in blocks for i in b.broken] == list(range(1, 1001, 7))
    for block in blocks:
        for position, reject in block.broken.items():
            assert reject.row == block.rows[position]
            assert f"line {reject.row + 1} has 1 cell " in reject.message and str(path) in reject.message
            assert block.frame.iloc[position].tolist() == ["", ""]


def test_text_cells_of_a_broken_row_that_could_be_read_stay() -> None:
    (table,) = tables([["a", "b"], Broken("why", "it broke", "seen", ("", "kept"))], ["x", "y"], "file")
    assert table.frame["y"].tolist() == ["b", "kept"]
    assert table.broken[1].row == 2 and table.broken[1].message == "file: it broke"


@pytest.mark.parametrize("text", ["", "\n", "\r\n\r\n", "\ufeff", "smiles,y\n", "smiles,y", "smiles\n\n\n"])
def test_no_rows_is_an_error_where_rows_are_needed(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.csv", text)
    assert list(read_tables(path)) == []
    with pytest.raises(DataError, match=r"a\.csv: no rows"):
        list(nonempty(read_tables(path), str(path)))


def test_rows_pass_through_nonempty(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles\n" + "C\n" * 10)
    assert [len(t) for t in nonempty(read_tables(path, block=4), str(path))] == [4, 4, 2]


def test_blank_lines_are_records_only_where_there_is_one_column(tmp_path: Path) -> None:
    one = whole(write(tmp_path / "one.csv", "\nsmiles\nC\n\n\nCC\n\n\n"))
    assert one.frame["smiles"].tolist() == ["C", "", "", "CC"]
    two = whole(write(tmp_path / "two.csv", "smiles,y\nC,1\n\n\nCC,2\n\n"))
    assert two.frame["smiles"].tolist() == ["C", "CC"]
    assert two.rows.tolist() == [1, 2]


def test_columns_without_a_name_get_one(tmp_path: Path) -> None:
    assert list(whole(write(tmp_path / "a.csv", ",smiles, \n0,C,x\n")).frame) == ["unnamed_1", "smiles", "unnamed_3"]


def test_double_columns_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles,y,z,y\nC,1,2,3\n")
    with pytest.raises(DataError, match=r"a\.csv: more than one column is called 'y'; rename them"):
        list(read_tables(path))
    with pytest.raises(DataError, match="the table given: more than one column is called 'y'"):
        list(read_tables(pd.DataFrame([[1, 2]], columns=["y", "y"])))


def test_a_header_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the header cannot be read: line 1"):
        list(read_tables(write(tmp_path / "a.csv", 'smiles,"y\nC,1\n')))


def test_an_unknown_format_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'\.ods' is no table format; known: \.csv, .*\.parquet"):
        list(read_tables(tmp_path / "a.ods"))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"smiles;y\r\nC;1\r\n"))))
    table = whole("-")
    assert table.frame.to_dict("list") == {"smiles": ["C"], "y": ["1"]} and table.origin == "standard input"


def test_a_frame_becomes_text_with_blanks() -> None:
    frame = pd.DataFrame(
        {
            "smiles": ["C", None, "CC"],
            "f": [1.0, np.nan, 0.1],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "h": np.array([0.1, 2, 3], np.float32),
            "c": pd.Categorical(["a", None, "b"]),
            "b": [True, False, True],
            3: [[1], {}, "x"],
        },
        index=[9, 9, 9],
    )
    table = whole(frame)
    assert table.frame.to_dict("list") == {
        "smiles": ["C", "", "CC"],
        "f": ["1", "", "0.1"],
        "n": ["1", "", "3"],
        "h": ["0.1", "2", "3"],
        "c": ["a", "", "b"],
        "b": ["True", "False", "True"],
        "3": ["[1]", "{}", "x"],
    }
    assert [len(t) for t in read_tables(frame, block=2)] == [2, 1]
    assert list(read_tables(frame.iloc[:0])) == []


@pytest.mark.parametrize(
    ("columns", "wanted", "found"),
    [
        (["id", "smiles"], None, "smiles"),
        (["id", "SMILES"], None, "SMILES"),
        (["id", " Smiles "], None, " Smiles "),
        (["Canonical SMILES", "Drug"], None, "Canonical SMILES"),
        (["Drug_ID", "Drug", "Y"], None, "Drug"),
        (["Ligand SMILES", "IC50"], None, "Ligand SMILES"),
        (["SMILES", "smiles"], None, "smiles"),
        (["Structure", "SMILES string", "ID"], None, "SMILES string"),
        (["Molecule", "Compound SMILES", "ID"], None, "Compound SMILES"),
        (["Drug", "smiles_id"], None, "Drug"),
        (["structure", "smiles"], "structure", "structure"),
        (["Structure", "smiles"], "structure", "Structure"),
    ],
)
def test_the_input_column_is_found(columns: list[str], wanted: str | None, found: str) -> None:
    assert find_column(columns, wanted, USUAL, "a.csv") == found


@pytest.mark.parametrize("columns", [["id", "y"], ["my_smiles", "your_smiles"]])
def test_a_missing_input_column_lists_the_columns(columns: list[str]) -> None:
    with pytest.raises(DataError, match=rf"a\.csv: no column is called smiles.*-s\. Columns: {', '.join(columns)}"):
        find_column(columns, None, USUAL, "a.csv")


def test_a_wrong_input_column_suggests_the_nearest() -> None:
    with pytest.raises(DataError, match=r"no column 'smile'; did you mean 'smiles'\? Known: id, smiles"):
        find_column(["id", "smiles"], "smile", USUAL, "a.csv")


def test_a_line_of_100_mb_is_one_broken_row_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as handle:
        handle.write(b"smiles,y\nC,1\n")
        for _ in range(100):
            handle.write(b"C" * 1_000_000)
        handle.write(b",1\nCC,2\n")
    tracemalloc.start()
    table = whole(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table.frame["smiles"].tolist() == ["C", "", "CC"]
    assert table.broken[1].reason == "too_large" and "line 3" in table.broken[1].message
    assert peak < 5 * stream.LINE


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8") as handle:
        handle.write("smiles,id\n")
        handle.writelines(f"CC(=O)Oc1ccccc1C(=O)O,{i}\n" for i in range(30_000))
    tracemalloc.start()
    assert sum(len(t) for t in read_tables(path)) == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 700 * BLOCK
