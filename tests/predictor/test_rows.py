import numpy as np
import pandas as pd
import pytest

from molgraph import config
from molgraph.data.targets import ABOVE, BELOW, EXACT
from molgraph.errors import ConfigError, DataError
from molgraph.predictor.inputs import INPUT, Inputs, slots
from molgraph.predictor.records import whole
from molgraph.predictor.rows import read_rows
from molgraph.rooms.molecule.room import ROOM


def inputs_of(run):
    return Inputs(slots(run), {INPUT: ("fingerprint",)}, run.standardize)


def rows_of(frame, targets=("y",), **settings):
    run = config.settings({"targets": list(targets), **settings})
    return read_rows(frame, run, inputs_of(run))


def reasons(rows):
    return {r.row: r.reason for r in rows.data.rejects}


def mixed():
    """Return a table with everything that can be wrong with a row, and what is kept of it."""
    return pd.DataFrame(
        {
            "smiles": [
                "CCO",
                "OCC",
                "no smiles",
                "",
                "CC",
                "c1ccccc1",
                "CN",
                "NC",
                "CCC",
                "[Na+].O=C([O-])c1ccccc1",
                "OC(=O)c1ccccc1",
            ],
            "y": ["1", "3", "1", "1", "", "abc", "4", "4", "9", "2", "6"],
            "name": ["ethanol", "", "", "", "", "", "", "", "propane", "", "acid"],
        }
    )


def test_every_row_is_used_or_rejected_with_its_reason():
    rows = rows_of(mixed())
    assert rows.read == 11
    assert len(rows.data) + len(rows.data.rejects) == rows.read
    assert sorted([*rows.data.rows.tolist(), *reasons(rows)]) == list(range(1, 12))
    assert rows.data.rows.tolist() == [1, 2, 7, 8, 9, 10, 11]
    assert reasons(rows) == {3: "invalid_smiles", 4: "empty", 5: "not_measured", 6: "invalid_target"}
    assert rows.data.targets.values[:, 0].tolist() == [1, 3, 4, 4, 9, 2, 6], "each row has its own value"
    assert rows.data.groups["identity"].tolist() == [0, 0, 1, 1, 2, 3, 3], "the salt and its acid are one compound"
    assert rows.frame["name"].tolist() == ["ethanol", "", "", "", "propane", "", "acid"]
    assert rows.data.ids == ("ethanol", "row 2", "row 7", "row 8", "propane", "row 10", "acid")
    (given,) = rows.data.inputs.values()
    assert [given.key_of(i) for i in range(7)] == ["CCO", "CCO", "CN", "CN", "CCC", *["O=C(O)c1ccccc1"] * 2]
    by_row = {r.row: r for r in rows.data.rejects}
    assert by_row[3].text == "no smiles"
    assert "'abc' is not a number" in by_row[6].message


def test_without_standardisation_a_salt_is_a_compound_of_its_own():
    assert rows_of(mixed(), standardize=False).data.groups["identity"].tolist() == [0, 0, 1, 1, 2, 3, 4]


def test_bounds_units_and_classes():
    frame = pd.DataFrame(
        {"smiles": ["CCO", "CC", "CCC"], "IC50": [">10000", "100", "<1"], "kind": ["b", "a", "b"], "y": ["1", "", "3"]}
    )
    task = {"IC50": "regression", "kind": "multiclass", "y": "regression"}
    rows = rows_of(frame, ("IC50", "kind", "y"), task=task, units={"IC50": "nM"})
    assert rows.kinds == {"pIC50": "regression", "kind": "multiclass", "y": "regression"}
    assert rows.classes == {"kind": ("a", "b")}
    assert rows.units == {"pIC50": "-log10(M)"}
    np.testing.assert_allclose(rows.data.targets.values[:, 0], [5, 7, 9], atol=1e-6)
    assert rows.data.targets.bound[:, 0].tolist() == [BELOW, EXACT, ABOVE]
    assert rows.data.targets.values[:, 1].tolist() == [1, 0, 1]


def test_labels_of_a_trained_model_keep_their_places():
    frame = pd.DataFrame({"smiles": ["CCO", "CC", "CN"], "y": ["high", "low", "new"]})
    run = config.settings({"targets": ["y"], "task": "multiclass"})
    rows = read_rows(frame, run, inputs_of(run), classes={"y": ("high", "low", "mid")})
    assert rows.data.targets.values[:, 0].tolist() == [0, 1]
    assert "none of the classes high, low, mid" in rows.data.rejects[0].message


