"""Patients with many visits: a table of rows beside a long one, or the long one alone; no row sees its future."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from molgraph import cli
from molgraph.errors import ConfigError
from molgraph.predictor import Predictor

TINY = ("--set", "train.epochs=2", "--set", "refit=no", "--set", "encoder.hidden=8")


def visits(patients: int = 60, seed: int = 0) -> pd.DataFrame:
    """Return five visits of each patient, of whom some worsen."""
    random = np.random.default_rng(seed)
    day = np.tile([0.0, 30.0, 60.0, 90.0, 120.0], patients)
    fall = np.repeat(random.choice([0.0, 0.01], patients), 5)
    return pd.DataFrame(
        {
            "mrn": np.repeat([f"P{at}" for at in range(patients)], 5),
            "day": day,
            "volume": np.round(4 - fall * day + random.normal(0, 0.4, 5 * patients), 3),
            "ward": random.choice(["a", "b"], 5 * patients),
            "worse": np.where(fall > 0, "yes", "no"),
        }
    )


def rows() -> pd.DataFrame:
    """Return a row of each patient, to be predicted at day 60, but of the last at day 100."""
    first = visits().groupby("mrn", sort=False).first().reset_index()[["mrn", "worse"]]
    return first.assign(at=[60.0] * 59 + [100.0], sex=["f", "m"] * 30)


def trained(folder: Path, name: str, *words: str) -> Path:
    out = folder / name
    assert cli.main(["train", *words, "--target", "worse", "--out", str(out), *TINY]) == 0
    return out


def predicted(folder: Path, *words: str) -> list[dict[str, str]]:
    assert cli.main(["predict", *words, "-o", str(folder / "scored.csv")]) == 0
    with (folder / "scored.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with rows, their visits, and a model of both."""
    made = tmp_path_factory.mktemp("visits")
    rows().to_csv(made / "rows.csv", index=False)
    visits().drop(columns="worse").sample(frac=1, random_state=1).to_csv(made / "visits.csv", index=False)
    trained(made, "model", str(made / "rows.csv"), *two_tables(made / "visits.csv"))
    return made


def two_tables(long: Path) -> tuple[str, ...]:
    return ("--model", "disease/feedforward", "--inputs", f"{long}:mrn", "--at", "at")


def test_the_fields_of_both_tables_are_kept(folder: Path) -> None:
    run = Predictor.load(folder / "model").recipe.run
    assert {name: said.get("over_time", False) for name, said in run.fields.items()} == {
        "sex": False,
        "volume": True,
        "ward": True,
    }
    assert {key: run.records[key] for key in ("by", "time", "at")} == {"by": "mrn", "time": "day", "at": "at"}
    assert run.split == "patient" and run.task == "binary"


def test_a_dry_run_shows_what_a_row_sees(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(folder / "rows.csv"), *two_tables(folder / "visits.csv"), "--target", "worse", "--dry-run"]
    assert cli.main(words) == 0
    shown = capsys.readouterr().err
    assert "visits.csv: each row sees what was known by its at." in shown
    assert "field at: number (the moment of the row)" in shown
    assert "field volume: number over time" in shown and "field sex: category (f, m)" in shown


def test_a_changed_future_changes_no_weight_no_domain_and_no_prediction(folder: Path) -> None:
    changed = pd.read_csv(folder / "visits.csv", dtype=str)
    future = (changed["day"].astype(float) > 60) & (changed["mrn"] != "P59")
    changed.loc[future, "volume"], changed.loc[future, "ward"] = "99", "b"
    changed.to_csv(folder / "changed.csv", index=False)
    other = trained(folder, "other", str(folder / "rows.csv"), *two_tables(folder / "changed.csv"))
    weights = [load_file(path / "weights-0.safetensors") for path in (folder / "model", other)]
    assert weights[0].keys() == weights[1].keys()
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    domains = [np.load(path / "domain.npz") for path in (folder / "model", other)]
    assert all(np.array_equal(domains[0][name], domains[1][name]) for name in domains[0].files)
    scored = [
        predicted(folder, str(folder / "rows.csv"), "--model", str(path), "--inputs", str(folder / long))
        for path, long in ((folder / "model", "visits.csv"), (other, "changed.csv"))
    ]
    assert scored[0] == scored[1]


def test_a_trained_model_asks_for_the_visits_of_new_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["predict", str(folder / "rows.csv"), "--model", str(folder / "model"), "-o", str(folder / "no.csv")]
    assert cli.main(words) == ConfigError.exit_code
    assert "reads records of each mrn from a second file: --inputs FILE names it" in capsys.readouterr().err


def test_every_row_comes_back_with_its_reason(folder: Path) -> None:
    new = pd.DataFrame({"mrn": ["P1", "nobody", "P2", "P3"], "at": ["60", "60", "", "-5"], "sex": ["f", "", "m", ""]})
    new.to_csv(folder / "new.csv", index=False)
    words = (str(folder / "new.csv"), "--model", str(folder / "model"), "--inputs", str(folder / "visits.csv"))
    found = predicted(folder, *words)
    assert [row["status"] for row in found] == ["ok", "no_records", "no_moment", "no_records"]
    assert re.fullmatch(r"P\d+ at (60|100).0", found[0]["nn_id"])  # whose, and when
    assert found[1]["message"].startswith("no record of mrn 'nobody' in ")
    assert found[3]["message"] == "no record of mrn 'P3' was known by -5"
    assert found[0]["worse"] and not any(row["worse"] for row in found[1:])


def test_ids_that_are_written_otherwise_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = rows()
    frame.assign(mrn=frame["mrn"].str.lower()).to_csv(folder / "lower.csv", index=False)
    words = ["train", str(folder / "lower.csv"), *two_tables(folder / "visits.csv"), "--target", "worse", "--dry-run"]
    assert cli.main(words) == 3
    assert "no record belongs to a row" in capsys.readouterr().err


def test_a_long_table_alone_is_rows_that_see_those_before_them(folder: Path) -> None:
    path = folder / "alone.csv"
    visits().to_csv(path, index=False)
    out = trained(folder, "alone", str(path), "--model", "disease/feedforward", "--inputs", f"{path}:mrn")
    model = Predictor.load(out)
    assert "file" not in model.recipe.run.records and "day" not in model.recipe.run.fields
    whole = predicted(folder, str(path), "--model", str(out))
    assert len(whole) == 300
    visits()[visits()["day"] <= 60].to_csv(folder / "early.csv", index=False)
    early = predicted(folder, str(folder / "early.csv"), "--model", str(out))
    assert early == [row for row in whole if float(row["day"]) <= 60]


def test_a_copy_of_the_target_is_told_by_the_name_of_its_column(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visits().assign(code=lambda frame: frame["worse"].map({"yes": 1, "no": 0})).to_csv(folder / "leak.csv", index=False)
    words = ["train", str(folder / "leak.csv"), "--inputs", f"{folder / 'leak.csv'}:mrn", "--target", "worse"]
    assert cli.main([*words, "--model", "disease/forest", "--dry-run"]) == 3
    assert "target 'worse' is given away by 'code' (last), 'code' (mean), a copy of it" in capsys.readouterr().err


def test_visits_are_not_screened(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["screen", str(folder / "rows.csv"), "--model", str(folder / "model"), "--out", str(folder / "screened")]
    assert cli.main([*words, "--workers", "1", "--inputs", str(folder / "visits.csv")]) == ConfigError.exit_code
    assert "a model of visits is not screened with" in capsys.readouterr().err
