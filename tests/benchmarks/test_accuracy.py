"""The harness of the benchmarks: cells kept and skipped, folds handed over, scores computed from estimates."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from molgraph import datasets
from molgraph.errors import DataError
from molgraph.predictor.member import needs

ROOT = Path(__file__).resolve().parents[2]
SERIES = "chembl2321810"


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Import the harness."""
    import accuracy
    import ledger
    import pair_scores
    import pairs
    import peer
    import speed
    import table

    return SimpleNamespace(
        accuracy=accuracy, ledger=ledger, pair_scores=pair_scores, pairs=pairs, peer=peer, speed=speed, table=table
    )


@pytest.fixture(scope="module")
def contest(bench: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the contest on the ligands of RDKit's wheel, with short trainings."""
    runs = tmp_path_factory.mktemp("runs")
    text = f'data = "{SERIES}"\ntargets = ["pAct"]\nsplit = "scaffold"\n[encoder]\nhidden = 16\n[train]\nepochs = 1\n'
    (runs / f"{SERIES}.toml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.accuracy, "RUNS", runs)
        yield bench.accuracy.Contest.of(SERIES, threads=1, trees=False)


def entry(bench: SimpleNamespace, contest: Any, cell: Any, estimates: np.ndarray[Any, Any], seconds: float = 1) -> Any:
    return bench.ledger.Entry(
        *cell, 1, contest.split, seconds, 1, bench.accuracy.circumstances(), contest.targets, contest.rows,
        estimates.tolist(),
    )  # fmt: skip


def test_every_run_file_says_what_its_card_says(bench: SimpleNamespace) -> None:
    assert {path.stem for path in (ROOT / "benchmarks" / "runs").glob("*.toml")} == set(bench.ledger.DATA)
    for name in bench.ledger.DATA:
        run, card = bench.accuracy.settings(name), datasets.card(name)
        assert run.data == name
        assert run.targets == [target.name for target in card.targets]
        assert {run.task} == {target.kind for target in card.targets}
        assert (run.split, run.train.epochs) == ("scaffold", 50)


def test_a_cell_is_trained_kept_skipped_and_made_again_alike(
    bench: SimpleNamespace, contest: Any, tmp_path: Path
) -> None:
    ledger, cell = bench.ledger.Ledger(tmp_path), bench.ledger.Cell(SERIES, "dmpnn", 1)
    assert ledger.left([SERIES], ["dmpnn"], [0, 1]) == [cell._replace(seed=0), cell]
    made = contest.run(cell)
    ledger.write(made)
    assert ledger.left([SERIES], ["dmpnn"], [0, 1]) == [cell._replace(seed=0)]
    assert list(ledger.finished()) == [cell]
    kept = ledger.read(cell)
    assert np.allclose(kept.estimates, made.estimates, rtol=1e-4)
    assert dataclasses.replace(kept, estimates=made.estimates) == made
    assert contest.run(cell).estimates == made.estimates
    assert contest.run(cell._replace(seed=2)).estimates != made.estimates


def test_chemprop_gets_the_same_rows_in_the_same_folds(contest: Any) -> None:
    header, *rows = contest.table()
    assert header == ["smiles", "pAct", "split"]
    cut, data = contest.plan.split, contest.plan.rows.data
    assert len(rows) == len(cut.train) + len(cut.valid) + len(cut.calibration) + len(cut.test)
    (given,) = data.inputs.values()
    for fold, expected in (("train", cut.train), ("val", [*cut.valid, *cut.calibration]), ("test", cut.test)):
        mine = [row for row in rows if row[-1] == fold]
        assert sorted(row[0] for row in mine) == sorted(given.key_of(i) for i in expected)
    tested = [row[1] for row in rows if row[-1] == "test"]
    assert np.array_equal(tested, contest.truth()[:, 0])


def test_scores_are_the_mean_over_seeds_and_the_ensemble_the_mean_of_two(
    bench: SimpleNamespace, contest: Any, tmp_path: Path
) -> None:
    ledger, truth = bench.ledger.Ledger(tmp_path), contest.truth()
    errors = {"dmpnn": (0.5, 0.7), "forest": (-0.5, -0.5), "chemprop": (1.0, 1.4)}
    for model, offsets in errors.items():
        for seed, offset in enumerate(offsets):
            ledger.write(entry(bench, contest, bench.ledger.Cell(SERIES, model, seed), truth + offset))
    found = bench.table.line(contest, ledger, (0, 1))
    values = {model: score.value for model, score in found.scores.items()}
    assert values == pytest.approx({"dmpnn": 0.6, "forest": 0.5, "chemprop": 1.2, "ensemble": 0.05}, abs=1e-3)
    assert {c.verdict for c in found.beside.values()} == {"better"}
    assert all(found.leads(model) for model in bench.table.OURS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bench.table.TITLES, SERIES, "CHEMBL2321810")
        text = bench.table.table([found], [ledger.read(cell) for cell in ledger.finished()])
    assert "| CHEMBL2321810 |" in text
    assert "0.050 (0.050 to 0.050) ▲" in text
    assert "better beyond the interval on 1, worse on 0" in text
    assert "left out for want of time: FreeSolv" in text


def test_a_cell_of_other_rows_is_refused(bench: SimpleNamespace, contest: Any, tmp_path: Path) -> None:
    ledger = bench.ledger.Ledger(tmp_path)
    for model in bench.ledger.MODELS:
        made = entry(bench, contest, bench.ledger.Cell(SERIES, model, 0), contest.truth())
        ledger.write(dataclasses.replace(made, split="another"))
    with pytest.raises(DataError, match="other rows or folds"):
        bench.table.line(contest, ledger, (0,))


def test_a_cell_of_former_folds_is_left_made_again_and_in_no_table(
    bench: SimpleNamespace, contest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bench.table.TITLES, SERIES, "CHEMBL2321810")
    monkeypatch.setattr(bench.table, "DATA", (SERIES,))
    monkeypatch.setattr(bench.table, "today", lambda name: contest)
    ledger = bench.ledger.Ledger(tmp_path, lambda cell: contest.split)
    cells = [bench.ledger.Cell(SERIES, model, seed) for model in bench.ledger.MODELS for seed in (0, 1)]
    for cell in cells:
        ledger.write(entry(bench, contest, cell, contest.truth() + 0.5, seconds=1800))
    old = cells[3]
    ledger.write(dataclasses.replace(ledger.read(old), split="former", seconds=7200))
    assert ledger.left([SERIES], bench.ledger.MODELS, (0, 1)) == [old] and not ledger.has(old)
    assert [ledger.named(cell) for cell in cells[2:4]] == [
        f"{SERIES} forest seed 0", f"{SERIES} forest seed 1 (its file is of other rows or folds)",
    ]  # fmt: skip
    page, front = tmp_path / "page.md", tmp_path / "front.md"
    for each in (page, front):
        each.write_text("<!-- accuracy: begin -->\n<!-- accuracy: end -->\n", encoding="utf-8")
    bench.table.write(ledger, page, front)
    said, short = page.read_text(encoding="utf-8"), front.read_text(encoding="utf-8")
    assert "| CHEMBL2321810, RMSE, -log10(mol/L) (1 seed) | 0.50 (0.50 to 0.50) | 0.50 (0.50 to 0.50) |" in short
    assert (
        "Of 1 sets, the average of both reaches chemprop's score on 1, is better beyond the interval of the " in short
    )
    assert (
        f"alone on 1, 0 and 0. Left out, as they were made on other rows or folds than today's: cells of {SERIES}"
        in short
    )
    assert (
        f"CHEMBL2321810 has seeds 0 only. Left out, as they were made on other rows or folds than today's: cells "
        f"of {SERIES} (1)." in said
    )
    assert "3 cells in 1.5 h" in said, "the circumstances are those of the cells in the table"
    made = []
    assert ledger.fill([old], lambda cell: made.append(cell) or entry(bench, contest, cell, contest.truth()), ()) == 0
    assert made == [old] and ledger.has(old) and ledger.left_out([SERIES]) == ""
    assert ledger.fill([old], lambda cell: pytest.fail("it is finished"), ()) == 0


def test_all_that_is_cut_or_measured_otherwise_has_another_checksum(bench: SimpleNamespace, contest: Any) -> None:
    made, cut = contest.plan, contest.plan.split
    swapped = dataclasses.replace(cut, train=cut.valid, valid=cut.train)
    values = made.rows.data.targets.values.clone()
    values[0] += 0.1
    targets = dataclasses.replace(made.rows.data.targets, values=values)
    data = dataclasses.replace(made.rows.data, targets=targets)
    others = [dataclasses.replace(made, split=swapped)]
    others.append(dataclasses.replace(made, rows=dataclasses.replace(made.rows, data=data)))
    found = [bench.accuracy.checksum(*plans) for plans in ([made], *([other] for other in others), [made, made])]
    assert found[0] == contest.split and len(set(found)) == 4


def test_expected_seconds_come_from_the_same_data_or_from_the_work(
    bench: SimpleNamespace, contest: Any, tmp_path: Path
) -> None:
    ledger, cell = bench.ledger.Ledger(tmp_path), bench.ledger.Cell("esol", "dmpnn", 0)
    ledger.write(entry(bench, contest, cell, contest.truth(), seconds=10))
    of_another_harness = cell._replace(data="lung_ct")
    ledger.write(entry(bench, contest, of_another_harness, contest.truth(), seconds=99))
    wanted = [cell._replace(seed=1), cell._replace(data="tox21"), cell._replace(model="forest")]
    assert ledger.expected(wanted, lambda c: {"esol": 2.0, "tox21": 8.0}[c.data]) == [10, 40, None]


def test_the_command_says_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "admet").mkdir()
    (tmp_path / "admet" / "outside.json").write_text("{}", encoding="utf-8")  # what is no cell is none of its business
    (tmp_path / "admet" / "shipped-first.json").write_text("{}", encoding="utf-8")
    asked = ["--left", "--data", "esol", "--model", "dmpnn,chemprop", "--seeds", "0,2", "--ledger", str(tmp_path)]
    line = [sys.executable, str(ROOT / "benchmarks" / "run"), *asked]
    made = subprocess.run(line, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=True)
    assert made.stdout.splitlines()[:2] == ["  esol dmpnn seed 0: ?", "  esol chemprop seed 0: ?"]
    assert made.stdout.splitlines()[-1].startswith("4 cells left")


def test_an_unusable_environment_of_the_peer_is_said(bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(bench.peer.NAMED, str(ROOT / "nowhere" / "python"))
    with pytest.raises(bench.peer.PeerError, match="does not run"):
        bench.peer.python()
    monkeypatch.setenv(bench.peer.NAMED, sys.executable)
    with pytest.raises(bench.peer.PeerError, match="chemprop"):
        bench.peer.python()


def test_the_speed_page_shows_ratios_and_ours_alone(bench: SimpleNamespace) -> None:
    turn = {"molgraph": [[1.0, 1.0]], "chemprop": [[2.0, 2.0]]}
    graphs = {bench.speed.YARDSTICK: [[1, 1.0]], "graphs, as written": [[1, 0.5]], "graphs, standardised": [[1, 2.0]]}
    about = {**bench.accuracy.circumstances(), "threads": 1, "load": 0.1, "peer": "chemprop"}
    found = {
        "about": about,
        "graphs": {"molecules": 10, "rounds": graphs},
        "training": {SERIES: {"molecules": 10, "rounds": [turn]}},
        "predict": {"molecules": 10, "rounds": [{"molgraph": {"wall": 5.0, "processor": 5.0}}]},
    }
    text = bench.speed.page(found)
    assert "| 2.00 (2.00 to 2.00) | 1.5 |" in text
    assert "ours alone: 2 molecules/s" in text


def test_a_block_of_a_page_is_replaced_or_missed(bench: SimpleNamespace, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- speed: begin -->\nold\n<!-- speed: end -->\nafter\n", encoding="utf-8")
    bench.table.replace_block(page, "speed", r"new \1")
    assert page.read_text(encoding="utf-8") == ("before\n<!-- speed: begin -->\nnew \\1\n<!-- speed: end -->\nafter\n")
    with pytest.raises(DataError, match="has no block"):
        bench.table.replace_block(page, "accuracy", "new")


def test_every_contestant_of_pairs_has_settings_that_fit_its_models(bench: SimpleNamespace) -> None:
    for data in bench.pairs.DATA:
        for model in bench.pairs.MODELS[:-1]:
            run = bench.pairs.settings(data, model, seed=2, epochs=3)
            assert (
                needs(run).keys()
                == run.inputs.keys()
                == ({model} if model in ("drug", "target") else {"drug", "target"})
            )
            assert (run.seed, run.train.epochs, run.data) == (2, 3, data.partition("_cold_")[0])
            assert run.split == (f"cold:{data.partition('_cold_')[2]}" if "_cold_" in data else "column:split")
    assert bench.pairs.settings("davis", "graphdta").inputs["drug"]["depth"] == 5


def test_cells_of_pairs_are_filled_scored_and_averaged(
    bench: SimpleNamespace, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = bench.pairs.table("davis").groupby("split").head(120).reset_index(drop=True)
    monkeypatch.setattr(bench.pairs, "table", lambda data: small)
    monkeypatch.setattr(bench.pair_scores, "table", lambda data: small)
    tiny = {"drug": {"hidden": 8}, "target": {"hidden": 8}}
    merged = bench.pairs.merged
    monkeypatch.setattr(bench.pairs, "GRAPH", merged(bench.pairs.GRAPH, {"inputs": tiny}))
    ledger = bench.ledger.Ledger(tmp_path)
    words = ["--data", "davis", "--seeds", "0,1", "--epochs", "1", "--ledger", str(tmp_path)]
    assert bench.pairs.main([*words, "--model", "ours,graph,neighbour"]) == 0
    assert len(list(ledger.finished())) == 5, "the neighbour has one seed: nothing in it is drawn"
    text = bench.pair_scores.section(ledger, "davis")
    assert "| nearest measured pair | 1 |" in text and "`molecule/feedforward` and `protein/feedforward` | 2 |" in text
    assert "120 test rows" in text
