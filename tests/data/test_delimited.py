"""CSV and TSV: no cell shifts, no record is swallowed, every bad line has its number."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from molgraph.data.delimited import CELL, delimited, records, sniff
from molgraph.data.stream import Broken, Header, Lines, Row
from molgraph.data.table import read_tables


def rows(text: str, delimiter: str | None = None) -> list[Row]:
    lines = Lines(io.BufferedReader(io.BytesIO(text.encode())), "a.csv")
    return list(records(lines, delimiter))


def shapes(text: str, delimiter: str | None = None) -> list[str | int]:
    return [row.reason if isinstance(row, Broken) else len(row) for row in rows(text, delimiter)]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("smiles,y\nCCO,1\n", ","),
        ("smiles;y\nCCO;5,3\nCC;1,2\n", ";"),
        ("smiles\tIC50, nM\nCCO\t1\n", "\t"),
        ("smiles;IC50, nM\nCCO;1\nCC;2\n", ";"),
        ("smiles;IC50, nM\nCCO;1,5\nCC;2,5\n", ";"),
        ("smiles\nCCO\n", ","),
        ('name,smiles\n"a;b",C\n"a;b",C\n', ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_found(text: str, delimiter: str) -> None:
    lines = Lines(io.BufferedReader(io.BytesIO(text.encode())), "a.csv")
    assert sniff(lines) == delimiter
    assert "".join(lines) == text


def test_cells_stay_the_users_text() -> None:
    cells = ["007", "1e-3", "NA", " x ", "", "1,5", 'say "hi"', "two\nlines", "µ"]
    quoted = ",".join('"' + c.replace('"', '""') + '"' for c in cells)
    header = ",".join(f"c{i}" for i in range(len(cells)))
    assert rows(f"{header}\n{quoted}\n", ",")[1] == cells


def test_more_than_a_sample_of_rows_all_arrive() -> None:
    text = "smiles,n\n" + "".join(f"C,{i}\n" for i in range(1000))
    assert [row[1] for row in rows(text)[1:]] == [str(i) for i in range(1000)]


def test_ragged_rows_keep_their_place_and_number() -> None:
    found = rows("smiles,a,b\nC,1,2\nCC,1\nCCC,1,2,3\nN,1,2\n")
    assert [isinstance(r, Broken) for r in found] == [False, False, True, True, False]
    assert isinstance(found[2], Broken) and isinstance(found[3], Broken)
    assert found[2].reason == found[3].reason == "ragged_row"
    assert "line 3 has 2 cells where the header has 3" in found[2].message
    assert "line 4 has 4 cells" in found[3].message
    assert found[3].text == "CCC,1,2,3"


def test_line_numbers_count_the_lines_of_quoted_cells() -> None:
    found = rows('smiles,note\nC,"a\nb\nc"\nCC\n')
    assert found[1] == ["C", "a\nb\nc"]
    assert isinstance(found[2], Broken) and found[2].message.startswith("line 5 ")


def test_a_header_may_span_lines() -> None:
    assert rows('smiles,"IC50\n(nM)"\nC,1\n') == [["smiles", "IC50\n(nM)"], ["C", "1"]]


@pytest.mark.parametrize("rest", ["CC,2\nCCC,3\n", "".join(f"CC,{'x' * 100}\n" for _ in range(CELL // 50))])
def test_an_open_quote_swallows_no_record(rest: str) -> None:
    found = rows('smiles,name\nC,"open\n' + rest)
    assert found[1] == ["C", '"open']
    assert found[2:] == [line.split(",") for line in rest.splitlines()]


def test_an_open_quote_that_could_shift_cells_breaks_its_line_only() -> None:
    found = rows('smiles,name,y\nC,"a,b\nCC,x,2\nCCC,y,3\n')
    assert isinstance(found[1], Broken) and "line 2 opens a quote" in found[1].message
    assert found[2:] == [["CC", "x", "2"], ["CCC", "y", "3"]]


def test_stray_quotes_in_tab_separated_text_are_characters() -> None:
    """As in RDKit's buildingblocks.smi: a name opens with a quote, a later one with two."""
    text = 'smiles\tname\nC\t"one\nCC\ttwo\nCCC\t""three"\nN\t"four" methyl\n'
    assert rows(text, "\t")[1:] == [["C", '"one'], ["CC", "two"], ["CCC", '""three"'], ["N", '"four" methyl']]


def test_text_after_a_closing_quote_that_could_shift_is_broken() -> None:
    found = rows('smiles,name,y\nC,"a,b"c,1\nCC,x,2\n')
    assert isinstance(found[1], Broken) and "goes on after a closing quote" in found[1].message
    assert found[2] == ["CC", "x", "2"]


def test_a_cell_too_large_breaks_its_row() -> None:
    assert shapes(f"smiles,y\n{'C' * (CELL + 1)},1\nCC,2\n") == [2, "too_large", 2]
    assert shapes(f"smiles,y\n{'C' * CELL},1\nCC,2\n") == [2, 2, 2]


