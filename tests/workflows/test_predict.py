"""What `predict` says besides the rows it writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import molgraph
from molgraph.workflows.predict import predict_file

TINY = {"encoder": {"hidden": 8, "depth": 1}, "head": {"hidden": 8}, "train": {"epochs": 1}, "comparator": "none"}


def test_blank_columns_are_explained_by_the_reason_that_is_kept(
    chembl_table: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = chembl_table.iloc[:24].assign(active=lambda f: (f["pAct"].rank() > 12).astype(int))
    kinds = {"pAct": "regression", "active": "binary"}
    molgraph.train(few, list(kinds), task=kinds, split="random", out=tmp_path / "model", **TINY)
    capsys.readouterr()
    predict_file(["CCO", "CCN"], [tmp_path / "model"], tmp_path / "scores.csv")
    said = capsys.readouterr().err
    assert "note: pAct has no 90 % interval: 0 calibration rows, and a 90 % interval needs at least 9." in said
    assert (
        "note: active has no 90 % set: 0 calibration rows, and a 90 % interval needs at least 9 of any class." in said
    )
    found = pd.read_csv(tmp_path / "scores.csv")
    assert found[["pAct_lo90", "pAct_hi90", "active_set90"]].isna().all(axis=None) and found["active"].notna().all()
