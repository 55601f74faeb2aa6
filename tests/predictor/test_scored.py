import numpy as np
import pandas as pd
import pytest

from molgraph.errors import DataError
from molgraph.predictor import Predictor
from molgraph.predictor.scored import Scorer, beside
from molgraph.rooms.molecule.room import ROOM

MIXED = [
    "CCO",
    "no smiles",
    "",
    "OCC",
    "c1ccccc1C(=O)NC1CC1",
    "C" * 1200,
    "[Na+].O=C([O-])c1ccccc1",
    "OC(=O)c1ccccc1",
    "C(C)(C)(C)(C)C",
]
STATUS = ["ok", "invalid_smiles", "empty", "ok", "ok", "too_large", "ok", "ok", "invalid_smiles"]


def tables(source, block=4096):
    return list(ROOM.reading.read(source, None, block=block))


def scored(predictor, texts, block=4096):
    """Return the user's rows and ours, read in blocks."""
    found = [beside(t, s) for t, s in predictor.score_all(tables(pd.DataFrame({"smiles": texts}), block))]
    return pd.concat(found, ignore_index=True)


def test_one_row_out_for_each_row_in_a_number_or_a_reason(trained):
    found = scored(trained[1], MIXED)
    assert found["smiles"].tolist() == MIXED
    assert found["status"].tolist() == STATUS
    bad = found["status"] != "ok"
    numbers = [c for c in found if c not in ("smiles", "status", "message")]
    assert found.loc[bad, numbers].isna().all(axis=None)
    blank = [f"{name}_set90" for name, interval in trained[1].intervals.items() if not interval.limits]
    kept = [c for c in numbers if not c.endswith("_std") and c not in blank]
    assert found[blank].isna().all(axis=None)
    assert found.loc[~bad, kept].notna().all(axis=None)
    outside = found["message"].str.contains("outside the domain of the training data: nearest measured molecule 0.")
    assert outside[~bad].tolist() == (~found.loc[~bad, "in_domain"].astype(bool)).tolist() and not outside[bad].any()
    assert (found.loc[bad, "message"].str.len() > 5).all()


def test_the_columns_are_the_promised_ones(trained):
    found = trained[1].score(tables(["CCO"])[0]).frame
    level = ["level", "level_std", "level_p_high", "level_p_low", "level_p_mid", "level_set90"]
    ours = [f"pAct{end}" for end in ("", "_std", "_lo90", "_hi90")] + ["active", "active_std", "active_set90"]
    near = ["nn_id", "nn_smiles", "nn_similarity", "pAct_nn", "active_nn", "level_nn"]
    found = found[[c for c in found if not c.endswith("_set80")]]  # where sets of 90 % decide too little
    assert list(found) == [*ours, *level, *near, "in_domain", "status", "message"]
    assert isinstance(found["in_domain"][0], bool | np.bool_)


def test_the_same_compound_gets_the_same_score_however_it_is_written(trained):
    found = scored(trained[1], MIXED).drop(columns=["smiles", "message"])  # that says what was left out of which
    pd.testing.assert_series_equal(found.loc[0], found.loc[3], check_names=False)
    pd.testing.assert_series_equal(found.loc[6], found.loc[7], check_names=False)


@pytest.mark.parametrize("block", [1, 2, 5])
def test_the_size_of_blocks_does_not_matter(trained, block):
    whole = scored(trained[1], MIXED)
    cut = scored(trained[1], MIXED, block)
    assert cut["status"].tolist() == whole["status"].tolist()
    assert cut["nn_id"].astype(object).fillna("").tolist() == whole["nn_id"].astype(object).fillna("").tolist()
    for name in ("pAct", "active", "level_p_low", "nn_similarity"):
        np.testing.assert_allclose(cut[name].astype(float), whole[name].astype(float), rtol=1e-5, atol=1e-6)


def test_a_row_alone_scores_as_in_a_batch(trained, nci):
    together = scored(trained[1], nci[:60])
    for at in (0, 17, 59):
        alone = scored(trained[1], [nci[at]])
        np.testing.assert_allclose(
            alone.loc[0, ["pAct", "active"]].astype(float),
            together.loc[at, ["pAct", "active"]].astype(float),
            rtol=1e-5,
        )
        assert alone.loc[0, "nn_id"] == together.loc[at, "nn_id"]


def test_a_block_without_a_molecule(trained):
    found = trained[1].score(tables(["", "xx"])[0])
    assert found.frame["status"].tolist() == ["empty", "invalid_smiles"]
    assert found.frame.drop(columns=["status", "message"]).isna().all(axis=None)
    assert found.keys == ["", ""]


