"""The harness of the pretraining benchmark: the same labels for all, paired differences over seeds, the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from molgraph.errors import MolgraphError
from molgraph.rooms.imaging.brains import brains


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Import the harness."""
    import imaging_sets
    import ledger
    import pretraining
    import pretraining_scores

    return SimpleNamespace(ledger=ledger, main=pretraining, scores=pretraining_scores, sets=imaging_sets)


@pytest.fixture
def small(bench: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Let few phantom slices stand for PneumoniaMNIST."""
    (tmp_path / "imaging").mkdir()
    made = brains(0, patients=10, slices=4)
    pictures = (made.slices[:, ::2, ::2] * 120).clip(0, 255).astype(np.uint8)
    cut = {"train": slice(0, 24), "val": slice(24, 32), "test": slice(32, 40)}
    arrays = {f"{n}_images": pictures[c] for n, c in cut.items()}
    arrays |= {f"{n}_labels": made.label[c, None] for n, c in cut.items()}
    np.savez(tmp_path / "imaging" / "pneumoniamnist.npz", **arrays)
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    monkeypatch.setenv("MOLGRAPH_CACHE", str(tmp_path / "cache"))
    for kept in (bench.sets.table, bench.main.read):
        kept.cache_clear()
    yield bench
    for kept in (bench.sets.table, bench.main.read):
        kept.cache_clear()


def test_contestants_learn_from_the_same_labels(small: SimpleNamespace, tmp_path: Path) -> None:
    ledger = small.ledger.Ledger(tmp_path / "cells")
    cells = [small.ledger.Cell("12", model, 0) for model in small.main.MODELS]
    assert ledger.fill(cells, lambda cell: small.main.run_cell(cell, 1), (MolgraphError,)) == 0
    for cell in cells:
        entry = ledger.read(cell)
        assert entry.rows == list(range(33, 41)) and np.shape(entry.estimates) == (8, 1)
        assert entry.split == "12 of 24 training rows" and entry.epochs == (0 if cell.model == "forest" else 1)
    (weights,) = (tmp_path / "cache" / "pretraining").glob("*/encoder.safetensors")
    before = weights.stat().st_mtime_ns
    assert small.main.weights(0, 1) == weights and weights.stat().st_mtime_ns == before, "pretrained once a seed"
    looked_at = (weights.parent / "rejects.csv").read_text(encoding="utf-8")
    assert looked_at.count("held_out") == 16, "neither validation nor test pictures"


def test_smaller_draws_lie_in_larger_ones(bench: SimpleNamespace) -> None:
    train = np.arange(100, 1100)
    few, more, other = (bench.main.labelled(train, n, seed) for n, seed in ((50, 1), (200, 1), (50, 2)))
    assert len(few) == 50 and set(few) < set(more) < set(train) and set(few) != set(other)


def test_intervals_are_of_the_paired_differences(bench: SimpleNamespace) -> None:
    found = bench.scores.gap([0.90, 0.92, 0.94, 0.91, 0.93], [0.88, 0.91, 0.92, 0.90, 0.90])
    assert found.mean == pytest.approx(0.018)
    assert found.low == pytest.approx(0.018 - 2.776 * 0.0083666 / 5**0.5, abs=1e-5) and found.verdict == "pays"
    assert bench.scores.gap([0.9, 0.8], [0.8, 0.9]).verdict == "not shown to pay"
    assert bench.scores.gap([0.8, 0.81], [0.9, 0.9]).verdict == "harms"
    alone = bench.scores.gap([0.9], [0.8])
    assert alone.verdict == "not shown to pay" and bench.scores._said(alone) == "+0.100"


def test_the_page_says_plainly_whether_it_pays(bench: SimpleNamespace) -> None:
    better = {"forest": np.array([0.9, 0.9]), "scratch": np.array([0.8, 0.81]), "pretrained": np.array([0.9, 0.9])}
    same = better | {"scratch": np.array([0.9, 0.9])}
    text = bench.scores.page({"50": better, "500": same})
    assert "pays at 50 labels; not shown to pay at 500 labels." in text
    assert "| 50 | 2 | 0.900 (0.900 to 0.900) | 0.805 (0.800 to 0.810) |" in text


def test_what_is_left_is_said(small: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert small.main.main(["--left", "--ledger", str(tmp_path)]) == 0
    assert "60 cells left" in capsys.readouterr().out
