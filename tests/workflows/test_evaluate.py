import json

import numpy as np
import pandas as pd
import pytest

import molgraph
from molgraph.errors import ConfigError, DataError
from molgraph.predictor import load
from molgraph.predictor.rows import read_rows
from molgraph.workflows.evaluate import evaluate_file
from molgraph.workflows.share import share_folder

P = [f"level_p_{name}" for name in ("high", "low", "mid")]

TINY = {
    "encoder": {"hidden": 16, "depth": 2},
    "head": {"hidden": 16},
    "train": {"epochs": 2},
    "comparator": "none",
    "refit": "no",
    "split": "random",
}


@pytest.fixture(scope="module")
def ligands(chembl_table):
    frame = chembl_table.iloc[::9].head(100).reset_index(drop=True)
    return frame.assign(level=pd.qcut(frame["pAct"], 3, labels=["low", "mid", "high"]).astype(str))


@pytest.fixture(scope="module")
def classes(ligands, tmp_path_factory):
    out = tmp_path_factory.mktemp("classes") / "m"
    molgraph.train(ligands.head(70), "level", task="multiclass", out=out, **TINY)
    return out


def test_classes_keep_the_places_they_had_in_training(classes, ligands):
    held = ligands.tail(30)
    some = held[held["level"] != "high"]  # of high, low, mid only two are left: their places must not move
    (found,) = evaluate_file(some, [classes]).values()
    said = molgraph.load(classes).predict(some)
    accuracy = float(np.mean(said["level_predicted"].to_numpy() == some["level"].to_numpy()))
    assert found["model"]["level"]["accuracy"]["value"] == pytest.approx(accuracy)
    assert found["rows"] == len(some)
    assert found["seen_in_training"] == 0


def test_rows_of_the_training_are_counted_and_files_are_written(classes, ligands, tmp_path):
    (found,) = evaluate_file(ligands, [classes], out=tmp_path / "out").values()
    assert found["seen_in_training"] == molgraph.load(classes).facts["train"]
    assert json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8")) == {str(classes): found}
    scores = pd.read_csv(tmp_path / "out" / f"scores-{classes.name}.csv")
    assert len(scores) == len(ligands)


def test_scores_are_given_without_the_rows_of_the_training(classes, ligands, tmp_path, capsys):
    salts = ligands.assign(smiles="Cl." + ligands["smiles"])  # another text of the same compound
    (found,) = evaluate_file(salts, [classes], out=tmp_path).values()
    seen = molgraph.load(classes).facts["train"]
    assert found["seen_in_training"] == seen == found["leaks"]["seen"]
    assert found["unseen"]["rows"] == len(ligands) - seen
    trained = molgraph.load(classes)
    known = trained.domain.seen(read_rows(ligands, trained.recipe.run, trained.inputs).data)
    (alone,) = evaluate_file(ligands[~known], [classes]).values()
    assert alone["model"] == found["unseen"]["model"] and "unseen" not in alone
    assert alone["verdicts"] == found["unseen"]["verdicts"], "the neighbour of a row of the training is the row itself"
    said = capsys.readouterr().err
    assert f"leaks: {seen} of {len(ligands)} rows stood in the training set" in said
    (sentence,) = (verdict["sentence"] for verdict in alone["verdicts"]["level"].values())
    assert said.count(sentence) == 2, "once for each command"
    page = (tmp_path / f"report-{classes.name}.html").read_text(encoding="utf-8")
    assert f"the same, {len(ligands) - seen} rows not trained on" in page
    assert f"Leaks: {seen} of {len(ligands)} rows stood in the training set" in page


@pytest.fixture(scope="module")
def other(ligands, tmp_path_factory):
    """Return another model of the same target, trained on other rows."""
    out = tmp_path_factory.mktemp("other") / "n"
    molgraph.train(
        ligands.head(85).sample(60, random_state=0), "level", task="multiclass", out=out, **{**TINY, "seed": 7}
    )
    return out


