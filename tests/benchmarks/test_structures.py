"""The harness of the structure benchmark: folds keep groups together, cells are kept, scores come out of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from molgraph.errors import MolgraphError


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Import the harness."""
    import ledger
    import structure_scores
    import structure_sets
    import structures

    return SimpleNamespace(ledger=ledger, scores=structure_scores, sets=structure_sets, structures=structures)


@pytest.fixture(scope="module", params=["family", "scaffold", "fep"])
def complexes(
    bench: SimpleNamespace,
    shared_data: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOLGRAPH_DATA", str(shared_data))
        return bench.sets.read_set(request.param, tmp_path_factory.mktemp(request.param))


def test_folds_keep_groups_together(complexes: Any) -> None:
    frame = complexes.frame
    assert len(complexes.folds) == 5
    assert (np.sum(list(complexes.folds.values()), axis=0) == 1).all(), "every row is tested once"
    for fold in complexes.folds:
        cut = complexes.split(fold)
        groups = [set(frame["group"].iloc[rows]) for rows in (cut.train, cut.valid, cut.test)]
        assert not groups[0] & groups[1] and not (groups[0] | groups[1]) & groups[2]
        assert len(cut.train) + len(cut.valid) + len(cut.test) == len(frame) and len(cut.valid)
    assert all(Path(path).is_file() for column in ("protein", "ligand") for path in frame[column])
    assert not frame.drop(columns="physics").isna().any().any()


def test_cells_are_kept_and_scored(bench: SimpleNamespace, complexes: Any, tmp_path: Path) -> None:
    ledger = bench.ledger.Ledger(tmp_path)
    folds = [f"{complexes.name}.{fold}" for fold in complexes.folds]
    cells = [cell for cell in ledger.left(folds, ["size"], [0, 1]) if bench.structures.enters(cell)]
    assert len(cells) == len(complexes.folds) and not any(ledger.has(cell) for cell in cells)
    assert ledger.fill(cells, bench.structures.Contest(epochs=1).run, (MolgraphError,)) == 0
    assert all(ledger.has(cell) for cell in cells)
    page = tmp_path / "README.md"
    page.write_text("<!-- structures: begin -->\n<!-- structures: end -->\n", encoding="utf-8")
    bench.scores.write(ledger, page)
    text = page.read_text(encoding="utf-8")
    assert "| size | 1 |" in text and "| egnn |" not in text and "Leakage" in text
    assert ("FEP+" in text) is (complexes.name == "fep")


@pytest.mark.parametrize("complexes", ["family"], indirect=True)  # the other sets differ in their folds alone
def test_a_network_trains_on_a_fold(bench: SimpleNamespace, complexes: Any) -> None:
    entry = bench.structures.Contest(epochs=1).run(bench.ledger.Cell("family.0", "interaction", 0))
    assert entry.rows == np.flatnonzero(complexes.folds["0"]).tolist()
    assert np.isfinite(entry.estimates).all() and len({row[0] for row in entry.estimates}) > 10
