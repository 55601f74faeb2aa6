"""A folder is opened by the opener that its recipe names, out of a table of ours, and by nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molgraph import registry
from molgraph.errors import CheckpointError
from molgraph.predictor import Predictor
from molgraph.predictor.artifact import opened
from molgraph.predictor.finder import Finder

Rewrite = Callable[..., Path]


@pytest.fixture
def rewritten(folder: Path, tmp_path: Path) -> Rewrite:
    """Return a function that copies the model folder with another recipe; None takes a key away."""

    def write(**changes: Any) -> Path:
        copy = shutil.copytree(folder, tmp_path / "copy")
        recipe = {**json.loads((copy / "recipe.json").read_text(encoding="utf-8")), **changes}
        kept = {key: value for key, value in recipe.items() if value is not None}
        (copy / "recipe.json").write_text(json.dumps(kept), encoding="utf-8")
        return copy

    return write


def test_the_recipe_names_its_opener(folder: Path) -> None:
    assert json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["opener"] == "predictor"
    assert isinstance(opened(folder, Predictor), Predictor)


def test_a_folder_of_an_earlier_version_names_none_and_gives_the_same_numbers(folder: Path, rewritten: Rewrite) -> None:
    said = [Predictor.load(path).predict(["CCO", "c1ccccc1O"]) for path in (folder, rewritten(opener=None))]
    assert np.array_equal(said[0]["pAct"], said[1]["pAct"])


@pytest.mark.parametrize(
    "opener", ["fnider", "os:system", "molgraph.predictor.predictor:Predictor", "", 3, ["predictor"], {}]
)
def test_what_is_no_opener_of_ours_is_refused(opener: Any, rewritten: Rewrite) -> None:
    with pytest.raises(CheckpointError, match=r"recipe\.json"):
        Predictor.load(rewritten(opener=opener))


def test_an_opener_that_is_not_known_asks_for_the_version_that_wrote_it(rewritten: Rewrite) -> None:
    with pytest.raises(CheckpointError, match=r"is opened by 'forecaster', which molgraph .* does not know"):
        Predictor.load(rewritten(opener="forecaster"))


def test_another_artifact_says_what_it_is_used_with(folder: Path, rewritten: Rewrite) -> None:
    with pytest.raises(CheckpointError, match=r"'molecule/\w+' predicts values of whole rows; use `molgraph predict`"):
        Finder.load(folder)
    with pytest.raises(CheckpointError, match=r"marks lesions in scans; use `molgraph find`"):
        Predictor.load(rewritten(opener="finder"))


def test_a_predictor_that_calls_itself_a_finder_finds_nothing(rewritten: Rewrite) -> None:
    with pytest.raises(CheckpointError, match=r"'molecule/\w+' of the task 'joint' finds nothing"):
        Finder.load(rewritten(opener="finder"))


def test_every_opener_can_be_loaded() -> None:
    for opener in registry.OPENERS.values():
        assert hasattr(registry.load(opener.loader), "opened") and callable(registry.load(opener.trainer))
