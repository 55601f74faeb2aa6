"""The harness of the imaging benchmark: official folds and patients kept apart, cells kept, scores tabled."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from molgraph.errors import MolgraphError
from molgraph.imaging.brains import brains

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """Import the harness as its own script does."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import imaging
    import imaging_scores
    import imaging_sets
    import ledger

    yield SimpleNamespace(imaging=imaging, ledger=ledger, scores=imaging_scores, sets=imaging_sets)
    imaging_sets.table.cache_clear()
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture
def small(bench: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Let few phantom slices, one of which returns in validation, stand for PneumoniaMNIST."""
    (tmp_path / "imaging").mkdir()
    made = brains(0, patients=9, slices=4)
    pictures = (made.slices[:, ::2, ::2] * 120).clip(0, 255).astype(np.uint8)
    pictures[20] = pictures[0]
    cut = {"train": slice(0, 20), "val": slice(20, 28), "test": slice(28, 36)}
    labels = made.label.copy()
    labels[20] = labels[0]
    arrays = {f"{n}_images": pictures[c] for n, c in cut.items()} | {
        f"{n}_labels": labels[c, None] for n, c in cut.items()
    }
    np.savez(tmp_path / "imaging" / "pneumoniamnist.npz", **arrays)
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    bench.sets.table.cache_clear()
    return bench


def test_contestants_keep_the_folds_of_the_file(small: SimpleNamespace, tmp_path: Path) -> None:
    ledger = small.ledger.Ledger(tmp_path)
    cells = [small.ledger.Cell("pneumoniamnist", model, 0) for model in ("forest", "neighbour", "cnn")]
    assert ledger.fill(cells, small.imaging.contests(cells, 1), (MolgraphError,)) == 0
    contest = small.imaging.Contest.of("pneumoniamnist", ["cnn"], 1)
    (cut,) = contest.cuts
    assert 0 not in cut.train and len(cut.train) == 19, "a training picture that returns in validation does not train"
    for cell in cells:
        entry = ledger.read(cell)
        assert entry.rows == list(range(29, 37)) and np.shape(entry.estimates) == (8, 1)
        assert entry.epochs == (1 if cell.model == "cnn" else 0)
    text = small.scores.section(ledger, "pneumoniamnist")
    assert "8 test rows" in text and "| 0.948 | 0.854 |" in text and text.count("\n| ") == 1 + 3 + 4
    assert small.scores.section(ledger, "lung_ct") == ""


def test_networks_of_a_card_wait_for_one(small: SimpleNamespace, capsys: Any, monkeypatch: Any) -> None:
    for card, first in ((False, "resnet18_cpu"), (True, "resnet50")):
        monkeypatch.setattr(small.imaging.torch.cuda, "is_available", lambda card=card: card)
        assert small.imaging.main(["--left", "--data", "pneumoniamnist", "--ledger", "none"]) == 0
        left = capsys.readouterr().out
        assert first in left and ("resnet18_cpu" in left) != card and ("seed 4" in left) == card
        assert "neighbour seed 1" not in left
    run = small.imaging.settings("pneumoniamnist", "resnet18")
    assert (run.encoder["size"], run.encoder["stem"]) == (28, "small")


def test_every_patch_of_a_patient_is_tested_in_one_fold(
    bench: SimpleNamespace, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(shared_data))
    bench.sets.table.cache_clear()
    frame = bench.sets.table("lung_ct")
    assert len(frame) == 130 and frame["patient"].nunique() == 13 and frame["tumour"].sum() == 111
    contest = bench.imaging.Contest.of("lung_ct", ["cnn"], 1)
    tested = np.concatenate([cut.test for cut in contest.cuts])
    assert sorted(tested) == list(range(130))
    patient = frame["patient"].to_numpy()
    for cut in contest.cuts:
        assert not set(patient[cut.test]) & set(patient[np.concatenate([cut.train, cut.valid, cut.calibration])])
    bench.sets.table.cache_clear()


def test_intensive_care_is_asked_of_those_of_whom_it_is_told(
    bench: SimpleNamespace, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(shared_data))
    bench.sets.table.cache_clear()
    frame = bench.sets.table("covid_cxr")
    assert len(frame) == 129 and frame["icu"].sum() == 97 and all(Path(path).exists() for path in frame["image"])
    bench.sets.table.cache_clear()
