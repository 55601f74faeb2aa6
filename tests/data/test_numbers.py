"""Numbers as people write them: read right, or refused with what to write."""

from __future__ import annotations

import pytest

from molgraph.data.numbers import Elsewhere, elsewhere, reader, remarks
from molgraph.data.targets import ABOVE, BELOW, EXACT


@pytest.mark.parametrize(
    ("cell", "value", "bound", "unit"),
    [
        (">10,000", 10_000, ABOVE, ""),
        ("< 50,000 nM", 50_000, BELOW, "nM"),
        ("1,234.5", 1234.5, EXACT, ""),
        ("1,234,567", 1_234_567, EXACT, ""),
        ("1.234,5", 1234.5, EXACT, ""),
        ("12,5", 12.5, EXACT, ""),
        ("0,123", 0.123, EXACT, ""),
        ("10 000", 10_000, EXACT, ""),
        ("10\N{NO-BREAK SPACE}000", 10_000, EXACT, ""),
        ("1'234.5", 1234.5, EXACT, ""),
        ("12 +- 3", 12, EXACT, ""),
        ("12 +/- 3", 12, EXACT, ""),
        ("5.3±0.2", 5.3, EXACT, ""),
        ("5.3 (± 0.2) uM", 5.3, EXACT, "uM"),
        ("-7.2 ± 0.4 kcal/mol", -7.2, EXACT, "kcal/mol"),
        ("~5", 5, EXACT, ""),
        ("ca. 5", 5, EXACT, ""),
        ("approx 5.5", 5.5, EXACT, ""),
        ("=> 3", 3, ABOVE, ""),
        ("3 nmol/L", 3, EXACT, "nM"),
        ("> 3 µmol/l", 3, ABOVE, "uM"),
    ],
)
def test_a_cell_is_the_number_that_a_person_sees(cell: str, value: float, bound: int, unit: str) -> None:
    number = reader([cell])(cell)
    assert (number.value, number.bound, number.unit) == (value, bound, unit)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234", "5.5"], [1234, 5.5]),
        (["1,234", ">10,000"], [1234, 10_000]),
        (["1,000", "0,523"], [1, 0.523]),
        (["1,234", "2,345,678"], [1234, 2_345_678]),
    ],
)
def test_the_column_tells_what_a_comma_is(cells: list[str], values: list[float]) -> None:
    read = reader(cells)
    assert [read(cell).value for cell in cells] == values


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["1,234", "5,678"], r"thousands or decimals.* \(1234\) or with a point \(1\.234\)"),
        (["1.234", "1.234,5"], "point that may mean thousands or decimals"),
        (["inactive"], "write the bound that it stands for"),
        (["<LOD"], "write the limit as a bound"),
        (["5 or 6"], "not a number"),
        (["12 ± "], "not a number"),
        (["1 2"], "not a number"),
    ],
)
def test_what_nobody_can_know_is_refused_with_what_to_write(cells: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        reader(cells)(cells[0])


def test_what_was_made_of_cells_is_said() -> None:
    assert remarks("y", ["5", "12 +- 3", "4 ± 1", "ca. 7", ">10,000", "junk"]) == [
        "y: 2 cells such as '12 +- 3': a spread stands beside the value, which is taken.",
        "y: 1 cell such as 'ca. 7': about a value, which is taken as exact.",
        "y: 1 cell such as '>10,000': the comma stands between thousands.",
    ]
    assert remarks("y", ["5", "6.1", "x", ""]) == []


@pytest.mark.parametrize(
    ("others", "delimiter", "value"),
    [
        ({"mass": ["180.16", "46.1"]}, ",", 1234),
        ({"mass": ["180,16"]}, "\t", 1.234),
        ({"mass": ["180,16"]}, ";", 1.234),
        ({"id": ["a", "b"], "n": ["3", "4"]}, ";", 1.234),
        ({"mass": ["180.16"]}, ";", 1234),  # a cell says more than what stands between them
        ({}, ",", None),
        ({"id": ["1.234"], "date": ["1.2.2024"], "code": ["12,345"]}, ",", None),  # as ambiguous, or no number
        ({"a": ["1.5"], "b": ["2,5"]}, ";", None),
        ({"a": ["1.5"]}, ",", 1234),
    ],
    ids=str,
)
def test_the_rest_of_the_table_tells_what_a_comma_is(
    others: dict[str, list[str]], delimiter: str, value: float | None
) -> None:
    cells = ["1,234", "5,678", "7"]
    told = elsewhere(others.items(), delimiter)
    if value is None:
        assert told == Elsewhere()
        with pytest.raises(ValueError, match="thousands or decimals"):
            reader(cells, told)(cells[0])
        return
    assert reader(cells, told)(cells[0]).value == value
    assert remarks("y", cells, told)[0].endswith(f", {told.why}.")
    assert reader(["1,5", "2,250"], told)("2,250").value == 2.25, "its own cells come first"
    assert "as " not in remarks("y", ["1,5", "2,250"], told)[0].partition("such as")[2]
