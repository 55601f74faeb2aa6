"""The harness of the benchmark of targets: folds of drugs, cells kept, targets and ligands ranked and scored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molgraph.errors import MolgraphError


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Import the harness."""
    import ledger
    import target_scores
    import target_sets
    import targets

    return SimpleNamespace(ledger=ledger, scores=target_scores, sets=target_sets, targets=targets)


@pytest.fixture
def small(bench: SimpleNamespace, chembl: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Let a panel of two assays, one blank in part, and a text that is no molecule stand for ToxCast."""
    frame = chembl.iloc[::8].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "smiles": [*frame["smiles"][:-1], "nonsense"],
            "potent": (frame["pAct"] > 7).astype(float),
            "weak": (frame["pAct"] < 6).astype(float).where(np.arange(len(frame)) % 5 > 0),
            "never": 0.0,
        }
    )
    monkeypatch.setattr(bench.sets.datasets, "load", lambda name: frame)
    for made in (bench.sets.panel, bench.targets.planned):
        made.cache_clear()
    yield bench
    for made in (bench.sets.panel, bench.targets.planned):
        made.cache_clear()


def test_a_panel_is_trained_ranked_and_scored(small: SimpleNamespace, tmp_path: Path) -> None:
    ledger = small.ledger.Ledger(tmp_path)
    cells = [small.ledger.Cell("toxcast", model, 0) for model in ("panel", "similarity", "frequency")]
    assert all(map(small.targets.enters, cells)) and not small.targets.enters(cells[1]._replace(seed=1))
    assert ledger.fill(cells, small.targets.Contest(epochs=1).run, (MolgraphError,)) == 0
    assert ledger.fill(cells, small.targets.Contest(epochs=1).run, (MolgraphError,)) == 0, "finished cells are skipped"
    panel = small.sets.panel("toxcast")
    assert "nonsense" not in set(panel["smiles"]) and set(panel["split"]) == {"train", "valid", "calibration", "test"}
    assert small.sets.learnable("toxcast") == ["potent", "weak"]
    for cell in cells:
        entry = ledger.read(cell)
        assert entry.rows == (np.flatnonzero(panel["split"] == "test") + 1).tolist()
        assert np.shape(entry.estimates) == (len(entry.rows), 3) and entry.targets == ["potent", "weak", "never"]
    share = panel.query("split == 'train'")["potent"].mean()
    assert np.allclose(np.array(ledger.read(cells[2]).estimates)[:, 0], share, rtol=1e-4)
    text = small.scores.section(ledger, "toxcast")
    assert "| hit in the first 1 |" in text and text.count("\n| ") == 1 + 3
    assert small.scores.section(ledger, "muv") == ""


def test_similarity_is_that_of_the_nearest_active(small: SimpleNamespace) -> None:
    made = small.targets.planned("toxcast", "panel")
    data = made.rows.data
    train, test = data.subset(made.split.train), data.subset(made.split.train[:5])
    known = np.zeros((len(train), 3), dtype=bool)
    known[3, 0] = known[[0, 4], 1] = True
    found = small.targets.similarity(train, test, known)
    assert found[3, 0] == pytest.approx(1) and found[[0, 4], 1] == pytest.approx([1, 1])
    assert (found[:, 2] == 0).all() and (found[:, :2] >= 0).all() and (found <= 1).all()


def test_folds_of_davis_test_every_drug_once(bench: SimpleNamespace, shared_data: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(shared_data))
    frames = [bench.sets.panel(fold) for fold in bench.sets.DAVIS]
    tested = [set(frame["smiles"][frame["split"] == "test"]) for frame in frames]
    assert sum(map(len, tested)) == len(set.union(*tested)) == 68
    assert all(frame.shape == (68, 2 + 379) and not frame.isna().any().any() for frame in frames)
    assert {"ABL1", "EGFR"} <= set(frames[0]) and "ABL1(E255K)" not in frames[0]
    assert np.isin(bench.sets.hits("davis.0"), [0, 1]).all()


def test_inha_is_ranked_by_the_best_record_of_each_ligand(
    bench: SimpleNamespace, shared_data: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(shared_data))
    ledger = bench.ledger.Ledger(tmp_path)
    cells = [bench.ledger.Cell("inha", model, 0) for model in ("similarity", "size")]
    assert ledger.fill(cells, bench.targets.Contest().run, (MolgraphError,)) == 0
    records, sequence, _ = bench.sets.inha()
    assert records["active"].value_counts().to_dict() == {0: 2318, 1: 71} and len(sequence) > 200
    truth, estimate = bench.scores.gathered(ledger, "inha", "similarity", 0)
    assert truth.shape == (43 + 2300, 1) and truth.sum() == 43 and 0 <= estimate.min() <= estimate.max() <= 1
    text = bench.scores.section(ledger, "inha")
    assert "2343 ligands" in text and "| AUROC | BEDROC | EF 1 % |" in text


def test_a_perfect_ranking_scores_so(bench: SimpleNamespace) -> None:
    truth = np.eye(6)
    found = bench.scores.of_panel(truth, truth)
    assert found["hit in the first 1"].value == found["BEDROC"].value == 1
    worst = bench.scores.of_panel(truth, -truth)
    assert worst["hit in the first 5"].value == 0 and worst["BEDROC"].value < 0.1
