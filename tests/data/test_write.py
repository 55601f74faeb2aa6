"""Tables out: what is written reads back the same, runs nowhere as a formula, and is whole or not there."""

from __future__ import annotations

import csv
import errno
import io
import os
import time
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from molgraph.data.cells import DIGITS, column_texts
from molgraph.data.table import read_tables
from molgraph.data.write import harmless, open_writer
from molgraph.errors import ConfigError, DataError, ResourceError

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.zst", ".xlsx", ".parquet")
FRAME = pd.DataFrame(
    {
        "smiles": ["CCO", "", "[Na+].[Cl-]", "F/C=C/F"],
        "id": ["007", "NA", "1e-3", "5.30"],
        "note, free": ['a,b;c\td "quoted"', "two\nlines", "end\r", "µM"],
        "pIC50": np.array([5.1199999, np.nan, -0.0, 1e-7], np.float32),
        "in_domain": [True, False, True, True],
        "n": [1, 2, 3, -4],
    }
)
TEXTS = FRAME.assign(
    pIC50=["5.12", "", "0", "1e-07"],
    in_domain=["true", "false", "true", "true"],
    n=["1", "2", "3", "-4"],
).to_dict("list")


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_written_tables_read_back_the_same(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open_writer(path) as writer:
        writer.write(FRAME.iloc[:1])
        writer.write(FRAME.iloc[1:])
    (table,) = read_tables(path)
    found = table.frame.to_dict("list")
    if suffix == ".xlsx":
        found["in_domain"] = [t.lower() for t in found["in_domain"]]
        assert found["note, free"][2] == "end\n"  # XML knows one kind of line end
        found["note, free"][2] = "end\r"
    if suffix == ".parquet":
        found["pIC50"] = column_texts(pd.Series(found["pIC50"]).replace("", "nan").astype(float))
    assert found == TEXTS


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_table_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    if suffix == ".xlsx":
        pytest.skip("a workbook holds the time it was made")
    for name in ("a", "b"):
        with open_writer(tmp_path / f"{name}{suffix}") as writer:
            writer.write(FRAME)
        time.sleep(0.01)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_python_and_pandas_read_our_csv(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.csv") as writer:
        writer.write(FRAME)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as handle:
        assert list(zip(*csv.reader(handle), strict=True))[2][1:] == tuple(FRAME["note, free"])
    read = pd.read_csv(tmp_path / "a.csv", keep_default_na=False, dtype=str)
    assert read["note, free"].tolist() == FRAME["note, free"].tolist()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz"])
def test_formulas_are_harmless(tmp_path: Path, suffix: str) -> None:
    evil = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/c calc'!A1"]
    evil += ["-1/A1", "-CH3(A1)", "@id|x!A1", "-7.2 kcal/mol=1"]
    plain = ["-3.2", "+5", "-1e-3", "-.5", "[Na+]", "C=C", "(-)-menthol", ""]
    plain += ["-1,5", "-1.234,5", "-7.2 kcal/mol", "-3 %", "-CH3", "+/-", "@id", "+ctl 2"]
    with open_writer(tmp_path / f"a{suffix}") as writer:
        writer.write(pd.DataFrame({"=name()": evil + plain, "y": 0}))
    (table,) = read_tables(tmp_path / f"a{suffix}")
    assert table.frame.columns[0] == "'=name()"
    assert table.frame.iloc[:, 0].tolist() == ["'" + e for e in evil] + plain
    assert [harmless(p) for p in plain] == plain


def test_a_workbook_holds_text_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.xlsx") as writer:
        writer.write(FRAME.assign(evil=["=1+1", "@x", "bell\a", "-5.5"]))
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    cells = {c: [sheet.cell(r, i).value for r in range(2, 6)] for i, c in enumerate([*FRAME, "evil"], start=1)}
    assert cells["id"] == ["007", "NA", "1e-3", "5.30"]
    assert cells["pIC50"] == [5.12, None, 0, 1e-7]
    assert cells["in_domain"] == [True, False, True, True]
    assert cells["evil"] == ["=1+1", "@x", "bell\N{REPLACEMENT CHARACTER}", -5.5]
    assert sheet.cell(2, 7).data_type == "s"  # "f" would be a formula


def test_what_excel_cannot_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="32,767 characters"), open_writer(tmp_path / "a.xlsx") as writer:
        writer.write(pd.DataFrame({"smiles": ["C" * 40_000]}))
    monkeypatch.setattr("molgraph.data.spreadsheet.EXCEL_ROWS", 3)
    with pytest.raises(DataError, match="holds 3 rows"), open_writer(tmp_path / "a.xlsx") as writer:
        writer.write(FRAME)
    assert left(tmp_path) == []


def test_parquet_types(tmp_path: Path) -> None:
    frame = FRAME.assign(text=[None, 1, "x", True], d=[1.0, 2.0, 3.0, np.nan])
    with open_writer(tmp_path / "a.parquet") as writer:
        writer.write(frame)
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert [str(t) for t in schema.types] == ["string"] * 3 + ["float", "bool", "int64", "string", "double"]
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["text"].to_pylist() == ["", "1", "x", "true"]
    assert table["pIC50"].null_count == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_nothing(tmp_path: Path, suffix: str, error: type[BaseException]) -> None:
    with pytest.raises(error), open_writer(tmp_path / f"a{suffix}") as writer:
        writer.write(FRAME)
        raise error
    assert left(tmp_path) == []


class FullDisk(io.RawIOBase):
    """Refuse every byte."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    monkeypatch.setattr(Path, "open", lambda self, *_: self.touch() or io.BufferedWriter(FullDisk()))
    with pytest.raises(ResourceError, match=rf"{path.name}: cannot be written: no space"), open_writer(path) as writer:
        writer.write(pd.concat([FRAME] * 1000))
    assert left(tmp_path) == []


def test_blocks_of_other_columns_are_refused(tmp_path: Path) -> None:
    for suffix in (".csv", ".xlsx", ".parquet"):
        with pytest.raises(DataError, match="a block has the columns"), open_writer(tmp_path / f"a{suffix}") as writer:
            writer.write(FRAME)
            writer.write(FRAME[["smiles"]])


@pytest.mark.parametrize("name", ["a.ods", "a", "a.xlsx.gz", "a.parquet.zst"])
def test_an_unknown_format_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    known = r"known: \.csv, \.tsv, \.sdf \(also \.gz, \.zst\), \.xlsx, \.parquet"
    with pytest.raises(ConfigError, match=known), open_writer(tmp_path / name):
        pass
    assert left(tmp_path) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_written_and_no_rows_are_files(tmp_path: Path, suffix: str) -> None:
    with open_writer(tmp_path / f"a{suffix}"):
        pass
    with open_writer(tmp_path / f"b{suffix}") as writer:
        writer.write(FRAME.iloc[:0])
    for name in "ab":
        assert list(read_tables(tmp_path / f"{name}{suffix}")) == []


def test_one_column_with_blanks_keeps_its_rows(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.csv") as writer:
        writer.write(pd.DataFrame({"smiles": ["", "C", ""]}))
    (table,) = read_tables(tmp_path / "a.csv")
    assert table.frame["smiles"].tolist() == ["", "C", ""]


def test_seven_digits_hold_a_float32_to_its_precision() -> None:
    numbers = np.random.default_rng(0).normal(size=10_000).astype(np.float32) * 1000
    again = np.array([float(format(float(n), DIGITS)) for n in numbers])
    assert np.max(np.abs(again / numbers - 1)) < np.finfo(np.float32).eps * 5


def test_objects_become_text() -> None:
    values = pd.Series([None, np.nan, pd.NA, True, np.bool_(False), 5, 5.0, "x", np.float32(0.1)], dtype=object)
    assert column_texts(values) == ["", "", "", "true", "false", "5", "5", "x", "0.1"]
