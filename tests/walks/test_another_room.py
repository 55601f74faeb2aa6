"""A room of another package, from its entry point to a screen: nothing here is edited for it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from molgraph import registry

PLUGIN = Path(__file__).parents[1] / "plugin"
ELEMENTS, WEIGHTS = ("Fe", "Ni", "Cr", "Mo"), (3.0, 1.0, 5.0, 9.0)

WALK = """
import sys
from molgraph.cli import main
from molgraph import registry
assert list(registry.rooms())[0] == "molecule" and registry.distribution("alloy/linear") == "alloy 0.1"
for words in (
    "list models",
    "train alloys.csv --model alloy/linear --target hardness --set train.epochs=30 --set train.lr=0.05 --out model",
    "predict library.csv --model model -o predicted.csv",
    "screen library.csv --model model --out screened",
    "tune alloys.csv --model alloy/linear --target hardness --trials 2 --set train.epochs=2 --out tuned",
    "evaluate alloys.csv --model model",
):
    assert main(words.split()) == 0, words
assert main("screen library.csv --model model --domain only --out no".split()) == 2
assert main("train alloys.csv --model alloi/linear --target hardness --out no".split()) == 2
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("alloys")
    random = np.random.default_rng(0)
    with (made / "alloys.csv").open("w") as file:
        file.write("id,alloy,hardness\n")
        for at, shares in enumerate(random.dirichlet(np.ones(4), 200).round(3)):
            said = " ".join(f"{e}{s}" for e, s in zip(ELEMENTS, shares, strict=True) if s)
            file.write(f"a{at},{said},{shares @ WEIGHTS + random.normal(0, 0.1):.3f}\n")
    (made / "library.csv").write_text("name,alloy\nsteel,Fe0.5 Ni0.5\nodd,Xx1\nblank,\nhard,Mo1.0\n")
    return made


@pytest.fixture(scope="module")
def walked(folder: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(PLUGIN), *filter(None, [os.environ.get("PYTHONPATH"), str(PLUGIN.parents[1])])])
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_it_trains_and_has_a_simple_method_to_beat(folder: Path, walked: subprocess.CompletedProcess[str]) -> None:
    assert "alloy/linear" in walked.stdout and "one weight per element" in walked.stdout
    metrics = json.loads((folder / "model/recipe.json").read_text())["metrics"]
    assert metrics["comparator_name"] == "the simplest guess"
    assert metrics["model"]["hardness"]["rmse"]["value"] < 0.5 * metrics["comparator"]["hardness"]["rmse"]["value"]
    assert "name no neighbour and no domain" in (folder / "model/card.md").read_text()


def test_its_rows_are_predicted_or_rejected(folder: Path, walked: subprocess.CompletedProcess[str]) -> None:
    with (folder / "predicted.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["ok", "invalid_alloy", "invalid_alloy", "ok"]
    assert float(rows[0]["hardness"]) == pytest.approx(2.0, abs=1.0)
    assert float(rows[3]["hardness"]) == pytest.approx(9.0, abs=1.5)
    assert "in_domain" not in rows[0] and "nn_id" not in rows[0]


def test_it_screens_and_tunes(folder: Path, walked: subprocess.CompletedProcess[str]) -> None:
    with (folder / "screened/top.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["hard", "steel"]
    assert (folder / "tuned/best.toml").exists()
    assert "what is alike" in walked.stderr and "did you mean 'alloy/linear'" in walked.stderr


def test_a_room_that_cannot_be_imported_is_said_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    point = registry.EntryPoint("alloy", "not_installed.names:NAMES", registry.ROOMS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.ROOMS else [])
    registry.packages.cache_clear()
    registry.models.cache_clear()
    try:
        with pytest.raises(registry.ConfigError, match=r"room 'alloy' \(not_installed.names:NAMES, of not_installed\)"):
            registry.model("alloy/linear")
        assert "molecule/dmpnn" in registry.models()
    finally:
        registry.packages.cache_clear()
        registry.models.cache_clear()
