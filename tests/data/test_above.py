from __future__ import annotations

import pytest

from molgraph.data.above import has_row_names, separator, titles


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([["Assay results 2024", ""], ["smiles", "y"], ["C", "1"]], 1),
        ([["Report"], [""], ["smiles", "y"], ["C", "1"]], 2),
        ([["Report"], ["smiles", "y"], ["C", "1"]], 0),  # one word may be a header
        ([["smiles"], ["C"], ["CC", "stray"]], 0),
        ([["compound smiles"], ["C", "1"]], 0),  # a number is in no header
        ([["smiles", "y"], ["C", ""]], 0),
        ([], 0),
    ],
)
def test_titles(rows: list[list[str]], count: int) -> None:
    assert titles(rows) == count


@pytest.mark.parametrize(
    ("line", "told"),
    [("sep=;\r\n", ";"), ('"sep=,"\n', ","), ("SEP=|", "|"), ("sep=\\t", "\t"), ("sep=;;;", ";"), ("separate", "")],
)
def test_the_line_for_excel(line: str, told: str) -> None:
    assert separator(line) == told


def test_row_names_run_or_stand_in_quotes() -> None:
    assert has_row_names(["a"], [["1", "x"], ["2", "y"]], ["a", "1,x", "2,y"])
    assert not has_row_names(["a"], [["C", "x"], ["CC", "y"]], ["a", "C,x", "CC,y"])
    assert has_row_names(["a"], [["C", "x"], ["CC", "y"]], ['"a"', '"C",x', '"CC",y'])
    assert not has_row_names(["a"], [["1", "x"]], ["a", "1,x"])
