import json

import numpy as np
import pandas as pd
import pytest

import molgraph
from molgraph.errors import ConfigError, DataError
from molgraph.predictor.rows import read_rows
from molgraph.workflows.evaluate import evaluate_file

TINY = {
    "encoder": {"hidden": 16, "depth": 2},
    "head": {"hidden": 16},
    "train": {"epochs": 2},
    "comparator": "none",
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