def test_without_training_rows_nothing_is_said_of_what_was_seen(classes, ligands, tmp_path, capsys):
    share_folder(classes, tmp_path / "shared")
    (found,) = evaluate_file(ligands, [tmp_path / "shared"], out=tmp_path / "out").values()
    assert found["seen_in_training"] is None and found["leaks"]["seen"] is None and "unseen" not in found
    said = capsys.readouterr().err
    why = "which of the rows were trained on cannot be known: the model was shared without its training rows"
    assert f"100 judged; {why}" in said and "0 of them" not in said and "no row was trained on" not in said
    page = (tmp_path / "out" / "report-shared.html").read_text(encoding="utf-8")
    assert f"W{why[1:]}." in page and "stood in the training set" not in page


def test_models_are_judged_each_and_as_the_mean_that_predict_takes(classes, other, ligands, tmp_path, capsys):
    found = evaluate_file(ligands, [classes, other], out=tmp_path)
    assert list(found) == [str(classes), str(other), "together"]
    panel = load([classes, other])
    mean = np.mean([molgraph.load(each).predict(ligands)[P].to_numpy() for each in (classes, other)], axis=0)
    truth = pd.Categorical(ligands["level"], categories=["high", "low", "mid"]).codes
    both, accuracy = found["together"], float((mean.argmax(axis=1) == truth).mean())
    assert both["model"]["level"]["accuracy"]["value"] == pytest.approx(accuracy)
    scores = pd.read_csv(tmp_path / "scores-together.csv")
    np.testing.assert_allclose(scores[P], panel.predict(ligands)[P].to_numpy(np.float64), rtol=1e-5)
    read = read_rows(ligands, molgraph.load(classes).recipe.run, molgraph.load(classes).inputs).data
    seen = np.any([molgraph.load(each).domain.seen(read) for each in (classes, other)], axis=0)
    assert (
        both["seen_in_training"] == seen.sum() > max(found[str(each)]["seen_in_training"] for each in (classes, other))
    )
    fresh = ligands[~seen]
    for each in (classes, other):  # each alone beside it, on the rows that neither was trained on
        (alone,) = evaluate_file(fresh, [each]).values()
        assert both["unseen"]["others"][str(each)]["level"] == alone["model"]["level"]
    said = capsys.readouterr().err
    assert f"together: 100 rows read, 100 judged, {seen.sum()} of them seen in training" in said
    assert (tmp_path / "report-together.html").exists()


def test_a_panel_with_a_shared_member_cannot_know_all(classes, other, ligands, tmp_path):
    share_folder(other, tmp_path / "shared")
    both = evaluate_file(ligands.iloc[90:], [classes, tmp_path / "shared"])["together"]
    assert both["seen_in_training"] == 0
    why = "whether others were trained on cannot be known: the model was shared without its training rows"
    assert both["leaks"]["sentence"].endswith(why) and "no row was trained on" not in both["leaks"]["sentence"]


def test_models_that_cannot_be_averaged_are_judged_apart(classes, ligands, tmp_path, capsys):
    molgraph.train(ligands.head(70), "level", task="multiclass", out=tmp_path / "raw", standardize=False, **TINY)
    found = evaluate_file(ligands.tail(30), [classes, tmp_path / "raw"])
    assert list(found) == [str(classes), str(tmp_path / "raw")]
    assert "not judged together: one model standardises its molecules and another does not" in capsys.readouterr().err


def test_rows_left_out_are_counted_by_reason_and_named(classes, ligands, tmp_path, capsys):
    bad = pd.DataFrame({"smiles": ["C1CC", "", "CCO", "CCN"], "level": ["low", "mid", "", "huge"]})
    evaluate_file(pd.concat([ligands.tail(20), bad], ignore_index=True), [classes], out=tmp_path)
    said = capsys.readouterr().err
    reasons = "1 invalid smiles, 1 empty, 1 not measured, 1 invalid target"
    assert f"24 rows read, 20 judged, 0 of them seen in training; 4 left out ({reasons})" in said
    table = pd.read_csv(tmp_path / "rejects.csv")
    assert table["row"].tolist() == [21, 22, 23, 24]
    assert table["reason"].tolist() == ["invalid_smiles", "empty", "not_measured", "invalid_target"]


