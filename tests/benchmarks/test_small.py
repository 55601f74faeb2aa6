"""The harnesses over small sets: cells of former folds are said and made again, tables hold what the cells say."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from molgraph import datasets

SERIES = "chembl2321810"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Import the harness, with a series of RDKit's wheel in the place of the small sets."""
    import accuracy
    import ledger
    import refit
    import reliability
    import small

    text = f'data = "{SERIES}"\ntargets = ["pAct"]\n[train]\nepochs = 1\n'
    (tmp_path / f"{SERIES}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(accuracy, "RUNS", tmp_path)
    frame = datasets.load(SERIES).iloc[::10].reset_index(drop=True)
    monkeypatch.setattr(small.datasets, "load", lambda name: frame)
    monkeypatch.setattr(small, "DATA", (f"{SERIES}-scaffold", f"{SERIES}-random"))
    return SimpleNamespace(ledger=ledger, refit=refit.BOARD, reliability=reliability.BOARD, frame=frame, small=small)


@pytest.mark.parametrize("name", ["reliability", "refit"])
def test_a_cell_is_of_the_rows_and_folds_that_every_contestant_has(bench: SimpleNamespace, name: str) -> None:
    board = getattr(bench, name)
    folds, cells = board.folds(), [bench.ledger.Cell(f"{SERIES}-random", model, 0) for model in board.models]
    assert len(cells) > 1 and {bench.small.checksum(*board.made(cell)) for cell in cells} == {folds(cells[0])}
    another = {folds(cells[0]._replace(seed=1)), folds(cells[0]._replace(data=f"{SERIES}-scaffold"))}
    assert len(another - {folds(cells[0])}) == 2, "a seed draws the split at random"


def test_what_is_of_former_rows_is_left_and_in_no_table(
    bench: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"--data {SERIES}-random --model dmpnn,dmpnn_aware --seeds 0 --ledger {tmp_path}".split()
    assert bench.reliability.main(words) == 0
    kept = bench.ledger.Ledger(tmp_path, bench.reliability.folds())
    table = bench.reliability.table(kept).splitlines()
    assert [line.split(" | ")[2] for line in table[2:]] == ["dmpnn", "dmpnn_aware"] and "contestant" in table[0]
    old = kept.read(bench.ledger.Cell(f"{SERIES}-random", "dmpnn", 0))
    kept.write(dataclasses.replace(old, split="random"))
    capsys.readouterr()
    assert bench.reliability.main([*words, "--left"]) == 0
    said = f"1 cells left: {SERIES}-random dmpnn seed 0 (its file is of other rows or folds)\n"
    assert capsys.readouterr().out == said
    text = bench.reliability.table(kept)
    assert "| dmpnn_aware |" in text and "| dmpnn |" not in text
    assert text.endswith(f"than today's: cells of {SERIES}-random (1).")
    assert bench.reliability.main(words) == 0, "it is made again"
    assert kept.read(bench.ledger.Cell(f"{SERIES}-random", "dmpnn", 0)).split == old.split
    assert bench.reliability.table(kept).splitlines() == table
