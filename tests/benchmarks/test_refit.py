"""The harness of refitting: CV+ counts as its paper does, and the table says what the cells hold."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Import the harness."""
    import ledger
    import refit

    return SimpleNamespace(ledger=ledger, refit=refit)


def test_where_all_folds_agree_cv_plus_is_the_interval_of_the_errors(bench: SimpleNamespace) -> None:
    known = np.arange(1.0, 20.0)  # 19 errors of 1 to 19: the 18th is ceil(0.9 * 20)
    theirs, number = np.tile(np.array([[100.0, 118.0, 119.0]]), (5, 1)), np.arange(19) % 5
    inside, width = bench.refit.by_folds(False, theirs, number, np.zeros(19), known, np.array([100.0, 100.0, 100.0]))
    assert width.tolist() == [36.0] * 3 and inside.tolist() == [1.0, 1.0, 0.0]


def test_folds_that_disagree_make_it_wider(bench: SimpleNamespace) -> None:
    number, known = np.arange(20) % 5, np.ones(20)
    theirs = np.arange(5.0)[:, None]
    _, width = bench.refit.by_folds(False, theirs, number, np.zeros(20), known, np.array([2.0]))
    assert width.tolist() == [6.0], "from 0 - 1 to 4 + 1"


def test_a_class_stays_where_enough_of_its_own_rows_were_as_strange(bench: SimpleNamespace) -> None:
    known = np.repeat([0.0, 1.0], 10)
    seen = np.r_[np.linspace(0.05, 0.5, 10), np.linspace(0.5, 0.95, 10)]
    number, theirs = np.arange(20) % 5, np.tile(np.array([[0.02, 0.3, 0.98]]), (5, 1))
    inside, width = bench.refit.by_folds(True, theirs, number, seen, known, np.array([0.0, 1.0, 1.0]))
    assert inside.tolist() == [1.0, 0.0, 1.0] and width.tolist() == [1.0, 1.0, 1.0]


def test_the_table_holds_what_the_cells_say(bench: SimpleNamespace, tmp_path: Path) -> None:
    columns = ["truth", *(f"{way}_{name}" for way in bench.refit.WAYS for name in bench.refit.SAID)]
    rows = [[1.0, *[2.0, 1.0, 3.0] * 4], [2.0, *[2.0, 0.0, 5.0] * 4]]
    made = {"seconds": {"split": 2.0, "refit": 1.0, "folds": 9.0}}
    kept = bench.ledger.Ledger(tmp_path)
    kept.write(bench.ledger.Entry("esol-random", "forest", 0, 1, "random", 1.0, 1, made, columns, [1, 2], rows))
    lines = bench.refit.BOARD.table(kept).splitlines()[2:]
    costs = [line.split(" | ")[-1] for line in lines]
    assert costs == ["1.0 |", "1.5 |", "6.0 |", "6.0 |"] and all(" | 0.707 | 0.50 | 4.00 | " in line for line in lines)


def test_a_cell_puts_its_test_rows_away(bench: SimpleNamespace, shared_data: Path, tmp_path: Path) -> None:
    words = f"--data freesolv-random --model forest --seeds 0 --ledger {tmp_path}".split()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bench.refit.MODELS, "forest", {"model": "molecule/forest", "encoder": {"rounds": 3, "depth": 2}})
        assert bench.refit.BOARD.main(words) == 0
    entry = bench.ledger.Ledger(tmp_path).read(bench.ledger.Cell("freesolv-random", "forest", 0))
    found = dict(zip(entry.targets, np.array(entry.estimates).T, strict=True))
    assert entry.made["trained"] < entry.made["all"] and 0 < len(entry.rows) < entry.made["all"] / 5
    assert (found["split_estimate"] != found["refit_estimate"]).any()
    np.testing.assert_array_equal(found["refit_estimate"], found["cv_estimate"])
    np.testing.assert_array_equal(found["split_width"], found["refit_width"])
