import numpy as np
import pandas as pd
import pytest

from molgraph import config
from molgraph.errors import ConfigError, DataError
from molgraph.predictor.training import Training
from molgraph.rooms.molecule import molnet
from molgraph.rooms.molecule.room import ROOM
from molgraph.workflows.plan import plan
from molgraph.workflows.train import train_rows

FOLDS = ("train", "valid", "calibration", "test")


@pytest.fixture(scope="module")
def ligands(chembl_table):
    frame = chembl_table.iloc[::6].head(160).reset_index(drop=True)
    frame["date"] = pd.date_range("2020-01-01", periods=160).strftime("%Y-%m-%d")
    frame["fold"] = ["train"] * 110 + ["valid"] * 30 + ["test"] * 20
    return frame


def planned(frame, **settings):
    return plan(config.settings({"targets": ["pAct"], "comparator": "none", **settings}), frame)


def rows_in(made, *folds):
    return set(np.concatenate([getattr(made.split, fold) for fold in folds]).tolist())


@pytest.mark.parametrize("split", ["scaffold", "scaffold_random", "random", "cluster", "time:date", "column:fold"])
def test_every_row_is_in_one_fold(ligands, split):
    made = planned(ligands, split=split)
    sizes = [len(getattr(made.split, fold)) for fold in FOLDS]
    assert sum(sizes) == len(rows_in(made, *FOLDS)) == len(made.rows.data) == 160
    assert all(sizes)
    assert [made.facts[fold] for fold in FOLDS] == sizes
    assert made.facts["split"] == split
    again = planned(ligands, split=split)
    assert all((getattr(again.split, f) == getattr(made.split, f)).all() for f in FOLDS)


@pytest.mark.parametrize("split", ["scaffold", "scaffold_random", "cluster"])
def test_groups_never_straddle(ligands, split):
    made = planned(ligands, split=split, seed=3)
    (given,) = made.rows.data.inputs.values()
    keys = [given.key_of(i) for i in range(160)]
    groups = np.asarray(ROOM.likeness.groupers["cluster" if split == "cluster" else "scaffold"](keys))
    for fold in FOLDS:
        mine = rows_in(made, fold)
        others = rows_in(made, *FOLDS) - mine
        assert not set(groups[list(mine)]) & set(groups[list(others)])


def test_time_tests_the_newest(ligands):
    mixed = ligands.sample(frac=1, random_state=0).reset_index(drop=True)
    made = planned(mixed, split="time:date")
    dates = mixed["date"].to_numpy()
    assert dates[list(rows_in(made, "train", "valid", "calibration"))].max() < dates[made.split.test].min()


def test_the_users_folds_are_kept(ligands):
    made = planned(ligands, split="column:fold")
    fold = ligands["fold"].to_numpy()
    assert set(fold[made.split.test]) == {"test"}
    assert set(fold[made.split.train]) == {"train"}
    assert set(fold[list(rows_in(made, "valid", "calibration"))]) == {"valid"}


def with_leaks(ligands):
    """Return folds in which two training ligands stand in the test set once more, as other texts."""
    again = ligands.iloc[[2, 5]].assign(smiles=lambda f: "[Na+].[Cl-]." + f["smiles"], fold="test")
    return pd.concat([ligands, again], ignore_index=True)


def test_leaks_leave_the_training_set_and_never_the_test_set(ligands):
    made = planned(with_leaks(ligands), split="column:fold")
    assert {2, 5}.isdisjoint(rows_in(made, *FOLDS))
    assert {160, 161} <= rows_in(made, "test")
    assert made.notes[0].startswith("2 rows were not read as written; the first, row 161: scored ")
    assert made.notes[0].endswith(f"{made.rows.data.inputs['input'].key_of(160)}; left out sodium, hydrogen chloride.")
    assert made.notes[2:] == ["2 rows also stand in a later fold (first: row 3); they were left out of the training."]


def test_leaks_can_be_left_in_and_are_told(ligands):
    made = planned(with_leaks(ligands), split="column:fold", leaks="report")
    assert {2, 5} <= rows_in(made, "train")
    assert "left in (--leaks report): the test score flatters" in made.notes[-1]


