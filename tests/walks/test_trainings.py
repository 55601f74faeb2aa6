"""Every kind of training that the command line offers, on one small series."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.numpy import load_file
from walk import TINY, done, molgraph, refused

FACTS = ("train", "valid", "calibration", "test")


def recipe(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    return found


def predicted(data: Path, folder: Path) -> pd.DataFrame:
    done("predict", data, "--model", folder, "-o", folder / "scores.parquet")
    return pd.read_parquet(folder / "scores.parquet")


def same_weights(one: Path, other: Path, number: int = 0) -> bool:
    a, b = (load_file(folder / f"weights-{number}.safetensors") for folder in (one, other))
    return a.keys() == b.keys() and all((a[name] == b[name]).all() for name in a)


def test_binary(data: Path, tmp_path: Path):
    done("train", data, "--target", "active", "--task", "binary", "--split", "random", *TINY, "--out", tmp_path)
    assert predicted(data, tmp_path)["active_predicted"].between(0, 1).all()
    assert {"auroc", "auprc", "ef1"} <= recipe(tmp_path)["metrics"]["model"]["active"].keys()


def test_multiclass(data: Path, tmp_path: Path):
    done("train", data, "--target", "grade", "--task", "multiclass", "--split", "random", *TINY, "--out", tmp_path)
    found = predicted(data, tmp_path)
    assert set(found["grade_predicted"]) <= {"low", "mid", "high"}
    assert found[["grade_p_low", "grade_p_mid", "grade_p_high"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)


def test_several_targets_with_blanks(data: Path, tmp_path: Path):
    said = done("train", data, "--target", "pAct", "--target", "half", *TINY, "--out", tmp_path).err
    assert "68 rows, 68 used" in said
    assert {"pAct_predicted", "half_predicted"} <= set(predicted(data, tmp_path).columns)


def test_kinds_of_tasks_joined_by_a_run_file(data: Path, tmp_path: Path):
    run = tmp_path / "run.toml"
    settings = ("[encoder]", "hidden = 16", "depth = 2", "[head]", "hidden = 16", "[train]", "epochs = 2")
    tasks = ("[task]", 'pAct = "regression"', 'active = "binary"', 'grade = "multiclass"')
    head = (f"data = {json.dumps(str(data))}", 'targets = ["pAct", "active", "grade"]', 'comparator = "none"')
    run.write_text("\n".join([*head, *tasks, *settings]) + "\n", encoding="utf-8")
    done("train", run, "--set", "train.epochs=1", "--out", tmp_path / "model")
    found = predicted(data, tmp_path / "model")
    assert {"pAct_predicted", "active_predicted", "grade_p_low"} <= set(found.columns)
    assert recipe(tmp_path / "model")["run"]["train"]["epochs"] == 1
    done("screen", data, "--model", tmp_path / "model", "--out", tmp_path / "screen", "--workers", 1, "--top", 5)


def test_concentrations_become_logarithms_and_bounds_train_as_bounds(data: Path, tmp_path: Path):
    done("train", data, "--target", "IC50", "--units", "IC50:nM", *TINY, "--out", tmp_path)
    found = predicted(data, tmp_path)
    assert found["pIC50"].between(2, 12).all()
    facts = recipe(tmp_path)
    assert facts["units"] == {"pIC50": "-log10(M)"}
    assert facts["facts"]["rows_used"] == 68
    said = done("evaluate", data, "--model", tmp_path).err
    assert "68 judged" in said and "pIC50" in said


@pytest.mark.parametrize(
    "split",
    ["scaffold", "scaffold_random", "random", "cluster", "time:date", "column:fold", "deepchem:ScaffoldSplitter"],
)
def test_every_split(data: Path, tmp_path: Path, split: str):
    if split.startswith("deepchem"):
        pytest.importorskip("deepchem")
    done("train", data, "--target", "pAct", "--split", split, *TINY, "--set", "train.epochs=1", "--out", tmp_path)
    facts = recipe(tmp_path)["facts"]
    assert facts["split"] == split
    assert sum(facts[fold] for fold in FACTS) == 68 and facts["test"] > 0
    if split == "column:fold":
        assert facts["test"] == 14
    rows = pd.read_csv(data)
    if split == "time:date":
        assert facts["test"] == pytest.approx(len(rows) / 10, abs=1)


def test_fine_tuning_starts_from_the_given_weights(data: Path, second: Path, tmp_path: Path):
    still = ("--set", "train.epochs=1", "--set", "train.lr=1e-12")
    done("train", data, "--target", "pAct", "--init", second, *TINY, *still, "--out", tmp_path)
    before, after = (load_file(folder / "weights-0.safetensors") for folder in (second, tmp_path))
    assert all(abs(before[name] - after[name]).max() < 1e-6 for name in before)


def test_fine_tuning_needs_the_same_encoder(data: Path, second: Path, tmp_path: Path):
    outcome = molgraph(
        "train", data, "--target", "pAct", "--init", second, *TINY, "--set", "encoder.hidden=8", "--out", tmp_path / "m"
    )
    refused(outcome, 2, "its encoder was set up with")


def test_an_ensemble_has_a_spread(data: Path, tmp_path: Path):
    done("train", data, "--target", "pAct", "--ensemble", 2, *TINY, "--out", tmp_path)
    assert (predicted(data, tmp_path)["pAct_std"] > 0).all()
    assert (tmp_path / "weights-1.safetensors").exists()


def test_a_dry_run_writes_nothing(data: Path, tmp_path: Path):
    said = done("train", data, "--target", "pAct", *TINY, "--dry-run", "--out", tmp_path / "model").err
    assert "split scaffold" in said and "nothing was trained" in said
    assert list(tmp_path.iterdir()) == []


def test_the_printed_settings_are_a_run_file(data: Path, second: Path, tmp_path: Path):
    words = ("train", data, "--target", "pAct", "--seed", 1, *TINY)
    printed = done(*words, "--print-config").out
    assert tomllib.loads(printed)["encoder"].items() >= {"hidden": 16, "depth": 2}.items()
    (tmp_path / "run.toml").write_text(printed, encoding="utf-8")
    assert done("train", tmp_path / "run.toml", "--print-config").out == printed
    done("train", tmp_path / "run.toml", "--out", tmp_path / "model")
    assert same_weights(tmp_path / "model", second)


def test_the_run_file_in_a_model_folder_trains_the_same_model(second: Path, tmp_path: Path):
    done("train", second / "run.toml", "--out", tmp_path / "again")
    assert same_weights(tmp_path / "again", second)


def test_a_run_file_finds_its_data_beside_itself(data: Path, tmp_path: Path):
    (tmp_path / "mine.csv").write_bytes(data.read_bytes())
    (tmp_path / "run.toml").write_text('data = "mine.csv"\ntargets = ["pAct"]\n', encoding="utf-8")
    assert "68 used" in done("train", tmp_path / "run.toml", *TINY, "--dry-run").err


def test_another_model_is_not_overwritten_unless_asked(data: Path, tmp_path: Path):
    words = ("train", data, "--target", "pAct", *TINY, "--out", tmp_path)
    done(*words)
    before = (tmp_path / "weights-0.safetensors").read_bytes()
    refused(molgraph(*words, "--seed", 5), 2, "holds a trained model", "--overwrite")
    assert (tmp_path / "weights-0.safetensors").read_bytes() == before
    done(*words, "--seed", 5, "--overwrite")
    assert (tmp_path / "weights-0.safetensors").read_bytes() != before


def test_trees_are_trained_used_and_mixed_with_networks(data: Path, second: Path, tmp_path: Path):
    words = ("--model", "molecule/forest", "--set", "encoder.rounds=10", "--set", "comparator=none")
    done("train", data, "--target", "pAct", *words, "--out", tmp_path)
    done("predict", data, "--model", tmp_path, second, "-o", tmp_path / "both.parquet")
    assert (pd.read_parquet(tmp_path / "both.parquet")["pAct_std"] > 0).all()


def test_the_comparator_stands_beside_the_model(data: Path, tmp_path: Path):
    run = done(
        "train", data, "--target", "pAct", "--model", "molecule/forest", "--set", "encoder.rounds=5",
        "--set", "comparator=molecule/gin", "--set", "train.epochs=1", "--out", tmp_path,
    )  # fmt: skip
    assert "training molecule/gin, the method to beat" in run.err
    assert recipe(tmp_path)["metrics"]["comparator_name"] == "molecule/gin"


def test_the_same_molecule_twice_is_said_and_merged(tmp_path: Path, series: pd.DataFrame):
    twice = pd.concat([series, series.head(5).assign(pAct=lambda t: t["pAct"] + 1)])
    twice.to_csv(tmp_path / "twice.csv", index=False)
    said = done("train", tmp_path / "twice.csv", "--target", "pAct", *TINY, "--out", tmp_path / "m").err
    assert "5 rows repeat another and were merged" in said
    assert "5 molecules with different measurements in different rows" in said
    assert len(pd.read_csv(tmp_path / "m" / "rejects.csv")) == 5
