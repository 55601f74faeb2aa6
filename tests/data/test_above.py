from __future__ import annotations

import pytest

from molgraph.data.above import has_row_names, separator, titles


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([["Assay results 2024", ""], ["smiles", "y"], ["C", "1"]], 1),
        ([["Report"], [""], ["smiles", "y"], ["C", "1"]], 2),
        ([["Report"], ["smiles", "y"], ["C", "1"]], 1),
        ([["Report"], ["cpd", "y"], ["C", "1"]], 0),  # nothing says that it is no header
        ([["Report", "", ""], ["Plate", "", ""], ["id", "SMILES", "y"], ["a", "C", "1"]], 2),
        ([["Assay report", "", ""], ["Confidential", "", ""], ["", "", ""], ["id", "smi", "y"], ["a", "C", "1"]], 3),
        ([["Target", "hERG", ""], ["Date", "2024-01-02", ""], ["id", "canonical_smiles", "y"], ["a", "C", "1"]], 2),
        ([["Results, 2024"], ["image", "y"], ["a.png", "1"]], 1),
        ([["smiles", "", ""], ["structure", "C", "b"], ["CC", "d", "e"]], 0),  # the first names an input
        ([["smiles", "y", ""], ["C", "5", ""], ["CC", "6", "a note"]], 0),
        ([["cpd", ""], ["C", "abc"], ["CC", "7"]], 0),
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
