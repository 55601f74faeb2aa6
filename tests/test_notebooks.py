"""Every notebook that ships runs from top to bottom, on a few rows and for one epoch."""

from __future__ import annotations

import json
from pathlib import Path

import nbclient
import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_without_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLGRAPH_NOTEBOOK_EPOCHS", "1")
    monkeypatch.setenv("MOLGRAPH_NOTEBOOK_ROWS", "120")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = [output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert pages
    if path.stem.startswith("01"):
        assert any("<svg" in page for page in pages), "predictions have pictures"
        assert any("test rmse" in page for page in pages), "a model shows its test score"
        assert any("invalid_smiles" in page for page in pages)


def test_pairs_run_without_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOLGRAPH_DATA", raising=False)
    monkeypatch.setenv("MOLGRAPH_CACHE", str(tmp_path / "cache"))
    (path,) = FOLDER.glob("03*")
    test_it_runs(path, tmp_path, monkeypatch)
