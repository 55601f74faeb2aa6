"""Models on the same folds: what is trained, kept, resumed, ranked and written."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import root_mean_squared_error

from molgraph import config
from molgraph.cli import main
from molgraph.errors import CheckpointError, ConfigError
from molgraph.predictor.training import Training
from molgraph.workflows import compare
from molgraph.workflows import folds as cuts
from molgraph.workflows.compare import compare_folder
from molgraph.workflows.compare_result import Request
from molgraph.workflows.plan import plan

SMALL = {"targets": ["pAct"], "train": {"epochs": 1}, "head": {"hidden": 8}, "split": "random"}
MODELS = ("molecule/feedforward", "few", "more")


@pytest.fixture(scope="module")
def ligands(chembl_table):
    return chembl_table.iloc[::9].head(90).reset_index(drop=True)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return three models, two of them run files of trees."""
    folder = tmp_path_factory.mktemp("runs")
    for name, rounds in (("few", 3), ("more", 40)):
        text = f'model = "molecule/forest"\n[encoder]\nrounds = {rounds}\ndepth = 2\nlr = 0.2\n'
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return ["molecule/feedforward", str(folder / "few.toml"), str(folder / "more.toml")]


def run_of(**settings):
    return config.settings({**SMALL, **settings})


@pytest.fixture(scope="module")
def compared(ligands, models, tmp_path_factory):
    out = tmp_path_factory.mktemp("compared")
    return compare_folder(run_of(), models, Request(out, folds=3, repeats=2), source=ligands)


def test_every_model_is_scored_on_every_fold_and_every_row_tested_once_a_repeat(compared, ligands):
    assert set(compared.cells) == {(r, f, name) for r in range(2) for f in range(3) for name in MODELS}
    for repeat in range(2):
        cuts = [compare._cut(compared, repeat, fold) for fold in range(3)]
        tested = np.concatenate([cut.test for cut in cuts])
        assert sorted(tested) == list(range(len(ligands)))
        for cut in cuts:
            rows = np.concatenate([cut.train, cut.valid, cut.test])
            assert len(set(rows.tolist())) == len(rows) == len(ligands) and not len(cut.calibration)
    first, second = (set(compare._cut(compared, repeat, 0).test.tolist()) for repeat in range(2))
    assert first != second


def test_a_score_is_that_of_a_training_on_that_fold(compared):
    run, cut = compared.runs["more"], compare._cut(compared, 1, 2)
    data = compared.made.rows.data
    training = Training(
        config.settings({**config.tomllib.loads(config.dump(run)), "seed": 1}), compared.made.task, data, cut
    )
    for _ in training.epochs():
        pass
    test = data.subset(cut.test)
    rmse = root_mean_squared_error(test.targets.values[:, 0], training.members[0].estimate(test)[:, 0])
    assert compared.cells[1, 2, "more"].scores["pAct"]["rmse"] == pytest.approx(rmse, rel=1e-5)


def test_the_table_and_the_ranking_say_the_same(compared):
    table = pd.read_csv(compared.request.out / "scores.csv")
    rmse = table[table["metric"] == "rmse"].groupby("model")["value"].mean()
    ranking = compared.rankings["pAct"]
    assert ranking.names[0] == rmse.idxmin()
    assert dict(zip(ranking.names, ranking.means, strict=True)) == pytest.approx(rmse.to_dict(), rel=1e-6)
    assert ranking.folds == 6 and len(table[table["metric"] == "rmse"]) == 18
    kept = json.loads((compared.request.out / "comparison.json").read_text(encoding="utf-8"))
    assert kept["targets"]["pAct"]["sentences"] == ranking.sentences


def test_the_page_needs_nothing_else(compared):
    page = (compared.request.out / "comparison.html").read_text(encoding="utf-8")
    assert all(sentence in page for sentence in compared.rankings["pAct"].sentences[:1])
    assert page.count('r="2.5"') == 18 and page.count("<title>") == 1 + 3  # dots of folds; the page, pairs
    assert "http" not in page.replace("http-equiv", "") and "<script" not in page
    assert "Nadeau and Bengio" in page and "near duplicate" in page


def counted(monkeypatch):
    trained = []
    plain = compare._cell
    monkeypatch.setattr(compare, "_cell", lambda found, at, *rest: trained.append(at) or plain(found, at, *rest))
    return trained