def test_keys_and_parts_say_what_was_scored(trained):
    found = trained[1].score(tables(["OCC", "xx", "CCO", "CC"])[0])
    assert found.keys == ["CCO", "", "CCO", "CC"]
    things, index = trained[1].inputs.prepare(tables(["OCC", "xx", "CCO", "CC"])[0]).things()
    assert index.tolist() == [0, -1, 0, 1]
    assert len(things) == 2


def test_a_record_that_could_not_be_read_is_not_scored(trained, tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_text("smiles,id\nCCO,a\nCC,b,c\nCN,d\n", encoding="utf-8")
    found = trained[1].predict(path)
    assert found["status"].tolist() == ["ok", "ragged_row", "ok"]
    assert np.isnan(found["pAct"][1])
    assert "2" in found["message"][1]


def test_predictions_of_a_frame_can_be_assigned_to_it(trained):
    smiles = ["CCO", "c1ccccc1", "CCCCCCCCCC", "nonsense"]
    frame = pd.DataFrame({"smiles": smiles, "dose": [1.0, np.nan, 2.5, 3.0], "seen": [True, False, True, True]})
    plain = trained[1].predict(smiles)
    shuffled = frame.iloc[[2, 0, 3, 1]]
    found = trained[1].predict(shuffled)
    assert found.index.tolist() == [2, 0, 3, 1]
    frame["mine"] = found["pAct"]
    np.testing.assert_array_equal(frame["mine"], plain["pAct"])
    for name in ("dose", "seen"):
        pd.testing.assert_series_equal(pd.Series(found[name]), shuffled[name])
    named = trained[1].predict(frame["smiles"].iloc[[1]])
    assert named.index.tolist() == [1]


def test_whether_a_row_is_inside_is_true_false_or_unknown(trained):
    found = trained[1].predict(["CCO", "nonsense"])["in_domain"]
    assert found.dtype == "boolean" and found.isna().tolist() == [False, True]


def test_the_users_columns_keep_their_names(trained):
    found = trained[1].predict(pd.DataFrame({"smiles": ["CCO"], "pAct": ["mine"], "status": ["mine"]}))
    assert found["pAct"].tolist() == found["status"].tolist() == ["mine"]
    assert found["status_predicted"].tolist() == ["ok"]
    assert float(found["pAct_predicted"][0]) > 0


def test_a_training_ligand_is_in_the_domain_and_a_far_one_is_not(trained, series):
    made, predictor = trained
    found = scored(predictor, [series["smiles"][made.split.train[0]], "[Na+].[Cl-]", "CCCCCCCC"])
    assert found["in_domain"][0]
    assert found["nn_similarity"][0] == 1
    assert found["nn_id"][0] == series["name"][made.split.train[0]]
    assert not found["in_domain"].tolist()[2]


def test_no_rows_are_refused(trained):
    with pytest.raises(DataError, match="no rows"):
        trained[1].predict([])


def test_without_a_domain_there_are_no_neighbour_columns(network):
    mute = Predictor(network[1].recipe, network[1].members, None)
    assert not {"nn_id", "nn_similarity", "in_domain"} & set(mute.predict(["CCO"]))


def test_what_every_scorer_must_say():
    with pytest.raises(NotImplementedError):
        _ = Scorer().numbers
    with pytest.raises(NotImplementedError):
        _ = Scorer().predictors
    with pytest.raises(NotImplementedError):
        Scorer().columns_of(None)


def test_versions_are_those_of_here_and_now(trained):
    assert trained[1].versions == trained[1].recipe.versions


def test_a_number_that_is_not_finite_is_never_ok(network, monkeypatch):
    def some(things):
        found = columns_of(things)
        found.loc[0, "active"] = np.nan
        found.loc[1, "pAct_hi90"] = np.inf
        found.loc[2, "level_p_mid"] = -np.inf
        found.loc[3, "pAct_std"] = np.nan  # where nothing varies there is no deviation
        return found

    columns_of = network[1].columns_of
    monkeypatch.setattr(network[1], "columns_of", some)
    found = network[1].score(tables(["CCO", "CCN", "no smiles", "CCC", "CCS", "OCC"])[0]).frame
    assert found["status"].tolist() == ["not_finite", "not_finite", "invalid_smiles", "not_finite", "ok", "not_finite"]
    for row, name in ((0, "active"), (1, "pAct_hi90"), (3, "level_p_mid")):
        assert found.loc[row, "message"] == f"the model gives no finite number for {name}, so no number is given"
        assert found.loc[row].drop(["status", "message"]).isna().all()
