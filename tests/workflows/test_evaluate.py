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
    assert f"leaks: {seen} of {len(ligands)} rows stood in the training set" in capsys.readouterr().err
    page = (tmp_path / f"report-{classes.name}.html").read_text(encoding="utf-8")
    assert f"the same, {len(ligands) - seen} rows not trained on" in page
    assert f"Leaks: {seen} of {len(ligands)} rows stood in the training set" in page


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