def test_what_is_finished_is_not_trained_again(compared, ligands, models, monkeypatch):
    out, trained = compared.request.out, counted(monkeypatch)
    before = (out / "scores.csv").read_bytes()
    gone = out / "cells" / "2-1-few.json"
    kept = json.loads(gone.read_text(encoding="utf-8"))
    gone.unlink()
    again = compare_folder(run_of(), models, compared.request, source=ligands)
    assert trained == [(1, 0, "few")]
    assert again.cells[1, 0, "few"].scores == kept["scores"]
    assert len(before.splitlines()) == len((out / "scores.csv").read_bytes().splitlines())
    assert again.rankings == compared.rankings


def test_stopped_it_keeps_whole_folds_and_goes_on(ligands, models, tmp_path, monkeypatch):
    plain, calls = compare._cell, []

    def stops(found, at, *rest):
        if len(calls) == 7:
            raise KeyboardInterrupt
        calls.append(at)
        return plain(found, at, *rest)

    monkeypatch.setattr(compare, "_cell", stops)
    request = Request(tmp_path, folds=2, repeats=2)
    with pytest.raises(KeyboardInterrupt):
        compare_folder(run_of(), models, request, source=ligands)
    assert len(list((tmp_path / "cells").iterdir())) == 7
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert "2 of 4 folds are finished for all models; only they count." in page
    assert page.count('r="2.5"') == 2 * 3, "the fold that one model alone has finished is not shown among them"
    monkeypatch.setattr(compare, "_cell", plain)
    trained = counted(monkeypatch)
    found = compare_folder(run_of(), models, request, source=ligands)
    assert len(trained) == 12 - 7 and found.rankings["pAct"].folds == 4


def test_cells_of_other_settings_or_damaged_ones_are_refused(compared, ligands, models, tmp_path):
    with pytest.raises(ConfigError, match="was made from other data or settings"):
        compare_folder(run_of(train={"epochs": 2}), models, compared.request, source=ligands)
    with pytest.raises(ConfigError, match="was made from other data or settings"):
        compare_folder(run_of(), models, compared.request, source=ligands.assign(pAct=ligands["pAct"] + 1))
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "1-1-few.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"1-1-few\.json: damaged"):
        compare_folder(run_of(), models[1:], Request(tmp_path, folds=2, repeats=1), source=ligands)
    found = compare_folder(run_of(), models[1:], Request(tmp_path, folds=2, repeats=1), overwrite=True, source=ligands)
    assert len(found.cells) == 4


def test_a_refused_command_leaves_the_files_as_they_are(compared, ligands, models):
    before = (compared.request.out / "scores.csv").read_bytes()
    with pytest.raises(ConfigError, match="was made from other data or settings"):
        compare_folder(run_of(seed=1), models, compared.request, source=ligands)
    assert (compared.request.out / "scores.csv").read_bytes() == before


def test_folds_that_test_the_same_rows_count_once(ligands, models, tmp_path):
    table = ligands.assign(site=np.repeat(["a", "b", "c"], [50, 25, 15]))
    request = Request(tmp_path, folds=3, repeats=2)
    found = compare_folder(run_of(split="group:site"), models[1:], request, source=table)
    ranking = found.rankings["pAct"]
    assert len(found.whole) == 6 and ranking.folds == 3
    assert any("The 6 folds test 3 different sets of rows" in note for note in found.notes)
    scores = pd.read_csv(tmp_path / "scores.csv").query("metric == 'rmse' and model == 'few'")
    assert ranking.means[ranking.names.index("few")] == pytest.approx(scores["value"].mean())
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert "Mean over 3 folds" in page and page.count('r="2.5"') == 3 * 2


def test_classes_with_a_metric_and_a_test_by_choice(ligands, models, tmp_path):
    table = ligands.assign(active=(ligands["pAct"] > ligands["pAct"].median()).astype(int))
    request = Request(tmp_path, folds=2, repeats=3, metric="mcc", test="wilcoxon")
    found = compare_folder(run_of(targets=["active"], task="binary"), models[1:], request, source=table)
    ranking = found.rankings["active"]
    assert (ranking.metric, ranking.test) == ("mcc", "wilcoxon")
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert "p values and intervals of Wilcoxon&#39;s test are not corrected" in page
    assert "effect (share of folds won)" in page and "median difference" in page


PAIR = """[inputs.drug]
column = "smiles"
encoder = "molecule/feedforward"
hidden = 8
[inputs.target]
column = "sequence"
encoder = "protein/feedforward"
hidden = 8
[head]
hidden = 8
[train]
epochs = {epochs}
"""


