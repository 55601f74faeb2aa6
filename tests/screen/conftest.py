"""A library of 20,000 rows and a predictor that worker processes find by name."""

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(autouse=True)
def _fake_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def rows(count: int) -> pd.DataFrame:
    good = ["c" * (i % 13) + ("o" if i % 3 == 0 else "n") + str(i % 9000) for i in range(count)]
    texts = ["bad" if i % 97 == 0 else text for i, text in enumerate(good)]
    return pd.DataFrame({"smiles": texts, "id": [f"m{i}" for i in range(count)]})


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "library.csv"
    rows(20_000).to_csv(path, index=False)
    return path
