"""The harness that measures prediction sets: its shares against counting by hand, its table of a small ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def bench() -> Any:
    """Import the harness."""
    import sets

    return sets


def test_shares_are_those_of_the_judged_rows(bench: Any) -> None:
    random = np.random.default_rng(0)
    truth = (random.random(600) < 0.5).astype(float)
    said = 1 / (1 + np.exp(-random.normal(5 * truth - 2.5, 1.5)))
    found = bench.measured(bench.Judged("a", "b", 50, [(truth, said)]), 300, draws=10)
    assert found["0"] == pytest.approx(0.92, abs=0.04) and found["1"] == pytest.approx(0.92, abs=0.04)
    assert found["decided"] > 0.8 and found["yes"] > 0.85 and found["no"] > 0.85
    assert found["lower shown"] == 0 and np.isnan(found["lower decided"])
    blind = bench.measured(bench.Judged("a", "b", 50, [(truth, random.random(600))]), 300, draws=10)
    assert blind["lower shown"] == 1 and blind["decided"] < blind["lower decided"] < 0.5
    with pytest.raises(ValueError, match="none is left to judge"):
        bench.measured(bench.Judged("a", "b", 50, [(truth, said)]), 600)


def test_a_judged_set_is_counted(bench: Any) -> None:
    """Limits of 0.3 and 0.6: sets are no, unlike either, undecided, yes."""
    made = bench.Sets("binary", 0.9, 30, (0.3, 0.6))
    found = bench._judge(bench.Sets("binary", 0.9, 30, (0.7, 0.6)), np.array([0.1, 0.6, 0.9]), np.array([0.0, 1, 0]))
    assert found == {"shown": 1, "0": 0.5, "1": 1, "decided": pytest.approx(2 / 3), "yes": 0, "no": 1}
    assert bench._judge(made, np.array([0.35]), np.array([1.0]))["decided"] == 0
    assert bench._judge(None, np.array([0.35]), np.array([1.0]))["shown"] == 0


def test_what_the_repository_holds_is_judged(bench: Any, shared_data: Path) -> None:
    known = {(each.data, each.model): each for each in bench.judged()}
    assert len(known[("herg", "multi")].said) == 5 and known[("herg", "multi")].own == 32
    assert ("bace-scaffold", "forest") in known and ("caco2_wang", "multi") not in known