@pytest.mark.parametrize("split", ["cold:target", "cold:all"])
def test_pairs_are_compared_on_cold_folds(pairs, tmp_path, split):
    for epochs in (1, 2):
        (tmp_path / f"for-{epochs}.toml").write_text(PAIR.format(epochs=epochs), encoding="utf-8")
    names = [str(tmp_path / f"for-{epochs}.toml") for epochs in (1, 2)]
    run = config.settings({"targets": ["pKd"], "split": split})
    found = compare_folder(run, names, Request(tmp_path / "out", folds=2, repeats=1), source=pairs)
    assert found.rankings["pKd"].folds == 2
    proteins = found.made.rows.data.inputs["target"].index.numpy()
    for fold in range(2):
        cut = compare._cut(found, 0, fold)
        assert not set(proteins[cut.test]) & set(proteins[cut.train])


@pytest.mark.parametrize(
    ("settings", "names", "says"),
    [
        ({}, ["molecule/forest"], "name at least two"),
        ({}, ["molecule/forest", "molecule/forest"], "names 'molecule/forest' twice"),
        ({}, ["molecule/forest", "molecule/dmpn"], "did you mean 'molecule/dmpnn'"),
        ({"split": "column:fold"}, ["molecule/forest", "molecule/gin"], "makes no folds to repeat"),
        ({"split": "deepchem:ButinaSplitter"}, ["molecule/forest", "molecule/gin"], "makes no folds to repeat"),
        ({"encoder": {"depth": 2}}, ["molecule/forest", "molecule/gin"], "'molecule/dmpnn' are given, and it is not"),
        ({}, ["molecule/forest", "protein/forest"], "same inputs"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_said_before_anything_runs(ligands, tmp_path, settings, names, says):
    with pytest.raises(ConfigError, match=says):
        compare_folder(run_of(**settings), names, Request(tmp_path / "out"), source=ligands)
    assert not (tmp_path / "out").exists()


def test_a_run_file_of_other_rows_is_refused(ligands, models, tmp_path):
    (tmp_path / "other.toml").write_text('model = "molecule/forest"\ntargets = ["logP"]\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"other\.toml: has another 'targets' than the comparison"):
        compare_folder(run_of(), [*models, str(tmp_path / "other.toml")], Request(tmp_path), source=ligands)


def test_folds_too_few_for_the_test_are_refused_before_anything_runs(ligands, models, tmp_path):
    request = Request(tmp_path / "out", folds=2, repeats=3, test="wilcoxon")
    with pytest.raises(ConfigError, match="no difference between 3 models can be found on 6 folds; 7 are needed"):
        compare_folder(run_of(), models, request, source=ligands)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"), [("--folds 1", "--folds 1"), ("--test t", "--test t"), ("--repeats 0", "--repeats 0")]
)
def test_numbers_out_of_range(words, says, tmp_path, capsys):
    line = f"compare x.csv --target y --models a,b --out {tmp_path} {words}"
    assert main(line.split()) == 2
    assert says in capsys.readouterr().err


def test_by_the_command_line(ligands, models, tmp_path, capsys):
    ligands.to_csv(tmp_path / "l.csv", index=False)
    line = ["compare", str(tmp_path / "l.csv"), "--target", "pAct", "--models", ",".join(models[1:])]
    line += ["--folds", "2", "--repeats", "1", "--split", "cluster", "--out", str(tmp_path / "out")]
    assert main(line) == 0
    said = capsys.readouterr().err
    assert "[4/4] repeat 1, fold 2, more: RMSE" in said and "has the best mean RMSE" in said
    assert (tmp_path / "out" / "comparison.html").is_file()


def test_rows_that_repeat_are_tested_each_and_deal_as_one(ligands, tmp_path):
    often = pd.concat([ligands, ligands.head(12).assign(pAct=1.0)], ignore_index=True)
    made = plan(run_of(comparator="none"), often)
    folds = [cuts.fold(made, number, 3, 0) for number in range(3)]
    assert sorted(np.concatenate([each.test for each in folds])) == list(range(len(often)))
    once = [cuts.fold(plan(run_of(comparator="none"), ligands), number, 3, 0) for number in range(3)]
    for many, few in zip(folds, once, strict=True):
        assert [row for row in many.test if row < len(ligands)] == few.test.tolist()
