"""Patients, from a table to predictions: train, predict, evaluate, screen, a molecule beside."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molgraph import cli
from molgraph.predictor import Predictor

TRAIN = ("--set", "train.epochs=3", "--set", "refit=no", "--set", "encoder.hidden=8")


def patients(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return patients of whom the old and the smokers are sick."""
    random = np.random.default_rng(seed)
    age, smoker = random.integers(30, 90, rows), random.integers(0, 2, rows)
    sick = age / 10 + 4 * smoker + random.normal(0, 1, rows) > 8
    frame = pd.DataFrame(
        {
            "patient_id": [f"P{at}" for at in range(rows)],
            "age": age,
            "sex": random.choice(["f", "m"], rows),
            "smoker": np.where(smoker, "yes", "no"),
            "chol (mg/dL)": np.round(random.normal(200, 30, rows), 1),
            "sick": np.where(sick, "sick", "healthy"),
        }
    )
    frame["chol (mg/dL)"] = frame["chol (mg/dL)"].astype(object).where(random.random(rows) > 0.2, "")
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a table and a model of it."""
    made = tmp_path_factory.mktemp("patients")
    patients(240).to_csv(made / "train.csv", index=False)
    words = ["train", str(made / "train.csv"), "--target", "sick", "--out", str(made / "model")]
    assert cli.main([*words, "--model", "disease/feedforward", *TRAIN]) == 0
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_fields_are_kept_in_the_model(folder: Path) -> None:
    run = Predictor.load(folder / "model").recipe.run
    assert {name: field["kind"] for name, field in run.fields.items()} == {
        "age": "number",
        "sex": "category",
        "smoker": "yes_no",
        "chol (mg/dL)": "number",
    }
    assert run.fields["sex"]["categories"] == ["f", "m"] and run.fields["chol (mg/dL)"]["unit"] == "mg/dL"
    assert run.task == "binary" and run.split == "patient"


def test_a_dry_run_shows_the_fields(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(folder / "train.csv"), "--target", "sick", "--model", "disease/forest", "--dry-run"]
    assert cli.main([*words, "--fields", "age,sex"]) == 0
    shown = capsys.readouterr().err
    assert "field age: number" in shown and "field sex: category (f, m)" in shown and "field smoker" not in shown


def test_every_row_comes_back(folder: Path) -> None:
    new = patients(20, seed=1).drop(columns="sick").astype(object)
    new.loc[3, "sex"], new.loc[5, "age"], new.loc[7, "age"] = "unknown sex", "old", ""
    new = new[["smoker", "sex", "age", "chol (mg/dL)", "patient_id"]]  # in another order
    new.to_csv(folder / "new.csv", index=False)
    words = ["predict", str(folder / "new.csv"), "--model", str(folder / "model"), "-o", str(folder / "scored.csv")]
    assert cli.main(words) == 0
    found = rows_of(folder / "scored.csv")
    assert [row["patient_id"] for row in found] == [f"P{at}" for at in range(20)]
    assert found[3]["status"] == "unknown_category" and not found[3]["sick"]
    assert found[3]["message"] == "sex = 'unknown sex' is none of those in training: f, m"
    assert found[5]["status"] == "unreadable_field" and found[7]["status"] == "ok"
    assert all(0 <= float(row["sick"]) <= 1 for row in found if row["status"] == "ok")
    assert all(row["nn_id"].startswith("P") for row in found if row["status"] == "ok")


def test_a_row_that_was_measured_finds_itself(folder: Path) -> None:
    words = ["predict", str(folder / "train.csv"), "--model", str(folder / "model"), "-o", str(folder / "own.csv")]
    assert cli.main(words) == 0
    trained = set(Predictor.load(folder / "model").domain.ids)  # type: ignore[union-attr]
    own = [row for row in rows_of(folder / "own.csv") if row["patient_id"] in trained]
    assert own and all(float(row["nn_similarity"]) == 1 for row in own)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"columns": "age"}, "no column 'age', which the model reads"),
        ({"rename": {"chol (mg/dL)": "chol (mmol/L)"}}, "is in mmol/L, and the model learnt it in mg/dL: convert it"),
    ],
)
def test_another_table_is_refused_by_name(
    folder: Path, change: dict[str, object], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    new = patients(5).drop(columns=change.get("columns", []))  # type: ignore[call-overload]
    new.rename(columns=change.get("rename", {})).to_csv(folder / "other.csv", index=False)
    code = cli.main(
        ["predict", str(folder / "other.csv"), "--model", str(folder / "model"), "-o", str(folder / "o.csv")]
    )
    assert code == 3 and words in capsys.readouterr().err


def test_a_list_is_ranked_with_a_page(folder: Path) -> None:
    words = ["screen", str(folder / "new.csv"), "--model", str(folder / "model"), "--out", str(folder / "ranked")]
    assert cli.main([*words, "--workers", "1", "--top", "5"]) == 0
    assert len(rows_of(folder / "ranked" / "top.csv")) == 5
    assert "smoker = " in (folder / "ranked" / "report.html").read_text(encoding="utf-8")


def test_conditions_stand_beside_a_molecule(folder: Path) -> None:
    random = np.random.default_rng(2)
    smiles = ["CCO", "CCN", "c1ccccc1O", "CCCC", "CC(=O)O", "CCCl"]
    heat = random.integers(20, 90, 120)
    chosen = random.integers(0, len(smiles), 120)
    frame = pd.DataFrame({"smiles": [smiles[at] for at in chosen], "heat": heat, "rate": chosen + heat / 30})
    frame.to_csv(folder / "rates.csv", index=False)
    words = ["train", str(folder / "rates.csv"), "--target", "rate", "--split", "random", "--set", "train.epochs=1"]
    words += ["--inputs", "smiles:molecule/feedforward,conditions:disease/feedforward", "--fields", "heat"]
    assert cli.main([*words, "--set", "refit=no", "--set", "comparator=none", "--out", str(folder / "rate")]) == 0
    run = Predictor.load(folder / "rate").recipe.run
    assert run.inputs["conditions"]["fields"] == {"heat": {"kind": "number"}}
    words = ["predict", str(folder / "rates.csv"), "--model", str(folder / "rate"), "-o", str(folder / "rated.csv")]
    assert cli.main(words) == 0
    assert {row["status"] for row in rows_of(folder / "rated.csv")} == {"ok"}


def survivors(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return patients of whom the old die sooner; some are lost before."""
    random = np.random.default_rng(seed)
    age = random.integers(30, 90, rows)
    dies, lost = random.exponential(30 * np.exp((60 - age) / 10)), random.exponential(60, rows)
    return pd.DataFrame(
        {
            "age": age,
            "sex": random.choice(["f", "m"], rows),
            "months": np.round(np.minimum(dies, lost) + 0.1, 1),
            "death": np.where(dies <= lost, "dead", "alive"),
        }
    )


