"""What `predict` says besides the rows it writes."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import molgraph
from molgraph.cli import main
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
        "note: active has no 90 % set: 0 calibration rows of the commonest class, and a 90 % set needs at least 9."
        in said
    )
    found = pd.read_csv(tmp_path / "scores.csv")
    assert found[["pAct_lo90", "pAct_hi90", "active_set90"]].isna().all(axis=None) and found["active"].notna().all()


def test_one_molecule_is_answered_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "CC(=O)Oc1ccccc1C(=O)O[Na]", "--model", "admet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["CC(=O)Oc1ccccc1C(=O)O[Na]", "  scored CC(=O)Oc1ccccc1C(=O)O; left out sodium"]
    (logd,) = (line for line in lines if line.startswith("  LogD_7_4"))
    assert "(90 %)" in logd and " to " in logd


def test_files_as_chemists_open_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "a.csv"
    table.write_text("smiles,made,note\nCCO,2024-05-01,=1+1\nO,,\n", encoding="utf-8")
    words = ["predict", str(table), "--model", "admet"]
    assert main([*words, "-o", str(tmp_path / "b.xlsx"), "--pictures"]) == 0
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx").active
    assert sheet["C2"].is_date and sheet.freeze_panes == "B2" and len(sheet._images) == 2
    assert main([*words, "-o", str(tmp_path / "c.csv"), "--excel"]) == 0
    assert (tmp_path / "c.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "would run as formulas, and that begin with an apostrophe now: 1\n" in capsys.readouterr().err
    assert main([*words, "--excel"]) == 2 and "name the file to write: -o FILE" in capsys.readouterr().err
    assert main([*words, "-o", str(tmp_path / "d.csv"), "--as", "nM"]) == 2


def test_what_is_called_as_a_file_is_no_molecule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "missing.csv", "--model", "admet"]) == 3
    assert "missing.csv" in capsys.readouterr().err


def test_a_molecule_longer_than_any_file_name_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "C" * 300, "--model", "admet", "-o", str(tmp_path / "a.csv")]) == 0
    assert main(["predict", "C" * 300, "--model", "admet", "-o", str(tmp_path / "a.csv")]) == 0
    assert pd.read_csv(tmp_path / "a.csv").status.tolist() == ["ok"]
