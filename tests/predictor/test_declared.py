"""Metrics that a run or the card of a data set declares: shown first, refused by name where they judge nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import molgraph
from molgraph import config, datasets
from molgraph.errors import ConfigError
from molgraph.kinds import make
from molgraph.predictor.assess import declared
from molgraph.workflows.plan import plan

TINY = {
    "model": "molecule/feedforward",
    "encoder": {"hidden": 8},
    "head": {"hidden": 8},
    "train": {"epochs": 1},
    "comparator": "none",
    "refit": "no",
    "split": "random",
}
NUMBER, BOTH = make({"y": "regression"}), make({"y": "regression", "toxic": "binary"})


def test_what_judges_no_target_is_refused_by_name() -> None:
    assert declared(["mae", "kendall"], None, NUMBER) == ["mae", "kendall"]
    assert declared(["auroc", "mae"], None, BOTH) == ["auroc", "mae"], "each where it fits"
    with pytest.raises(ConfigError, match="metrics: 'MAE' is not known; did you mean 'mae'"):
        declared(["MAE"], None, NUMBER)
    with pytest.raises(ConfigError, match=r"'auroc' judges no regression target\. Those that do: ci, kendall, mae"):
        declared(["mae", "auroc"], None, NUMBER)
    with pytest.raises(ConfigError, match="metrics: 'ibs' judges no regression or binary target"):
        declared(["ibs"], None, BOTH)


def test_the_card_of_a_data_set_declares_what_fits_unless_the_run_does() -> None:
    frame = datasets.load("nci_5k").head(3)
    frame.attrs["metrics"] = ["mae", "auroc", ""]
    assert declared([], frame, NUMBER) == ["mae"]
    assert declared(["spearman"], frame, NUMBER) == ["spearman"]
    assert declared([], "file.csv", NUMBER) == []
    assert datasets.load("cmet").attrs["metrics"] == [datasets.card("cmet").metric] == ["rmse"]


def test_what_is_declared_is_shown_first_by_training_and_evaluation(chembl: pd.DataFrame, tmp_path: Path) -> None:
    rows = chembl.iloc[::12].reset_index(drop=True)
    model = molgraph.train(rows, "pAct", out=tmp_path / "m", metrics=["kendall", "mae"], **TINY)
    first = ["kendall", "mae", "rmse", "r2", "spearman", "pearson"]
    assert model.recipe.metrics["shown"] == {"pAct": first}
    assert json.loads((tmp_path / "m" / "metrics.json").read_text(encoding="utf-8"))["shown"] == {"pAct": first}
    card = (tmp_path / "m" / "card.md").read_text(encoding="utf-8")
    assert card.index("| kendall |") < card.index("| mae |") < card.index("| rmse |")
    assert 'metrics = ["kendall", "mae"]' in (tmp_path / "m" / "run.toml").read_text(encoding="utf-8")


def test_one_that_does_not_fit_is_refused_before_anything_is_trained(chembl: pd.DataFrame) -> None:
    run = config.settings({**TINY, "targets": ["pAct"], "metrics": "auroc"})
    with pytest.raises(ConfigError, match="metrics: 'auroc' judges no regression target"):
        plan(run, chembl.iloc[::12])