def test_the_time_to_an_event(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survivors(300).to_csv(folder / "survival.csv", index=False)
    words = ["train", str(folder / "survival.csv"), "--model", "disease/feedforward", "--event", "months:death"]
    assert cli.main([*words, "--set", "train.epochs=15", "--set", "refit=no", "--out", str(folder / "survival")]) == 0
    shown = capsys.readouterr().err
    assert "death: events by months:" in shown and "rows were watched until months and had none" in shown
    model = Predictor.load(folder / "survival")
    assert set(model.recipe.run.fields) == {"age", "sex"}  # when it happened says nothing of a patient beforehand
    scores = model.recipe.metrics["model"]["death"]
    assert list(scores) == ["c_index", "time_auroc", "ibs"] and scores["c_index"]["value"] > 0.6
    assert "Kaplan-Meier" in model.recipe.metrics["simple"]["verdicts"]["death"]["constant"]["sentence"]

    new = pd.DataFrame({"age": [35, 85], "sex": ["f", "f"]})
    new.to_csv(folder / "two.csv", index=False)
    words = [
        "predict",
        str(folder / "two.csv"),
        "--model",
        str(folder / "survival"),
        "-o",
        str(folder / "two_scored.csv"),
    ]
    assert cli.main(words) == 0
    young, old = rows_of(folder / "two_scored.csv")
    assert float(young["death"]) < 1
    by = [name for name in young if name.startswith(("death_by_", "death_predicted_by_"))]
    assert len(by) == 3 and all(float(young[name]) < float(old[name]) for name in by)
    assert [float(young[name]) for name in by] == sorted(float(young[name]) for name in by)


def test_an_event_is_judged_on_later_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survivors(120, seed=5).to_csv(folder / "later.csv", index=False)
    words = [
        "evaluate",
        str(folder / "later.csv"),
        "--model",
        str(folder / "survival"),
        "--out",
        str(folder / "judged"),
    ]
    assert cli.main(words) == 0
    assert "c_index" in capsys.readouterr().err


def test_a_linear_model_of_a_yes_or_no(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(folder / "train.csv"), "--target", "sick", "--model", "disease/linear"]
    assert cli.main([*words, "--set", "comparator=disease/forest", "--out", str(folder / "linear")]) == 0
    model = Predictor.load(folder / "linear")
    metrics = model.recipe.metrics
    assert metrics["comparator_name"] == "disease/forest" and metrics["model"]["sick"]["auroc"]["value"] > 0.8
    assert model.facts["refitted"] == 240 and model.facts["size"] == "1 equation of 5 features"
    words = ["predict", str(folder / "new.csv"), "--model", str(folder / "linear"), "-o", str(folder / "linear.csv")]
    assert cli.main(words) == 0
    found = rows_of(folder / "linear.csv")
    assert [row["status"] for row in found] == [row["status"] for row in rows_of(folder / "scored.csv")]


def test_a_linear_model_of_the_time_to_an_event(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Times are drawn with a mean that falls by a factor of e in ten years: a line through their logarithms."""
    survivors(900).to_csv(folder / "many.csv", index=False)
    words = ["train", str(folder / "many.csv"), "--model", "disease/linear", "--event", "months:death"]
    words += ["--set", "comparator=none", "--set", "fractions=[0.6,0.3,0.1]"]
    assert cli.main([*words, "--out", str(folder / "timed")]) == 0
    model = Predictor.load(folder / "timed")
    assert model.recipe.metrics["model"]["death"]["c_index"]["value"] > 0.65
    (equation,) = (member.found["death"] for member in model.members)
    age = equation.weights[0, 0] / equation.scale[0]
    assert age == pytest.approx(-0.1, abs=0.03), "a year more, a tenth less of the logarithm"
    assert 0.8 < np.exp(equation.offset[1]) < np.pi / 6**0.5, "that of a Gumbel distribution without its earliest"
    words = ["predict", str(folder / "two.csv"), "--model", str(folder / "timed"), "-o", str(folder / "timed.csv")]
    assert cli.main(words) == 0
    young, old = rows_of(folder / "timed.csv")
    by = [name for name in young if name.startswith(("death_by_", "death_predicted_by_"))]
    assert by and all(float(young[name]) < float(old[name]) for name in by)
