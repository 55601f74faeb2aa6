"""Workbooks beyond what Excel allows are refused at once, by name; those at the limit are read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from molgraph.data import bounds
from molgraph.data.workbook import workbook
from molgraph.errors import DataError


def changed(path: Path, part: str = "", old: str = "", new: str = "", strings: str = "<sst/>") -> Path:
    """Write a workbook of four cells, change the text of a part of it, and put shared strings beside them."""
    book = openpyxl.Workbook()
    book.active.append(["smiles", "y"])
    book.active.append(["CCO", 1])
    plain = io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            text = given.read(name).decode()
            if name == part:
                assert old in text, text[:500]
                text = text.replace(old, new)
            made.writestr(name, text)
        made.writestr(STRINGS, strings)
    return path


SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


@pytest.mark.parametrize(
    ("part", "old", "new", "said"),
    [
        (SHEET, '<row r="2"', '<row r="100000000"', "a row 100000000"),
        (SHEET, 'r="A2"', 'r="A1048577"', "a row 1048577"),
        (SHEET, 'r="B2"', 'r="XFE2"', "a column XFE"),
        (SHEET, 'r="B2"', f'r="{"A" * 300}2"', "a column AAAAAAAA"),
        (SHEET, "CCO", "C" * (bounds.LONGEST + 1), "a text in xl/worksheets/sheet1.xml is longer"),
        (SHEET, "CCO", "C" * 3_000_000, "a text in xl/worksheets/sheet1.xml is longer"),
        (SHEET, "<v>1</v>", f"<v>{'1' * 3_000_000}</v>", "a text in xl/worksheets/sheet1.xml is longer"),
    ],
    ids=["row", "cell", "column", "letters", "string", "pieces", "number"],
)
def test_beyond_the_limits(tmp_path: Path, part: str, old: str, new: str, said: str) -> None:
    path = changed(tmp_path / "a.xlsx", part, old, new)
    with pytest.raises(DataError, match=said) as caught:
        list(workbook(path))
    assert "a.xlsx" in str(caught.value)


def test_shared_strings_are_looked_at_too(tmp_path: Path) -> None:
    path = changed(tmp_path / "a.xlsx", strings=f"<sst><si><t>{'C' * 3_000_000}</t></si></sst>")
    with pytest.raises(DataError, match="a text in xl/sharedStrings"):
        list(workbook(path))


def test_what_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = changed(tmp_path / "a.xlsx", strings=f"<sst>{'<si><t>CCO</t></si>' * 2_000}</sst>")
    assert list(workbook(path))[1] == ["CCO", "1"]
    monkeypatch.setattr(bounds, "STRINGS", 20_000)
    with pytest.raises(DataError, match="its texts unpack"):
        list(workbook(path))
    monkeypatch.setattr(bounds, "PARTS", 20_000)
    with pytest.raises(DataError, match="unpacks to over"):
        list(workbook(path))


def test_at_the_limits(tmp_path: Path) -> None:
    path = changed(tmp_path / "a.xlsx", SHEET, "CCO", "C" * bounds.CHARACTERS)
    assert list(workbook(path))[1] == ["C" * bounds.CHARACTERS, "1"]
    path = changed(tmp_path / "b.xlsx", SHEET, 'r="B2"', 'r="B2" ')
    assert list(workbook(path))[1] == ["CCO", "1"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<row r="2"', "<row r='90000000'"),
        ('<row r="2"', '<row\n r = "90000000"'),
        ('<row r="2"', '<row r="&#57;0000000"'),
        ('<row r="2"', '<row r="1e9"'),
        ('r="A2"', "r='A90000000'"),
    ],
)
def test_however_a_place_is_spelled(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(DataError, match=r"row 90000000|no place"):
        list(workbook(changed(tmp_path / "a.xlsx", SHEET, old, new)))


@pytest.mark.parametrize("tag", ["si", "x:si", "si a='1'"])
def test_more_texts_than_cells_are_refused_before_they_are_kept(
    tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "TEXTS", 1000)
    name = tag.partition(" ")[0]
    path = changed(tmp_path / "a.xlsx", strings=f"<sst>{f'<{tag}><t>C</t></{name}>' * 1001}</sst>")
    with pytest.raises(DataError, match="over 1,000 different texts; save the table as CSV"):
        list(workbook(path))
    path = changed(tmp_path / "b.xlsx", strings=f"<sst>{'<si><t>C</t></si>' * 1000}</sst>")
    assert list(workbook(path))[1] == ["CCO", "1"]


def test_texts_at_the_border_of_two_pieces_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "_PIECE", 97)
    monkeypatch.setattr(bounds, "TEXTS", 1000)
    path = changed(tmp_path / "a.xlsx", strings=f"<sst>{'<si><t>C</t></si>' * 1000}</sst>")
    assert list(workbook(path))[1] == ["CCO", "1"]
    path = changed(tmp_path / "b.xlsx", SHEET, "CCO", "C" * bounds.CHARACTERS)
    assert list(workbook(path))[1] == ["C" * bounds.CHARACTERS, "1"]
    path = changed(tmp_path / "c.xlsx", SHEET, "CCO", "C" * (bounds.LONGEST + 1))
    with pytest.raises(DataError, match="longer than"):
        list(workbook(path))


def test_formats_and_names_are_counted_before_they_are_kept(tmp_path: Path) -> None:
    path = changed(tmp_path / "a.xlsx", "xl/styles.xml", "</styleSheet>", f"{'<a/>' * bounds.TAGS}</styleSheet>")
    with pytest.raises(DataError, match=r"xl/styles.xml has over 1,048,576 entries"):
        list(workbook(path))
