"""Own columns of numbers beside a molecule, from training to a screen."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import molgraph
from molgraph.cli import main

TINY = ("--set", "train.epochs=1", "--set", "encoder.hidden=8", "--set", "encoder.depth=1", "--set", "head.hidden=8")


@pytest.fixture(scope="module")
def table(chembl_table, tmp_path_factory):
    """Write 80 ligands with a temperature and a pH, of which the rate depends."""
    frame = chembl_table.iloc[::12].head(80).reset_index(drop=True)
    at = np.arange(80)
    frame["temp (K)"], frame["ph"] = 290 + at % 5 * 10, 5 + at % 4
    frame["rate"] = (frame.pop("pAct") + 0.05 * (frame["temp (K)"] - 300)).round(3)
    path = tmp_path_factory.mktemp("descriptors") / "rates.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def model(table):
    out = table.parent / "model"
    words = ("--target", "rate", "--descriptors", "temp (K),ph", "--set", "refit=no", *TINY)
    assert main(["train", str(table), *words, "--out", str(out)]) == 0
    return out


def test_the_card_names_both_inputs_and_each_alone_has_to_be_beaten(model):
    card = (model / "card.md").read_text(encoding="utf-8")
    assert "- inputs: molecule by molecule/dmpnn; descriptors temp (K), ph by disease/feedforward" in card
    metrics = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
    assert list(metrics["others"])[:3] == [
        "fusion/forest",
        "molecule alone (molecule/forest)",
        "descriptors alone (disease/forest)",
    ]
    assert molgraph.load(model).recipe.run.inputs["molecule"]["hidden"] == 8


def test_the_same_run_with_inputs_and_fields_gives_the_same_numbers(table, model, tmp_path):
    inputs = {
        "molecule": {"encoder": "molecule/dmpnn", "hidden": 8, "depth": 1},
        "descriptors": {"encoder": "disease/feedforward", "fields": {"temp (K)": "auto", "ph": "auto"}},
    }
    other = molgraph.train(
        str(table), "rate", inputs=inputs, head={"hidden": 8}, train={"epochs": 1}, comparator="none", refit="no"
    )
    frame = pd.read_csv(table).head(9).drop(columns="rate")
    mine, theirs = (each.predict(frame)["rate"] for each in (molgraph.load(model), other))
    np.testing.assert_array_equal(mine, theirs)


def test_conditions_that_nobody_tried_are_out_of_domain_and_said(table, model):
    frame = pd.read_csv(table).head(4)
    frame["temp (K)"] = [400, 300, 300, 300]
    frame["ph"] = ["7", "", "6", "acid"]
    found = molgraph.load(model).predict(frame)
    assert found["message"][0].startswith("extrapolates: temp (K) = 400 (training rows: 290 to 330)")
    assert "ph is blank (in no training row)" in found["message"][1]
    assert found["in_domain"].tolist()[:3] == [False, False, True]
    assert found["status"].tolist() == ["ok", "ok", "ok", "unreadable_field"]


def test_a_table_without_the_column_is_refused_by_name_or_given_it(table, model, tmp_path, capsys):
    library = tmp_path / "library.csv"
    pd.read_csv(table)[["smiles", "temp (K)"]].head(6).to_csv(library, index=False)
    out = tmp_path / "out.csv"
    assert main(["predict", str(library), "--model", str(model), "-o", str(out)]) == 3
    assert "no column 'ph', which the model reads" in capsys.readouterr().err
    assert main(["predict", str(library), "--model", str(model), "-o", str(out), "--given", "pH=6"]) == 2
    assert "did you mean 'ph'" in capsys.readouterr().err
    assert main(["predict", str(library), "--model", str(model), "-o", str(out), "--given", "ph=6"]) == 0
    told = pd.read_csv(table).head(6).drop(columns="rate").assign(ph=6)
    np.testing.assert_allclose(pd.read_csv(out)["rate"], molgraph.load(model).predict(told)["rate"], rtol=1e-6)
    ranked = tmp_path / "ranked"
    assert main(["screen", str(library), "--model", str(model), "--given", "ph=6", "--out", str(ranked)]) == 0
    assert len(pd.read_csv(ranked / "top.csv")) == 6
    assert main(["evaluate", str(table), "--model", str(model)]) == 0


def test_a_unit_that_is_another_is_refused(table, model, tmp_path, capsys):
    other = tmp_path / "other.csv"
    pd.read_csv(table).rename(columns={"temp (K)": "temp (C)"}).to_csv(other, index=False)
    assert main(["predict", str(other), "--model", str(model)]) == 3
    assert "'temp (C)' is in C, and the model learnt it in K: convert it" in capsys.readouterr().err


def test_models_and_trees_are_compared_and_tuned_with_them(table, tmp_path, capsys):
    words = ("--target", "rate", "--descriptors", "ph", "--split", "random", "--set", "train.epochs=1")
    models = ("--models", "molecule/dmpnn,molecule/forest", "--folds", "2", "--repeats", "1")
    assert main(["compare", str(table), *words, *models, "--out", str(tmp_path / "compared")]) == 0
    scores = pd.read_csv(tmp_path / "compared" / "scores.csv")
    assert set(scores["model"]) == {"molecule/dmpnn", "molecule/forest"}
    tuned = tmp_path / "tuned"
    model = ("--model", "molecule/dmpnn,molecule/gin", "--trials", "2", "--set", "comparator=none", "--set", "refit=no")
    assert main(["tune", str(table), *words, *model, "--out", str(tuned)]) == 0
    best = (tuned / "best.toml").read_text(encoding="utf-8")
    assert "[inputs.descriptors.fields]" in best
    assert main(["train", str(tuned / "best.toml"), "--print-config"]) == 0
