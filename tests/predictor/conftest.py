"""Tiny trained models on real ligands, made once for all tests of the floor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molgraph import config
from molgraph.predictor import Predictor
from molgraph.predictor.training import Training
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.train import train_rows

TINY: dict[str, Any] = {
    "encoder": {"hidden": 16, "depth": 2},
    "head": {"hidden": 16},
    "train": {"epochs": 2},
    "comparator": "none",
    "refit": "no",
}
KINDS = {"pAct": "regression", "active": "binary", "level": "multiclass"}
THREE: dict[str, Any] = {"targets": list(KINDS), "task": KINDS, "split": "random", "fractions": [0.6, 0.3, 0.1]}
INPUTS: dict[str, Any] = {
    "drug": {"column": "smiles", "encoder": "molecule/gin", "hidden": 8, "depth": 1},
    "target": {"column": "sequence", "encoder": "protein/feedforward", "hidden": 8},
}
PAIRS: dict[str, Any] = {
    "model": "fusion/concat",
    "inputs": INPUTS,
    "encoder": {},
    "head": {"hidden": 8},
    "targets": ["pKd"],
    "fractions": [0.5, 0.3, 0.2],
}
FOREST: dict[str, Any] = {"model": "molecule/forest", "encoder": {"rounds": 15, "depth": 3}}


@pytest.fixture(scope="session")
def series(chembl_table: pd.DataFrame) -> pd.DataFrame:
    """Take 110 of the ligands, with a yes-or-no and a class column made of their activity."""
    frame = chembl_table.iloc[::9].head(110).reset_index(drop=True)
    frame["active"] = (frame["pAct"] > frame["pAct"].median()).astype(int)
    frame["level"] = pd.qcut(frame["pAct"], 3, labels=["low", "mid", "high"]).astype(str)
    return frame


def planned(frame: Any, **settings: Any) -> Plan:
    return plan(config.settings({**TINY, "targets": ["pAct"], "split": "random", **settings}), frame)


def training(made: Plan, folder: Path | None = None, start: Predictor | None = None) -> Training:
    return Training(made.run, made.task, made.rows.data, made.split, folder, start)


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., Plan]:
    """Return `planned(frame, **settings)`."""
    return planned


@pytest.fixture(scope="session")
def predictor_of() -> Callable[..., Predictor]:
    """Return a function that trains on a table with settings."""
    return lambda frame, **settings: train_rows(planned(frame, **settings))


@pytest.fixture(scope="session")
def training_of() -> Callable[..., Training]:
    """Return `training(plan, folder, start)`."""
    return training


@pytest.fixture(scope="session")
def network(series: pd.DataFrame) -> tuple[Plan, Predictor]:
    """Return an ensemble of two networks of three targets of different kinds, with its plan."""
    made = planned(series, **THREE, ensemble=2)
    return made, train_rows(made)


@pytest.fixture(scope="session")
def forest(series: pd.DataFrame) -> tuple[Plan, Predictor]:
    """Return trees for the same targets."""
    made = planned(series, **THREE, **FOREST)
    return made, train_rows(made)


@pytest.fixture(scope="session")
def pair(pairs_table: pd.DataFrame) -> tuple[Plan, Predictor]:
    """Return a network of ligand and protein, with its plan."""
    made = planned(pairs_table, **PAIRS)
    return made, train_rows(made)


@pytest.fixture(scope="session")
def pair_settings() -> dict[str, Any]:
    """Return the settings of the network of ligand and protein."""
    return {**TINY, **PAIRS, "split": "random"}


@pytest.fixture(scope="session", params=["network", "forest"])
def trained(request: pytest.FixtureRequest) -> tuple[Plan, Predictor]:
    """Return each kind of predictor."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def folder(trained: tuple[Plan, Predictor], tmp_path: Path) -> Path:
    """Return the folder that a predictor was saved in."""
    trained[1].save(tmp_path)
    return tmp_path


@pytest.fixture
def fixed() -> type[Fixed]:
    """Return a member whose estimates are given."""
    return Fixed


class Fixed:
    """Estimate the same rows whatever is asked."""

    size, ready = "nothing", True

    def __init__(self, estimates: Any) -> None:
        self.estimates = np.asarray(estimates, dtype=np.float32)

    def estimate(self, data: Any) -> np.ndarray:
        return self.estimates[: len(data)]