def test_leaks_can_be_refused(ligands):
    with pytest.raises(DataError, match=r"2 rows also stand in a later fold \(first: row 3\); use --leaks drop"):
        planned(with_leaks(ligands), split="column:fold", leaks="refuse")
    assert not any("leak" in note or "left out" in note for note in planned(ligands, split="column:fold").notes)


def test_it_is_said_which_rows_calibrate_where_no_row_is_marked_for_it(ligands):
    made = planned(ligands, split="column:fold")
    kept, took = len(made.split.valid), len(made.split.calibration)
    assert kept + took == 30 and min(kept, took) > 0
    said = f"{took} of the 30 rows marked 'valid' calibrate intervals, the other {kept} stop the training."
    assert made.notes == [f"No row is marked 'calibration': {said} Mark rows to choose them."] == made.facts["notes"]


@pytest.mark.parametrize("name", ["calibration", "cal", "Calib", " CAL "])
def test_rows_that_calibrate_can_be_named(ligands, name):
    marked = ligands.assign(fold=["train"] * 110 + ["val"] * 15 + [name] * 15 + ["test"] * 20)
    made = planned(marked, split="column:fold")
    assert made.notes == [] and made.split.calibration.tolist() == list(range(125, 140))
    assert made.split.valid.tolist() == list(range(110, 125))


def test_a_column_without_validation_rows_says_whose_rows_were_set_aside(ligands):
    notes = planned(ligands.assign(fold=["train"] * 140 + ["test"] * 20), split="column:fold").notes
    assert "training rows were set aside for validation" in notes[0] and not any("marked" in note for note in notes)


