"""A small series and models trained on it, shared by all walks."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from walk import TINY, done


@pytest.fixture(scope="session")
def series(chembl_table: pd.DataFrame) -> pd.DataFrame:
    """Return 68 measured ligands, spread over the series, in a random order."""
    return chembl_table.iloc[::15].sample(frac=1, random_state=0).reset_index(drop=True)


@pytest.fixture(scope="session")
def data(series: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the series as a CSV file with targets of every kind and folds of one's own."""
    n = len(series)
    table = series.assign(
        active=["yes" if value > 7 else "no" for value in series["pAct"]],
        grade=[("low", "mid", "high")[int(value > 6.5) + int(value > 7.5)] for value in series["pAct"]],
        half=[value if i % 2 else "" for i, value in enumerate(series["pAct"])],
        IC50=[f"{10 ** (9 - value):.3f}" for value in series["pAct"]],
        fold=["train"] * (n - 28) + ["valid"] * 14 + ["test"] * 14,
        date=pd.date_range("2020-01-01", periods=n).strftime("%Y-%m-%d"),
    )
    table.loc[[3, 4], "IC50"] = [">10000", "<0.5"]
    path = tmp_path_factory.mktemp("data") / "series.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def model(series: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model trained on a chemist's workbook."""
    folder = tmp_path_factory.mktemp("model")
    sheet = folder / "measured.xlsx"
    series.rename(columns={"smiles": "Structure", "name": "Compound ID"}).to_excel(sheet, index=False)
    done("train", sheet, "--target", "pAct", *TINY, "--out", folder / "first")
    return folder / "first"


@pytest.fixture(scope="session")
def second(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another model of the same target."""
    folder = tmp_path_factory.mktemp("model") / "second"
    done("train", data, "--target", "pAct", "--seed", 1, *TINY, "--out", folder)
    return folder
