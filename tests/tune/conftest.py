"""A small series, put away as a study sees it, and jobs small enough to end in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from molgraph import config
from molgraph.config import RunSettings
from molgraph.tune.budget import Budget
from molgraph.tune.rows import Visible
from molgraph.tune.study import Place
from molgraph.tune.work import Job
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.tune import _visible

TINY: dict[str, Any] = {
    "targets": ["pAct"],
    "model": "molecule/gin",
    "comparator": "none",
    "encoder": {"hidden": 16, "depth": 2},
    "head": {"hidden": 16},
    "train": {"epochs": 2, "warmup": 0},
    "space": {
        "encoder": {"hidden": [8, 16], "depth": {"low": 1, "high": 2}, "descriptors": [False]},
        "head": {"hidden": [8, 16], "depth": [1], "pooling": ["mean"]},
        "train": {"lr": {"low": 1e-3, "high": 1e-2, "log": True}, "batch_size": [32, 64], "weight_decay": [0.0]},
    },
}


@pytest.fixture(scope="session")
def series(chembl_table: pd.DataFrame) -> pd.DataFrame:
    return chembl_table.iloc[::8].sample(frac=1, random_state=0).reset_index(drop=True)


@pytest.fixture(scope="session")
def run() -> RunSettings:
    return config.settings(TINY)


@pytest.fixture(scope="session")
def made(run: RunSettings, series: pd.DataFrame) -> Plan:
    return plan(run, series)


@pytest.fixture(scope="session")
def rows(made: Plan) -> Visible:
    return _visible(made, 1)


@pytest.fixture
def job(run: RunSettings, tmp_path: Path) -> Callable[..., Job]:
    def make(trials: int = 3, objectives: tuple[str, ...] = (), **changes: Any) -> Job:
        place = Place(tmp_path / "study", "tune", changes.pop("url", ""), changes.pop("heartbeat", 60))
        chosen = changes.pop("run", run)
        return Job(chosen, place, objectives, Budget(trials), "digest", **changes)

    return make
