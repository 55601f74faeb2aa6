"""The harness of reliability: cells hold what was said of each row, and the table is made of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Import the harness."""
    import ledger
    import reliability

    return SimpleNamespace(ledger=ledger, reliability=reliability)


def test_a_cell_holds_what_the_table_needs(
    bench: SimpleNamespace, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"--data freesolv-random --model dmpnn,dmpnn_aware --seeds 0 --epochs 1 --ledger {tmp_path}".split()
    assert bench.reliability.BOARD.main(line) == 0
    kept = bench.ledger.Ledger(tmp_path)
    plain, aware = (kept.read(bench.ledger.Cell("freesolv-random", m, 0)) for m in ("dmpnn", "dmpnn_aware"))
    assert plain.targets == ["truth", "estimate", "low", "high", "place"]
    assert aware.targets == [*plain.targets, "spread"] and plain.rows == aware.rows
    width = np.diff(np.array(aware.estimates)[:, 2:4], axis=1)
    assert width.std() > 0 and np.diff(np.array(plain.estimates)[:, 2:4], axis=1).std() < 1e-3  # five digits are kept
    found = bench.reliability.reliability(aware)
    assert found.spearman is not None and found.n == len(aware.rows) and bench.reliability.reliability(plain).ece
    table = bench.reliability.BOARD.table(kept).splitlines()
    assert [text.split(" | ")[2] for text in table[2:]] == ["dmpnn", "dmpnn_aware"]
    assert bench.reliability.BOARD.main([*line, "--left"]) == 0
    assert "0 cells left" in capsys.readouterr().out


def test_classes_are_read_as_classes(bench: SimpleNamespace) -> None:
    rows = [[1, 0.9, 1, 1], [0, 0.2, 0, 1], [0, 0.6, 0, 0], [1, 0.8, 1, 1]]
    made = bench.ledger.Entry(
        "bace-random", "dmpnn", 0, 1, "random", 1.0, 1, {}, list(bench.reliability.COLUMNS), [1, 2, 3, 4], rows
    )
    found = bench.reliability.reliability(made)
    assert found.width == 1.25 and found.ece == pytest.approx((0.1 + 0.2 + 0.6 + 0.2) / 4)
