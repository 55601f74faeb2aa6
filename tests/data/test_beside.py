"""Signs and units in columns of their own are read with the values that they belong to, and said."""

from __future__ import annotations

import pandas as pd
import pytest

from molgraph.data.beside import completed
from molgraph.data.targets import ABOVE, BELOW, EXACT
from molgraph.errors import DataError
from molgraph.kinds.read import parse_targets


def table(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({name.replace("_", " "): cells for name, cells in columns.items()}, dtype=object)


CHEMBL = table(
    Standard_Type=["IC50"] * 4,
    Standard_Relation=["'='", "'>'", "'<'", ""],
    Standard_Value=["100", "10000.0", "2", "50"],
    Standard_Units=["nM", "nM", "uM", "nM"],
    pChEMBL_Value=["7.0", "", "", "7.3"],
)


def test_an_export_of_chembl_is_read_with_its_signs_and_units() -> None:
    parsed = parse_targets(CHEMBL, ["Standard Value"], units={"Standard Value": "nM"})
    values, bound = parsed.values[:, 0].tolist(), parsed.bound[:, 0].tolist()
    assert values == pytest.approx([7.0, 5.0, 5.69897, 7.30103], abs=1e-5)
    assert bound == [EXACT, BELOW, ABOVE, EXACT]  # more of a concentration is less of its logarithm
    said = " ".join(parsed.notes)
    assert "the signs of column 'Standard Relation' are read with it, 2 bounds" in said
    assert "the units of column 'Standard Units' are read with it: 3 in nM, 1 in uM" in said


def test_a_unit_that_is_no_concentration_rejects_its_row() -> None:
    cells = CHEMBL.assign(**{"Standard Units": ["nM", "ug.mL-1", "nM", "%"]})
    parsed = parse_targets(cells, ["Standard Value"], units={"Standard Value": "nM"})
    assert [row for row, _ in sorted(parsed.rejects)] == [1, 3]
    assert "'>10000.0 ug.mL-1' is not a number" in parsed.rejects[1, 0].message


def test_units_that_differ_need_one_to_be_asked_for() -> None:
    with pytest.raises(DataError, match="unit"):
        parse_targets(CHEMBL, ["Standard Value"])
    same = CHEMBL.assign(**{"Standard Units": "nM"})
    assert parse_targets(same, ["Standard Value"]).values[:, 0].tolist() == [100, 10000, 2, 50]


def test_signs_of_another_target_stay_with_it() -> None:
    frame = table(Ki_rel=[">", "="], Ki=["5", "6"], logS=["-3", "-4"], logS_qualifier=["<", "="])
    assert completed(frame, "Ki", None)[0]["Ki"].tolist() == [">5", "6"]
    assert completed(frame, "logS", None)[0]["logS"].tolist() == ["<-3", "-4"]
    made, said = completed(CHEMBL, "pChEMBL Value", None)
    assert made is CHEMBL and not said


def test_signs_that_belong_to_no_target_are_said() -> None:
    frame = table(y=["1", "2"], relation=[">", "="], Ki=["20", "19"])
    assert not completed(frame, "y", None)[1], "they are those of Ki"
    frame = table(y=["1", "2"], relation=[">", "="])
    made, said = completed(frame, "y", None)
    assert made is frame
    assert said == [
        "y: the signs of column 'relation' are not read with it; if they are its own, call the column 'y relation', "
        "or move it before 'y'."
    ]


@pytest.mark.parametrize(
    "frame",
    [
        table(sign=["+", "-"], y=["1", "2"]),  # no signs of bounds
        table(relation=["son", "wife"], y=["1", "2"]),
        table(relation=["=", "="], y=["1", "2"]),
        table(relation=[">", ">"], y=[">1", "<2"]),  # the cells have their own
        table(y=["1", "2"], unit=["mol/kg", "mol/kg"]),
    ],
    ids=lambda frame: "-".join(frame.columns),
)
def test_what_says_nothing_of_the_values_changes_none(frame: pd.DataFrame) -> None:
    assert completed(frame, "y", "nM")[0]["y"].tolist() == frame["y"].tolist()