def test_an_unreadable_line_inside_quotes_does_not_hide_the_rows_around_it() -> None:
    lines = Lines(io.BufferedReader(io.BytesIO(b'smiles,n\nC,"a\n\x81\nb"\nCC,1\n')), "a.csv")
    found = list(records(lines))
    reasons = [row.reason if isinstance(row, Broken) else row for row in found]
    assert reasons[1] == ["C", '"a']
    assert "unreadable" in reasons
    assert found[-1] == ["CC", "1"]


def test_blank_lines_are_given_as_such() -> None:
    assert rows("smiles,y\n\nC,1\n\n") == [["smiles", "y"], [], ["C", "1"], []]


def test_lines_that_all_end_with_a_delimiter_have_a_column_without_a_name() -> None:
    assert rows("smiles,y\nC,1,\nCC,2,\n") == [["smiles", "y", ""], ["C", "1", ""], ["CC", "2", ""]]
    kept = rows("smiles,y\nC,1,\nCC,2\n")
    assert kept[0] == ["smiles", "y"] and kept[1].reason == "ragged_row" and kept[2] == ["CC", "2"]
    shifted = rows("smiles,name\nC,1,2-diol\nCC,1,3-diol\n")
    assert [getattr(row, "reason", "") for row in shifted] == ["", "ragged_row", "ragged_row"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sep=;\nsmiles;y\nCCO;1,5\n", [["smiles", "y"], ["CCO", "1,5"]]),
        ('"sep=,"\r\nsmiles,y\r\nC,1\r\n', [["smiles", "y"], ["C", "1"]]),
        ("sep=\\t\nsmiles\ty\nC\t1\n", [["smiles", "y"], ["C", "1"]]),
        ("sep=\t\nsmiles\ty\nC\t1\n", [["smiles", "y"], ["C", "1"]]),
        ("smiles|y\nCCO|1\nCC|2\n", [["smiles", "y"], ["CCO", "1"], ["CC", "2"]]),
        ("smiles y\nCCO 1\nCC 2\n", [["smiles", "y"], ["CCO", "1"], ["CC", "2"]]),
        ("compound smiles\nCCO\nCC\n", [["compound smiles"], ["CCO"], ["CC"]]),
        ('"smiles" "y"\n"1" "C C" 5\n"2" "CC" 1\n', [["", "smiles", "y"], ["1", "C C", "5"], ["2", "CC", "1"]]),
        ('"smiles","y"\n"a","C",5\n"b","CC",1\n', [["", "smiles", "y"], ["a", "C", "5"], ["b", "CC", "1"]]),
        ("smiles,y\n1,C,5\n2,CC,1\n", [["", "smiles", "y"], ["1", "C", "5"], ["2", "CC", "1"]]),
        ("# by us\n# in nM\nsmiles,y\nC,1\n# note\nCC,2\n", [["smiles", "y"], ["C", "1"], ["CC", "2"]]),
        ("#smiles\ty\nC\t1\n", [["smiles", "y"], ["C", "1"]]),
        ("Assay of May\n\nsmiles;y\nC;1\nCC;2\n", [["smiles", "y"], ["C", "1"], ["CC", "2"]]),
    ],
)
def test_what_programs_write_around_a_table(text: str, expected: list[list[str]]) -> None:
    assert rows(text) == expected


def test_what_stands_above_the_table_is_said() -> None:
    found = rows("Assay of May, in nM\nsmiles;y\nC;1\nCC;2\n")
    assert isinstance(found[0], Header)
    assert found[0].notes == ("'Assay of May, in nM' stands above the table and was passed over.",)


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("C\0C,a,5", ("", "a", "5")),
        ("CC,a\0,5", ("CC", "", "5")),
        ("CC,a,\0", ("CC", "a", "")),
        ('CC,"a, \0b",5', ("CC", "", "5")),
        ("CC\0a,5", ()),
    ],
)
def test_a_nul_takes_its_own_cell_and_no_other(line: str, cells: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"smiles,id,y\nC,a,1\n{line}\nCCC,c,3\n".encode())
    rows = list(delimited(path))
    assert rows[1] == ["C", "a", "1"] and rows[3] == ["CCC", "c", "3"] and len(rows) == 4
    broken = rows[2]
    assert isinstance(broken, Broken) and (broken.reason, broken.cells) == ("unreadable", cells)
    assert "line 3 holds a NUL byte" in broken.message
    (table,) = read_tables(path)
    assert table.frame.iloc[1].tolist() == list(cells or ("", "", "")) and table.broken[1].row == 2


def test_titles_in_cells_of_a_padded_table_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Report,,\nPlate,7,\nid,smiles,y\na,C,1\nb,CC,2\n", encoding="utf-8")
    (table,) = read_tables(path)
    assert list(table.frame) == ["id", "smiles", "y"] and table.frame["id"].tolist() == ["a", "b"]
    assert table.notes == ("'Report / Plate,7' stands above the table and was passed over.",)


def test_a_table_knows_what_stands_between_its_cells(tmp_path: Path) -> None:
    for sign in (",", ";", "\t", "|"):
        path = tmp_path / "a.csv"
        path.write_text(f"smiles{sign}y\nC{sign}1\nCC{sign}2\n", encoding="utf-8")
        assert [table.delimiter for table in read_tables(path, block=1)] == [sign, sign]