def test_rows_that_repeat_are_judged_each_by_its_own_value(classes, ligands, capsys):
    held = ligands.tail(30)
    twice = pd.concat([held, held.assign(level=held["level"].iloc[::-1].to_numpy())], ignore_index=True)
    (found,) = evaluate_file(twice, [classes]).values()
    said = molgraph.load(classes).predict(twice)["level_predicted"].to_numpy()
    accuracy = float((said == twice["level"].to_numpy()).mean())
    assert (found["rows"], found["repeats"]) == (60, 30)
    assert found["model"]["level"]["accuracy"]["value"] == pytest.approx(accuracy)
    assert "; 30 repeat another, each judged by its own value" in capsys.readouterr().err


def test_targets_that_the_data_lacks_are_left_out(ligands, tmp_path):
    frame = ligands.assign(active=(ligands["pAct"] > ligands["pAct"].median()).astype(int), other=ligands["pAct"] + 1)
    task = {"pAct": "regression", "active": "binary", "other": "regression"}
    molgraph.train(frame.head(70), list(task), task=task, out=tmp_path / "three", **TINY)
    held = frame.tail(30)
    (found,) = evaluate_file(held.drop(columns=["other"]), [tmp_path / "three"], out=tmp_path / "out").values()
    (whole,) = evaluate_file(held, [tmp_path / "three"]).values()
    assert list(found["model"]) == ["pAct", "active"]
    assert all(found["model"][name] == whole["model"][name] for name in found["model"])
    assert "other_measured" not in pd.read_csv(tmp_path / "out" / "scores-three.csv")
    with pytest.raises(DataError, match="no column 'pAct'"):
        evaluate_file(held.drop(columns=list(task)), [tmp_path / "three"])


def test_models_without_a_target_in_common_are_refused(classes, ligands, tmp_path):
    molgraph.train(ligands, "pAct", out=tmp_path / "other", **TINY)
    with pytest.raises(ConfigError, match="no target in common"):
        evaluate_file(ligands, [classes, tmp_path / "other"])


def test_subgroups_are_judged_apart_on_what_did_not_train(classes, ligands, tmp_path, capsys):
    source = ligands.assign(batch=["one", "two"] * (len(ligands) // 2))
    (found,) = evaluate_file(source, [classes], out=tmp_path, by=["batch"]).values()
    fresh = found["unseen"]["rows"]
    assert [line["group"] for line in found["subgroups"]] == ["one", "two"]
    assert sum(line["n"] for line in found["subgroups"]) == fresh < len(ligands)
    flat = pd.read_csv(tmp_path / f"subgroups-{classes.name}.csv")
    assert flat["group"].tolist() == ["one", "two"] and flat["n"].sum() == fresh
    assert "level, batch one: " in capsys.readouterr().err
    assert '<th scope="row">batch</th>' in (tmp_path / f"report-{classes.name}.html").read_text(encoding="utf-8")
    with pytest.raises(DataError, match="--by bath: no column 'bath'"):
        evaluate_file(source, [classes], by=["bath"])


@pytest.mark.parametrize("labels", [("-1", "1"), ("stuck", "free")])
def test_two_classes_are_read_as_the_model_learnt_them(ligands, tmp_path, labels):
    positive = {} if labels[0] == "-1" else {"positive": {"y": "free"}}
    named = ligands.assign(y=np.where(ligands["pAct"] > ligands["pAct"].median(), labels[1], labels[0]))
    molgraph.train(named.head(70), "y", task="binary", out=tmp_path / "m", **positive, **TINY)
    task = load([tmp_path / "m"]).task
    assert task.labels == (labels,)
    held = named.tail(30)
    (found,) = evaluate_file(held, [tmp_path / "m"]).values()
    chance = molgraph.load(tmp_path / "m").predict(held)["y_predicted"].to_numpy()
    said = np.where(chance > 0.5, labels[1], labels[0])
    accuracy = float(np.mean(said == held["y"].to_numpy()))
    assert found["model"]["y"]["accuracy"]["value"] == pytest.approx(accuracy) and found["rows"] == 30
    only = held[held["y"] == labels[1]]  # one class alone in the file is still the positive one
    (found,) = evaluate_file(only, [tmp_path / "m"]).values()
    assert found["rows"] == len(only)
