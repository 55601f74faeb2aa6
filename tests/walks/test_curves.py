"""The future of a quantity, from a table of visits to three horizons: train, evaluate, predict."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molgraph import cli
from molgraph.predictor import Predictor

SPLIT = ("--set", "refit=no", "--set", "fractions=[0.6,0.2,0.2]")
TINY = ("--set", "train.epochs=30", "--set", "encoder.hidden=16", *SPLIT)


def growing(patients: int = 120, seed: int = 0) -> pd.DataFrame:
    """Return yearly visits of patients who grow, each at a rate of its own."""
    random = np.random.default_rng(seed)
    age = np.concatenate([np.arange(6) + start for start in random.uniform(6, 9, patients)])
    who = np.repeat(np.arange(patients), 6)
    rate = random.uniform(0.1, 0.4, patients)[who]
    volume = 1 + rate * (age - 5) + random.normal(0, 0.02, len(age))
    return pd.DataFrame({"child": [f"C{at}" for at in who], "age": age.round(3), "volume": volume.round(3)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with visits and a model of what comes after each."""
    made = tmp_path_factory.mktemp("curves")
    growing().to_csv(made / "visits.csv", index=False)
    words = ["train", str(made / "visits.csv"), "--inputs", f"{made / 'visits.csv'}:child", "--time", "age"]
    words += ["--curve", "volume=+1,+2", "--within", "0.2", "--model", "disease/feedforward"]
    assert cli.main([*words, "--out", str(made / "model"), *TINY]) == 0
    return made


def test_the_horizons_are_targets_of_one_network(folder: Path) -> None:
    model = Predictor.load(folder / "model")
    assert model.targets == ("volume+1", "volume+2") and model.recipe.run.task == "curve"
    assert model.recipe.run.curves == {"volume": {"ahead": [1.0, 2.0], "within": 0.2}}
    assert model.recipe.facts["rejected"] == {"not_measured": 120}  # the last visit of each has no future
    assert (
        "volume: values ahead of 720 rows: 600 of volume+1, 480 of volume+2, each within 0.2." in model.facts["notes"]
    )


def test_it_is_judged_beside_the_last_value_and_trees(folder: Path) -> None:
    found = json.loads((folder / "model" / "metrics.json").read_text(encoding="utf-8"))
    assert found["comparator_name"] == "disease/forest" and found["main"]["volume+1"] == "wis"
    for target in ("volume+1", "volume+2"):
        last = found["simple"]["others"]["last value"][target]
        assert last["wis"]["value"] > found["model"][target]["wis"]["value"] > 0  # they grow
        assert {*found["model"][target]} == {"wis", "mae", "rmse"}
        assert found["comparator"][target]["wis"]["value"] > 0
    assert "the last value of volume" in found["simple"]["verdicts"]["volume+1"]["last value"]["sentence"]


def test_a_forecast_of_each_visit_sees_nothing_after_it(folder: Path) -> None:
    new = growing(5, seed=1)
    scored = {}
    for name, frame in (("whole", new), ("early", new.groupby("child").head(3))):
        frame.to_csv(folder / f"{name}.csv", index=False)
        words = ["predict", str(folder / f"{name}.csv"), "--model", str(folder / "model")]
        assert cli.main([*words, "-o", str(folder / "out.csv")]) == 0
        with (folder / "out.csv").open(encoding="utf-8") as file:
            scored[name] = {(row["child"], row["age"]): row for row in csv.DictReader(file)}
    assert len(scored["whole"]) == 30 and all(scored["whole"][key] == row for key, row in scored["early"].items())
    for row in scored["whole"].values():
        assert float(row["volume+1_lo90"]) < float(row["volume+1"]) < float(row["volume+1_hi90"])


def test_it_is_evaluated_on_visits_that_came_later(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    growing(30, seed=2).to_csv(folder / "later.csv", index=False)
    words = ["evaluate", str(folder / "later.csv"), "--model", str(folder / "model"), "--out", str(folder / "judged")]
    assert cli.main(words) == 0
    shown = capsys.readouterr().err
    assert "volume+2, all 120 rows" in shown and "better than the last value of volume" in shown
    assert (folder / "judged" / "report-model.html").is_file()


def test_values_that_stand_in_columns_of_their_own(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    now = random.uniform(1, 3, 120)
    frame = pd.DataFrame(
        {"volume": now.round(3), "y1": (now + 0.1).round(3), "y2": (now + 0.3).round(3).astype(object)}
    )
    frame.loc[::3, "y2"] = ""
    frame.to_csv(tmp_path / "wide.csv", index=False)
    words = ["train", str(tmp_path / "wide.csv"), "--curve", "volume=y1,y2", "--model", "disease/forest"]
    words += [
        "--set",
        "refit=no",
        "--set",
        "encoder.rounds=20",
        "--set",
        "fractions=[0.5,0.25,0.25]",
        "--leaks",
        "report",
    ]
    assert cli.main([*words, "--out", str(tmp_path / "model")]) == 0
    model = Predictor.load(tmp_path / "model")
    assert model.targets == ("y1", "y2") and list(model.recipe.run.fields) == ["volume"]
    assert model.recipe.simple["last value"]["y1"]["field"] == "volume"
    said = model.predict(frame)
    assert ((said["y1_lo90"] <= said["y1_predicted"]) & (said["y1_predicted"] <= said["y1_hi90"])).all()


def test_a_future_that_nobody_has_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "visits.csv"
    words = ["train", str(path), "--inputs", f"{path}:child", "--time", "age", "--model", "disease/forest", "--dry-run"]
    assert cli.main([*words, "--curve", "volume=+40,+42"]) == 3
    said = capsys.readouterr().err
    assert (
        "no row has a future value of 'volume' at volume+40 or volume+42 within 1 of it; the times of 'age' are" in said
    )


def test_values_ahead_need_visits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    growing(5).to_csv(tmp_path / "visits.csv", index=False)
    words = ["train", str(tmp_path / "visits.csv"), "--curve", "volume=+1", "--model", "disease/forest", "--dry-run"]
    assert cli.main(words) == 2
    assert "values ahead stand in visits: --inputs visits.csv:patient_id" in capsys.readouterr().err


def test_lung_volume_of_girls(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "clinical" / "fev1_topeka_longitudinal.csv"
    words = ["train", str(path), "--inputs", f"{path}:childid", "--time", "age", "--fields", "height,fev1_litre"]
    words += ["--curve", "fev1_litre=+1,+2,+3", "--model", "disease/feedforward", "--set", "train.epochs=20"]
    words += ["--set", "refit=no", "--set", "fractions=[0.6,0.2,0.2]", "--out", str(tmp_path / "model")]
    assert cli.main(words) == 0
    found = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))
    for years, most in ((1, 0.11), (2, 0.14), (3, 0.16)):
        mine = found["model"][f"fev1_litre+{years}"]["wis"]
        assert mine["value"] < most and mine["n"] > 100
        assert found["simple"]["verdicts"][f"fev1_litre+{years}"]["last value"]["verdict"] == "better"
