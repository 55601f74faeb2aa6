"""The harness of the ADMET benchmark: folds as TDC draws them, leaks out of the training, cells, scores and aims."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molgraph import datasets
from molgraph.errors import DataError, MolgraphError
from molgraph.predictor import Predictor

CLASS, NUMBER = "hia_hou", "half_life_obach"


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Import the harness."""
    import cells
    import endpoints
    import ledger
    import scores
    import ship

    return SimpleNamespace(cells=cells, endpoints=endpoints, ledger=ledger, scores=scores, ship=ship)


@pytest.fixture
def small(bench: SimpleNamespace, chembl: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Let two endpoints of one series stand for all; each has a training molecule that the other tests, and its own."""
    frame = chembl.iloc[::4].reset_index(drop=True)
    number = pd.DataFrame({"smiles": frame["smiles"], "Y": 10.0 ** (frame["pAct"] - 6), "split": "train_val"})
    number.loc[:39, "split"] = "test"
    number = pd.concat([number, number.iloc[[0, 1]].assign(split="train_val")], ignore_index=True)
    label = number.iloc[30:].assign(Y=(number["Y"] > number["Y"].median()).astype(float), split="train_val")
    label.loc[60:99, "split"] = "test"
    label = pd.concat([label, pd.DataFrame({"smiles": ["nonsense"], "Y": [1.0], "split": ["test"]})])
    frames = {NUMBER: number, CLASS: label.reset_index(drop=True)}
    monkeypatch.setattr(bench.endpoints.datasets, "load", frames.__getitem__)
    kept = {name: bench.endpoints.ENDPOINTS[name] for name in frames}
    for module in (bench.endpoints, bench.cells, bench.scores, bench.ship):
        monkeypatch.setattr(module, "ENDPOINTS", kept)
    for model in bench.cells.MODELS.values():
        if "encoder" in model:
            monkeypatch.setitem(model, "encoder", {"hidden": 16})
    bench.endpoints.rows.cache_clear()
    yield bench
    bench.endpoints.rows.cache_clear()


def filled(bench: SimpleNamespace, folder: Path, *cells: tuple[str, str, int]) -> Any:
    """Return a ledger with these cells made, one epoch each."""
    ledger = bench.ledger.Ledger(folder)
    wanted = [bench.ledger.Cell(*cell) for cell in cells]
    assert all(map(bench.cells.enters, wanted))
    assert ledger.fill(wanted, bench.cells.Contest(epochs=1).run, (MolgraphError,)) == 0
    return ledger


def test_every_endpoint_has_a_card_that_says_how_it_is_scored(bench: SimpleNamespace) -> None:
    assert len(bench.endpoints.ENDPOINTS) == 12 and set(bench.scores.board()) == set(bench.endpoints.ENDPOINTS)
    for name, endpoint in bench.endpoints.ENDPOINTS.items():
        card = datasets.card(name)
        assert card.licence.startswith("CC BY 4.0") and card.metric in bench.scores.METRICS
        assert endpoint.column.endswith("_p") == (card.targets[0].kind == "binary")
    columns = [endpoint.column for endpoint in bench.endpoints.ENDPOINTS.values()]
    assert len(set(columns)) == 12


def test_what_an_endpoint_tests_never_trains(small: SimpleNamespace) -> None:
    made = small.endpoints.planned([NUMBER], [small.cells.settings(NUMBER, "graph")])
    assert [count for count, _ in made.leaks.across.values()] == [2]
    both = small.endpoints.planned([NUMBER, CLASS], [small.cells.settings("together", "multi")])
    for plan in (made, both):
        cut = small.endpoints.drawn(plan, 3)
        (given,) = plan.rows.data.inputs.values()
        things = np.array(given.things)[given.index]
        trains = np.concatenate([cut.train, cut.valid, cut.calibration])
        assert not set(things[trains]) & set(things[cut.test])
        assert 0.03 < (len(cut.valid) + len(cut.calibration)) / len(trains) < 0.3
        assert cut.train.tolist() != small.endpoints.drawn(plan, 4).train.tolist()
    assert len(both.split.test) == 40 + 40, "the molecules that either tests"


def test_rare_endpoints_weigh_more_and_the_mean_weight_is_one(small: SimpleNamespace) -> None:
    data = small.endpoints.planned([NUMBER, CLASS], [small.cells.settings("together", "multi")]).rows.data
    count = data.targets.observed.sum(dim=0)
    weights = data.targets.weight[0]
    assert float(weights[0] / weights[1]) == pytest.approx(float((count[1] / count[0]) ** 0.5), rel=1e-5)
    assert float(data.targets.weight[data.targets.observed].mean()) == pytest.approx(1, abs=1e-5)


def test_cells_estimate_every_official_test_row_that_can_be_read(small: SimpleNamespace, tmp_path: Path) -> None:
    cells = [(CLASS, "graph", 0), (CLASS, "forest", 0), (NUMBER, "graph", 0), (NUMBER, "graph", 1)]
    ledger = filled(small, tmp_path, *cells, ("together", "multi", 0))
    for model in ("graph", "forest", "multi", "ensemble"):
        rows, found = small.scores.estimates(ledger, CLASS, model)[0]
        frame = small.endpoints.rows(CLASS).iloc[rows]
        assert (
            len(rows) == len(found) == 40 and set(frame["split"]) == {"test"} and "nonsense" not in set(frame["smiles"])
        )
        assert ((found >= 0) & (found <= 1)).all()
    rows, found = small.scores.estimates(ledger, NUMBER, "multi")[0]
    assert len(rows) == 40 and found.std() > 0
    text = small.scores.tables(ledger, small.scores.finished(ledger))
    assert "Spearman (higher is better)" in text and "± " in text and "2 seeds" in text
    assert "2 training molecules that are tested were left out" in text and "1 test rows cannot be read" in text
    assert "| HIA, AUROC | 40 of 41 | 0." in small.scores.short(small.scores.finished(ledger))
    assert not small.cells.enters(small.ledger.Cell(CLASS, "multi", 0))
    assert not small.cells.enters(small.ledger.Cell("together", "graph", 0))


def test_cells_of_another_tuning_are_not_averaged_with_these(
    small: SimpleNamespace, tmp_path: Path, monkeypatch: Any
) -> None:
    settings = tmp_path / "tuned.toml"
    for module in (small.cells, small.scores):
        monkeypatch.setattr(module, "TUNED", settings)
    settings.write_text('model = "molecule/dmpnn"\n[encoder]\nhidden = 16\n')
    ledger = filled(small, tmp_path, (CLASS, "tuned", 0), (CLASS, "forest", 0))
    assert len(small.scores.estimates(ledger, CLASS, "tuned ensemble")[0][1]) == 40
    settings.write_text('model = "molecule/dmpnn"\n[encoder]\nhidden = 8\n')
    with pytest.raises(DataError, match=r"tuned-0\.json: trained with other settings than tuned\.toml has"):
        small.scores.finished(ledger)


def test_aims_are_of_the_ensemble_and_missing_ones_are_said(small: SimpleNamespace, tmp_path: Path) -> None:
    ledger, truth = small.ledger.Ledger(tmp_path), small.endpoints.rows(NUMBER).query("split == 'test'")
    column = small.endpoints.ENDPOINTS[NUMBER].column
    rows = (truth.index.to_numpy() + 1).tolist()
    for seed in range(5):
        for model, sign in (("graph", 1.0), ("forest", 0.5)):
            values = (sign * truth[[column]] + seed).to_numpy().tolist()
            ledger.write(small.ledger.Entry(NUMBER, model, seed, 1, "official; none", 1, 1, {}, [column], rows, values))
    found = small.scores.scored(ledger, NUMBER)
    assert {model: scores["seeds"] for model, scores in found.items()} == {
        "graph": 5, "forest": 5, "ensemble": 5, "ensemble of all seeds": 1
    }  # fmt: skip
    assert found["ensemble"]["mean"] == pytest.approx(1) and found["graph"]["sd"] == pytest.approx(0)
    text = small.scores.tables(ledger, small.scores.finished(ledger))
    assert f"- Aims, ensemble: reached {NUMBER}; missed none; not finished none." in text
    assert "| 0.576 CFA |" in text


def test_columns_of_one_table_are_of_the_same_rows(small: SimpleNamespace, tmp_path: Path) -> None:
    """The model that ships was once scored on merged rows, beside columns on the official ones."""
    ledger, truth = small.ledger.Ledger(tmp_path), small.endpoints.rows(NUMBER).query("split == 'test'")
    column, rows = small.endpoints.ENDPOINTS[NUMBER].column, (truth.index.to_numpy() + 1).tolist()
    values = truth[[column]].to_numpy().tolist()
    entry = small.ledger.Entry
    ledger.write(entry(NUMBER, "graph", 0, 1, "official; none", 1, 1, {}, [column], rows, values))
    ledger.write(entry("together", "admet", 0, 1, "official; none", 1, 1, {}, [column], rows, values))
    text = small.scores.short(small.scores.finished(ledger))
    assert f"| half-life, Spearman | {len(rows)} |  |  |  | 1.000 | 0.239 | 0.562 |" in text
    ledger.write(entry("together", "admet", 0, 1, "official; none", 1, 1, {}, [column], rows[:-1], values[:-1]))
    with pytest.raises(DataError, match="admet was asked about other test rows than the others"):
        small.scores.finished(ledger)


@pytest.mark.parametrize("front", [True, False])
def test_the_tables_of_the_pages_are_those_of_the_ledger(
    bench: SimpleNamespace, shared_data: Path, front: bool
) -> None:
    """What people read is what the cells say: the scores of two small endpoints are computed again."""
    ledger, page = bench.ledger.Ledger(bench.cells.HERE.parent / "results" / "admet"), bench.cells.HERE.parents[1]
    found = {name: bench.scores.scored(ledger, name) for name in ("herg", "bioavailability_ma")}
    text = bench.scores.short(found) if front else bench.scores._ours(found)
    said = (page / "README.md" if front else page / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert all(line in said for line in text.splitlines()[2:])


def test_the_command_says_what_is_left(
    bench: SimpleNamespace, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    asked = ["--left", "--data", "herg,together", "--model", "graph,multi", "--seeds", "0,4", "--ledger", str(tmp_path)]
    assert bench.cells.main(asked) == 0
    said = capsys.readouterr().out
    assert said.startswith("4 cells left: herg graph seed 0, herg graph seed 4, together multi seed 0")


def test_a_model_is_trained_calibrated_judged_and_put_with_its_rows(small: SimpleNamespace, tmp_path: Path) -> None:
    work, out, ledger = tmp_path / "work", tmp_path / "out", small.ledger.Ledger(tmp_path / "ledger")
    names = ["--endpoints", f"{NUMBER},{CLASS}", "--out", str(out), "--ledger", str(ledger.folder)]
    assert small.ship.main([*names, "--epochs", "2", "--members", "1", "--work", str(work)]) == 0
    files = {"card.md", "history.csv", "recipe.json", "weights-0.safetensors", "domain.npz", "ATTRIBUTION.md"}
    assert {file.name for file in out.iterdir()} == files
    predictor = Predictor.load(out)
    rows, tested = small.ship.measured(predictor, [NUMBER, CLASS]), predictor.recipe.facts["test"]
    test = (rows.frame["split"] == "test").to_numpy()
    assert not predictor.domain.seen(rows.data)[test].any() and tested == test.sum() == 80
    assert predictor.recipe.metrics["coverage"]["HIA_p"]["n"] == 40, (
        "every official test row, none of which calibrated it"
    )
    assert predictor.intervals["HIA_p"].n > 40
    as_trained = predictor.domain.seen(rows.data)
    ((name, side),) = predictor.domain.sides.items()
    renamed = dataclasses.replace(side, known=side.marks + (np.arange(len(side.keys)) == 0).astype(np.uint64))
    predictor.domain = dataclasses.replace(predictor.domain, sides={name: renamed})
    assert predictor.domain.seen(rows.data).sum() < as_trained.sum(), "the rules have called one something else"
    assert (small.ship.seen(predictor, rows) == as_trained).all(), "it trained all the same"
    found = predictor.predict(["CCO", "nonsense"])
    assert {"Half_life_log_h_lo90", "HIA_p_set90", "nn_smiles", "HIA_p_nn", "in_domain"} <= set(found)
    assert 0 <= found["HIA_p"][0] <= 1 and found["status"].tolist() == ["ok", "invalid_smiles"]
    card = (out / "card.md").read_text(encoding="utf-8")
    said = ("## Limits", "CC BY 4.0", "nearest measured molecule", "Not for clinical", "## What it was not checked on")
    assert all(words in card for words in said)
    cell = ledger.read(small.ledger.Cell("together", "admet", 0))
    assert len(cell.rows) == len(cell.estimates) == 80
    assert small.ship.main([*names, "--calibrate"]) == 0
    again = Predictor.load(out)
    assert again.intervals == predictor.intervals and again.recipe.files == predictor.recipe.files