def test_a_deepchem_splitter_by_name(ligands, monkeypatch):
    asked = {}

    def splitter(name):
        def cut(keys, fractions, seed):
            asked.update(name=name, keys=list(keys), fractions=tuple(fractions), seed=seed)
            order = np.arange(len(keys))
            return order[40:], order[20:40], order[:20]

        return cut

    monkeypatch.setattr(molnet, "splitter", splitter)
    made = planned(ligands, split="deepchem:ButinaSplitter", seed=4)
    assert rows_in(made, "test") == set(range(20))
    assert rows_in(made, "train") == set(range(40, 160))
    assert rows_in(made, "valid", "calibration") == set(range(20, 40))
    assert (asked["name"], asked["fractions"], asked["seed"]) == ("ButinaSplitter", (0.8, 0.1, 0.1), 4)
    assert len(asked["keys"]) == 160


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"split": "scafold"}, ConfigError, "unknown split 'scafold'; did you mean 'scaffold'"),
        ({"split": "column"}, ConfigError, "write column:NAME"),
        ({"split": "fold"}, ConfigError, r"'fold': it is a column of the data. Write column:fold where .* group:fold"),
        ({"split": "FOLD"}, ConfigError, "Write column:fold where"),
        ({"split": "column:flod"}, DataError, "no column 'flod' to split by; did you mean 'fold'"),
        ({"split": "deepchem:Butina"}, ConfigError, "unknown DeepChem splitter 'Butina'"),
        ({"model": "molecule/dmpn"}, ConfigError, "did you mean 'molecule/dmpnn'"),
        ({"comparator": "molecule/none"}, ConfigError, "unknown model 'molecule/none'"),
        ({"encoder": {"dept": 2}}, ConfigError, "unknown key 'encoder.dept'"),
        ({"fractions": [0.8, 0.2]}, ConfigError, "fractions"),
        ({"fractions": [0.8, 0.8, 0.8]}, ConfigError, "fractions"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(ligands, settings, error, says):
    with pytest.raises(error, match=says):
        planned(ligands, **settings)


def test_names_are_checked_before_data_is_read(tmp_path):
    with pytest.raises(ConfigError, match="unknown split"):
        plan(config.settings({"data": str(tmp_path / "none.csv"), "targets": ["y"], "split": "no"}))
    with pytest.raises(ConfigError, match="no data is named"):
        plan(config.settings({"targets": ["y"]}))


def test_the_comparator_is_the_rooms_unless_it_is_the_model(ligands):
    few = ligands.head(40)
    made = planned(few, comparator="auto", ensemble=3, encoder={"hidden": 16})
    ((name, rival),) = made.rivals.items()
    assert (name, rival.model, rival.ensemble, rival.encoder) == ("molecule/forest", "molecule/forest", 1, {})
    assert planned(few, comparator="auto", model="molecule/forest").rivals == {}
    assert planned(few, comparator="none").rivals == {}


def test_what_happened_to_rows_is_noted(ligands):
    few = ligands.head(60).copy().astype({"pAct": object})
    twice = few.iloc[[0, 1]].copy()
    twice["pAct"] = twice["pAct"] + 0.5
    few.loc[9, "pAct"] = "5"
    few["other"] = ["x" if i == 4 else "1.5" if i % 2 else "2.5" for i in range(60)]
    twice["other"] = "1.5"
    made = planned(pd.concat([few, twice], ignore_index=True), targets=["pAct", "other"], split="random")
    text = "\n".join(made.notes)
    tested = set(made.rows.data.rows[made.split.test].tolist()) & {61, 62}
    assert not tested, "this seed tests neither"
    assert "2 rows repeat another and were merged." in text
    assert "pAct: 2 molecules with different measurements in different rows." in text
    assert "repeated measurements of 2 molecules agree within a standard deviation of 0.354" in text  # 0.5 / sqrt(2)
    assert "1 cell counts as not measured, first row 5: other: 'x' is not a number" in text
    assert made.facts["rejected"] == {"duplicate": 2}
    assert made.facts["rows_read"] == 62 and made.facts["rows_used"] == 60


def repeated(ligands):
    """Return folds in which a ligand trains three times, and one is tested three times, with values of their own."""
    frame = ligands[["smiles", "fold"]].assign(pAct=ligands["pAct"].astype(float))
    train, test = frame.iloc[[0, 0]].assign(pAct=[3.0, 4.0]), frame.iloc[[-1, -1]].assign(pAct=[1.0, 2.0])
    salt = test.assign(smiles=lambda f: "[Na+].[Cl-]." + f["smiles"])  # another text of the same compound
    return pd.concat([frame, train, salt], ignore_index=True)


@pytest.mark.parametrize("rule", ["mean", "median", "drop", "keep"])
def test_test_rows_stand_as_they_were_measured(ligands, rule):
    table = repeated(ligands)
    made = planned(table, split="column:fold", duplicates=rule)
    tested = made.rows.data.subset(made.split.test)
    wanted = table[table["fold"] == "test"]
    assert tested.rows.tolist() == [at + 1 for at in wanted.index]
    np.testing.assert_allclose(tested.targets.values[:, 0], wanted["pAct"], rtol=1e-6)
    assert "2 test rows repeat another; each is judged by its own value." in made.notes
    away = {"mean": 2, "median": 2, "drop": 3, "keep": 0}[rule]
    assert made.facts["train"] == 112 - away and made.facts["test"] == 22
    assert made.facts["rows_used"] == 164 - away == made.facts["rows_read"] - sum(made.facts["rejected"].values())
    kinds = {"drop": {"conflicting_labels": 3}, "keep": {}}
    assert made.facts["rejected"] == kinds.get(rule, {"duplicate": 2})
    assert [r.row for r in made.rejects] == {"drop": [1, 161, 162], "keep": []}.get(rule, [161, 162])


def test_what_trains_is_one_row_per_thing(ligands):
    table = repeated(ligands)
    for rule, value in (("mean", np.mean), ("median", np.median)):
        made = planned(table, split="column:fold", duplicates=rule)
        training = Training(made.run, made.task, made.rows.data, made.split)
        assert len(training.train) == 110
        of = training.train.rows.tolist().index(1)
        expected = value([table["pAct"][at] for at in (0, 160, 161)])
        assert training.train.targets.values[of, 0].item() == pytest.approx(expected)


@pytest.mark.parametrize("split", ["scaffold", "random", "cluster", "scaffold_random"])
def test_repeats_change_no_fold_and_stay_on_one_side(ligands, split):
    once = ligands[["smiles", "pAct"]]
    often = pd.concat([once, once.iloc[::3], once.iloc[::9]], ignore_index=True)
    plain, made = planned(once, split=split), planned(often, split=split)
    for fold in FOLDS:
        rows = getattr(made.split, fold)
        assert [row for row in rows if row < 160] == getattr(plain.split, fold).tolist()
        assert len(rows) == often["smiles"].isin(once["smiles"].iloc[getattr(plain.split, fold)]).sum()
    assert made.facts["train"] == plain.facts["train"] and not made.leaks.across


def test_a_later_measurement_is_tested_and_not_averaged_into_an_earlier_one(ligands):
    again = ligands.iloc[[3]].assign(pAct=1.0, date="2030-01-01")
    made = planned(pd.concat([ligands, again], ignore_index=True), split="time:date")
    assert 160 in made.split.test and 3 not in made.split.train
    assert made.rows.data.targets.values[160, 0] == 1
    assert made.leaks.across == {"identity": (1, 4)}


def test_intervals_draw_the_rows_of_a_thing_together(ligands):
    few = ligands[["smiles", "pAct", "fold"]]
    tested = few[few["fold"] == "test"]
    often = pd.concat([few, *[tested] * 7], ignore_index=True)
    settings = {"split": "column:fold", "model": "molecule/forest", "encoder": {"rounds": 3, "depth": 2}}
    one, many = (train_rows(planned(frame, **settings)).recipe.metrics for frame in (few, often))
    assert (one["rows"], one["repeats"]) == (20, 0) and (many["rows"], many["repeats"]) == (160, 140)
    first, second = (found["model"]["pAct"]["rmse"] for found in (one, many))
    assert first["value"] == pytest.approx(second["value"]) and second["n"] == 160
    width, narrow = (score["high"] - score["low"] for score in (first, second))
    assert narrow > 0.8 * width, "eight copies of each row are no new evidence"


# --- several inputs --------------------------------------------------------------------------------------------------

INPUTS = {
    "drug": {"column": "smiles", "encoder": "molecule/gin"},
    "target": {"column": "sequence", "encoder": "protein/cnn"},
}


def pairs_of(frame, **settings):
    return planned(frame, **{"targets": ["pKd"], "inputs": INPUTS, "split": "random", **settings})


def test_pairs_must_beat_trees_on_both_and_on_each_alone(pairs):
    found = pairs_of(pairs, comparator="auto", ensemble=3).rivals
    alone = ["drug alone (molecule/forest)", "target alone (protein/forest)"]
    assert list(found) == ["fusion/forest", *alone]
    assert {run.model for run in found.values()} == {"fusion/forest"} and {run.ensemble for run in found.values()} == {
        1
    }
    assert [list(run.inputs) for run in found.values()] == [["drug", "target"], ["drug"], ["target"]]
    trees = {"drug": {"encoder": "molecule/forest"}, "target": {"encoder": "protein/forest"}}
    assert list(pairs_of(pairs, comparator="auto", inputs=trees, model="fusion/forest").rivals) == alone


def test_a_method_to_beat_by_name(pairs):
    (rival,) = pairs_of(pairs, comparator="fusion/forest").rivals.values()
    assert [section["encoder"] for section in rival.inputs.values()] == ["molecule/forest", "protein/forest"]
    (rival,) = pairs_of(pairs, comparator="fusion/bilinear").rivals.values()
    assert rival.inputs == INPUTS
    assert pairs_of(pairs, comparator="fusion/concat").rivals == {}
    with pytest.raises(ConfigError, match="'molecule/forest' reads one input"):
        pairs_of(pairs, comparator="molecule/forest")


@pytest.mark.parametrize(
    ("split", "name", "column"), [("cold:drug", "drug", "drug_id"), ("cold:target", "target", "target_id")]
)
def test_a_cold_split_leaves_whole_parts_out(pairs, split, name, column):
    made = pairs_of(pairs, split=split, fractions=[0.5, 0.25, 0.25])
    seen = [set(made.rows.frame[column].iloc[getattr(made.split, fold)]) for fold in ("train", "test")]
    assert all(seen) and not seen[0] & seen[1]


def test_a_column_of_names_that_is_not_there(pairs):
    inputs = {**INPUTS, "target": {**INPUTS["target"], "id": "traget_id"}}
    with pytest.raises(DataError, match="no column 'traget_id'; did you mean 'target_id'"):
        pairs_of(pairs, inputs=inputs)