def test_an_unread_cell_of_a_kept_row_is_told():
    frame = pd.DataFrame({"smiles": ["CCO", "CC"], "y": ["1", "2"], "z": ["5", "five"]})
    rows = rows_of(frame, ("y", "z"))
    assert len(rows.data) == 2
    ((reject,),) = rows.unread.values()
    assert (reject.row, reject.reason) == (2, "invalid_target")
    assert "'five' is not a number" in reject.message


@pytest.mark.parametrize(
    "column", ["id", "Name", "CID", "mine", "Cpd No.", "Compound_ID", "Compound", "Molecule ChEMBL ID", "Catalog_ID"]
)
def test_rows_are_called_by_the_users_names(column):
    frame = pd.DataFrame({"smiles": ["CCO", "CC"], "y": ["1", "2"], column: ["A7", ""]})
    assert rows_of(frame, id="mine" if column == "mine" else "").data.ids == ("A7", "row 2")


def test_what_is_read_or_learnt_names_no_rows():
    frame = pd.DataFrame({"Compound": ["CCO", "CC"], "cid": ["1", "2"], "cpd": ["x", "y"]})
    assert rows_of(frame, ("cid",), column="Compound").data.ids == ("x", "y")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"targets": []}, r"no target is named. Use --target COLUMN; columns: yield, name"),
        ({"targets": ["yeild"]}, "no column 'yeild'; did you mean 'yield'"),
        ({"targets": ["yield,name"]}, "no column 'yield,name'; give each target a --target of its own"),
        ({"targets": ["yield"], "id": "nmae"}, "no column 'nmae'; did you mean 'name'"),
        ({"targets": ["yield"], "column": "mol"}, "no column 'mol'"),
        ({"targets": ["smiles"]}, "'smiles' is an input of the model and no target"),
    ],
)
def test_what_is_not_there_is_said(settings, says):
    frame = pd.DataFrame({"smiles": ["CCO"], "yield": ["1"], "name": ["x"]})
    with pytest.raises((ConfigError, DataError), match=says):
        rows_of(frame, settings.pop("targets"), **settings)


def test_no_usable_row_says_why_the_first_is_not():
    with pytest.raises(DataError, match=r"none of 2 rows can be used; the first: row 1 'xx': "):
        rows_of(pd.DataFrame({"smiles": ["xx", "CC"], "y": ["1", ""]}))
    with pytest.raises(DataError, match="no rows"):
        rows_of(pd.DataFrame({"smiles": [], "y": []}))


def test_a_task_for_no_target_is_refused():
    with pytest.raises(ConfigError, match="names the target 'z'"):
        rows_of(mixed(), task={"z": "binary"})


def test_blocks_are_joined_and_their_broken_rows_keep_their_place(tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_text("smiles,y\nCCO,1\nCC,2,3\nCN,4\nC\nCCC,5\n", encoding="utf-8")
    tables = list(ROOM.reading.read(path, None, block=2))
    assert len(tables) == 3
    joined = whole(tables)
    assert joined.rows.tolist() == [1, 2, 3, 4, 5]
    assert {at: r.row for at, r in joined.broken.items()} == {1: 2, 3: 4}
    assert joined.texts == ["CCO", "", "CN", "", "CCC"]
    run = config.settings({"targets": ["y"]})
    rows = read_rows(path, run, inputs_of(run))
    assert rows.data.rows.tolist() == [1, 3, 5]
    assert reasons(rows) == {2: "ragged_row", 4: "ragged_row"}


def test_words_that_may_be_a_class_are_said():
    frame = pd.DataFrame({"smiles": ["C", "CC", "CCC", "CCCC"], "grade": ["none", "mild", "severe", "n.d."]})
    rows = rows_of(frame, ["grade"], task="multiclass")
    assert rows.classes["grade"] == ("mild", "none", "severe") and reasons(rows) == {4: "not_measured"}
    assert "('none') taken as a class" in rows.notes[0] and "('n.d.') taken as not measured" in rows.notes[1]


def test_words_that_may_be_classes_are_told_so() -> None:
    frame = pd.DataFrame({"smiles": ["CCO", "CCC", "CCN"], "brain": ["stays out", "enters", "enters"]})
    add = "Add --task binary --positive enters, or --positive 'stays out': whichever is the positive one"
    with pytest.raises(DataError, match=f"'stays out' is not a number.*Are these two classes. {add}"):
        rows_of(frame, ["brain"])
    three = frame.assign(brain=["out", "in", "between"])
    with pytest.raises(DataError, match=r"Are these classes\? Add --task multiclass$"):
        rows_of(three, ["brain"])
