"""The model that is kept: judged by the split, then trained again on every measured row; scores stay the split's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import molgraph
from molgraph import config
from molgraph.errors import CheckpointError, ConfigError
from molgraph.predictor import Predictor
from molgraph.predictor.checkpoint import CHECKPOINT, REFIT, SPLIT
from molgraph.predictor.folder import share
from molgraph.predictor.leaks import evaluated
from molgraph.predictor.training import Training
from molgraph.workflows.evaluate import evaluate_file
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.train import train_folder, train_rows

NETWORK: dict[str, Any] = {
    "targets": ["pAct"],
    "encoder": {"hidden": 16, "depth": 2},
    "head": {"hidden": 16},
    "train": {"epochs": 4, "lr": 0.02, "warmup": 0},
    "comparator": "none",
    "split": "random",
    "ensemble": 2,
}
FOREST: dict[str, Any] = {**NETWORK, "model": "molecule/forest", "encoder": {"rounds": 60, "depth": 3, "lr": 0.3}}


@pytest.fixture(scope="module")
def ligands(chembl_table: pd.DataFrame) -> pd.DataFrame:
    return chembl_table.iloc[::9].head(100).reset_index(drop=True)


def planned(ligands: pd.DataFrame, **settings: Any) -> Plan:
    return plan(config.settings({**NETWORK, **settings}), ligands)


@pytest.fixture(scope="module")
def made(ligands: pd.DataFrame) -> Plan:
    return planned(ligands)


@pytest.fixture(scope="module")
def seen() -> list[tuple[int, int]]:
    return []


@pytest.fixture(scope="module")
def refitted(made: Plan, seen: list[tuple[int, int]]) -> Predictor:
    return train_rows(made, watch=lambda member, epoch: seen.append((member, epoch.number)))


@pytest.fixture(scope="module")
def plain(made: Plan) -> Predictor:
    return train_rows(replace(made, run=replace(made.run, refit="no")))


@pytest.fixture(scope="module")
def folder(ligands: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "m"
    molgraph.train(ligands, "pAct", out=out, **{key: NETWORK[key] for key in NETWORK if key != "targets"})
    return out


def weights(predictor: Predictor) -> list[dict[str, torch.Tensor]]:
    return [dict(member.model.state_dict()) for member in predictor.members]


def assert_same(one: Predictor, other: Predictor) -> None:
    for a, b in zip(weights(one), weights(other), strict=True):
        assert all(torch.equal(a[k], b[k]) for k in a)


def best(history: list[dict[str, Any]], member: int) -> int:
    losses = [line["valid_loss"] for line in history if line["member"] == member]
    return int(np.argmin(losses)) + 1


def test_scores_intervals_and_the_judged_model_are_those_of_the_split_alone(refitted: Predictor, plain: Predictor):
    assert plain.judged is plain and "refitted" not in plain.facts
    assert refitted.recipe.metrics == plain.recipe.metrics == refitted.judged.recipe.metrics
    for name in ("intervals", "chances", "thresholds", "tempered"):
        assert getattr(refitted.recipe, name) == getattr(plain.recipe, name)
    assert refitted.intervals == plain.intervals
    assert_same(refitted.judged, plain)


def test_the_kept_model_was_trained_on_every_row_as_long_as_each_member_was_best(
    made: Plan, refitted: Predictor, plain: Predictor, seen: list[tuple[int, int]]
):
    lengths = [best(plain.history, member) for member in (0, 1)]
    wanted = [(member, n + 1) for member in (0, 1) for n in range(4)]
    assert seen == wanted + [(2 + member, n + 1) for member in (0, 1) for n in range(lengths[member])]
    assert [(line["member"], line["epoch"]) for line in refitted.history] == seen
    assert all(line["valid_loss"] is None for line in refitted.history if line["member"] > 1)
    every, none = np.arange(len(made.rows.data)), np.zeros(0, dtype=np.int64)
    cut = replace(made.split, train=every, valid=none, calibration=none, test=none)
    for member, length in enumerate(lengths):
        alone = Training(replace(made.run, ensemble=member + 1), made.task, made.rows.data, cut)
        for number, epoch in alone.epochs():
            if number == member and epoch.number == length:
                break
        theirs, mine = alone.members[member].model.state_dict(), weights(refitted)[member]
        assert all(torch.equal(theirs[k], v) for k, v in mine.items()), "the planned learning rates, cut off"
    assert refitted.facts["refitted"] == len(made.rows.data)
    assert refitted.task.mean == pytest.approx((float(made.rows.data.targets.values.double().mean()),))


def test_a_test_row_shows_its_own_measurement_and_counts_as_seen(made: Plan, refitted: Predictor, plain: Predictor):
    test = made.rows.data.subset(made.split.test)
    names = [test.inputs["input"].key_of(at) for at in range(len(test))]
    found = refitted.predict(names)
    assert (found["nn_similarity"] == 1).all() and found["nn_id"].tolist() == list(test.ids)
    np.testing.assert_allclose(found["pAct_nn"], test.targets.arrays("pAct")[0], rtol=1e-6)
    assert evaluated(refitted.known, test)[0].all() and not evaluated(plain.known, test)[0].any()


def test_trees_are_grown_in_as_many_rounds_as_the_validation_rows_chose(ligands: pd.DataFrame):
    frame = ligands.assign(noise=np.random.default_rng(0).normal(size=len(ligands)))
    made = plan(config.settings({**FOREST, "targets": ["pAct", "noise"], "ensemble": 1}), frame)
    found = train_rows(made)
    for name in ("pAct", "noise"):
        trees, before = found.members[0].found[name], found.judged.members[0].found[name]
        assert len(trees) == len(before) > 0
    assert [line["best"] for line in found.history] == [len(found.members[0].found[n]) for n in ("pAct", "noise")] * 2
    assert len(found.members[0].found["noise"]) < 60, "of noise, few rounds are best"
    assert found.estimate(made.rows.data)[0].tobytes() != found.judged.estimate(made.rows.data)[0].tobytes()
    again = train_rows(made)
    assert found.estimate(made.rows.data)[0].tobytes() == again.estimate(made.rows.data)[0].tobytes()


def test_a_folder_holds_both_models_and_says_which_the_scores_are_of(
    ligands: pd.DataFrame, folder: Path, refitted: Predictor
):
    kept = molgraph.load(folder)
    assert_same(kept, refitted)
    assert_same(kept.judged, refitted.judged)
    assert kept.judged.recipe.metrics == kept.recipe.metrics and "refitted" not in kept.judged.facts
    said = "scores are of the model of the split; the one that is kept was then trained again on all 100 measured rows."
    assert f"- {said}\n" in (folder / "card.md").read_text(encoding="utf-8")
    assert said not in (folder / SPLIT / "card.md").read_text(encoding="utf-8")
    assert not (folder / REFIT).exists() and not list(folder.rglob(CHECKPOINT)) and not list(folder.rglob("*.part"))
    history = pd.read_csv(folder / "history.csv")
    assert history["member"].unique().tolist() == [0, 1, 2, 3]
    with pytest.raises(ConfigError, match="holds a trained model"):
        train_folder(config.settings(NETWORK), folder, source=ligands)


def test_a_stranger_can_check_the_scores_with_the_model_of_the_split(
    ligands: pd.DataFrame, folder: Path, made: Plan, tmp_path: Path
):
    test = ligands.iloc[made.split.test]
    test.to_csv(tmp_path / "test.csv", index=False)
    found = evaluate_file(tmp_path / "test.csv", [folder / SPLIT])[str(folder / SPLIT)]
    printed = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    for metric, score in printed["model"]["pAct"].items():
        assert found["model"]["pAct"][metric]["value"] == pytest.approx(score["value"], rel=1e-5)
    assert found["seen_in_training"] == 0
    kept = evaluate_file(tmp_path / "test.csv", [folder])[str(folder)]
    assert kept["seen_in_training"] == len(test)


def test_a_copy_without_the_model_of_the_split_predicts_and_says_what_is_missing(folder: Path, tmp_path: Path):
    share(folder, tmp_path / "shared")
    assert sorted(path.name for path in (tmp_path / "shared").iterdir() if path.is_dir()) == []
    copy = molgraph.load(tmp_path / "shared")
    np.testing.assert_array_equal(copy.predict(["CCO"])["pAct"], molgraph.load(folder).predict(["CCO"])["pAct"])
    with pytest.raises(CheckpointError, match=SPLIT):
        _ = copy.judged


def stop_at(member: int, epoch: int) -> Any:
    def watch(at: int, found: Any) -> None:
        if (at, found.number) == (member, epoch):
            raise KeyboardInterrupt

    return watch


@pytest.mark.parametrize("at", [(0, 2), (1, 4), (2, 1), (3, 1)], ids=str)
def test_stopped_anywhere_it_keeps_what_there_is_and_goes_on_to_the_same_model(
    made: Plan, refitted: Predictor, plain: Predictor, tmp_path: Path, at: tuple[int, int]
):
    early = train_rows(made, folder=tmp_path, watch=stop_at(*at))
    assert early.facts["interrupted"] and "refitted" not in early.facts
    if at[0] > 1:
        assert_same(early, plain)  # the refit was stopped: the split's model, with its scores
        assert early.recipe.metrics == plain.recipe.metrics
    rest: list[tuple[int, int]] = []
    done = train_rows(made, folder=tmp_path, watch=lambda member, epoch: rest.append((member, epoch.number)))
    assert not done.facts["interrupted"] and min(rest) > at
    assert_same(done, refitted)
    assert done.recipe.metrics == refitted.recipe.metrics and done.recipe.intervals == refitted.recipe.intervals
    drop = [{k: v for k, v in line.items() if k != "seconds"} for line in done.history]
    assert drop == [{k: v for k, v in line.items() if k != "seconds"} for line in refitted.history]


def test_a_folder_whose_refit_was_stopped_is_a_model_and_the_same_command_finishes_it(
    ligands: pd.DataFrame, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
):
    from molgraph.workflows import show

    run = config.settings(NETWORK)
    watch = stop_at(3, 1)
    with monkeypatch.context() as patch:
        patch.setattr(show.Epochs, "__call__", lambda self, member, epoch: watch(member, epoch))
        with pytest.raises(KeyboardInterrupt) as stopped:
            train_folder(run, tmp_path, source=ligands)
    err = capsys.readouterr().err
    assert "stopped while refitting: the split's model is kept" in err and "model written" not in err
    train = molgraph.load(tmp_path).facts["train"]
    assert str(stopped.value) == (
        f"stopped while refitting. {tmp_path} holds the split's model, trained on the {train} training rows of the "
        "split and scored above; the same command refits it."
    )
    so_far, split = molgraph.load(tmp_path), molgraph.load(folder).judged
    assert so_far.facts["interrupted"] and so_far.judged is so_far
    np.testing.assert_array_equal(so_far.predict(["CCO"])["pAct"], split.predict(["CCO"])["pAct"])
    train_folder(run, tmp_path, source=ligands)
    err = capsys.readouterr().err
    assert "going on where an earlier training stopped" in err and "all 100 measured rows" in err
    assert_same(molgraph.load(tmp_path), molgraph.load(folder))
    train_folder(replace(run, refit="no"), tmp_path, source=ligands, overwrite=True)
    assert not (tmp_path / SPLIT).exists() and molgraph.load(tmp_path).judged.digest


def test_a_fine_tuning_is_refitted_from_the_same_start(ligands: pd.DataFrame, folder: Path):
    slow = {**NETWORK, "init": str(folder), "train": {"epochs": 1, "lr": 1e-9}, "ensemble": 1}
    tuned = train_rows(plan(config.settings(slow), ligands.head(50)))
    start = molgraph.load(folder).members[0].model.encoder.state_dict()
    for model in (tuned, tuned.judged):
        for name, value in model.members[0].model.encoder.state_dict().items():
            np.testing.assert_allclose(value.numpy(), start[name].numpy(), atol=1e-6)
    assert tuned.facts["refitted"] == 50


def test_repeats_are_merged_for_the_refit_too(ligands: pd.DataFrame):
    twice = pd.concat([ligands, ligands.head(10)], ignore_index=True)
    found = train_rows(planned(twice, ensemble=1, train={"epochs": 1}))
    assert found.facts["refitted"] == 100 == len(found.domain.ids)


def test_where_every_row_trains_there_is_nothing_to_refit(ligands: pd.DataFrame, made: Plan):
    every, none = np.arange(len(made.rows.data)), np.zeros(0, dtype=np.int64)
    cut = replace(made.split, train=every, valid=none, calibration=none, test=none)
    found = train_rows(replace(made, split=cut, run=replace(made.run, ensemble=1)))
    assert found.judged is found and "refitted" not in found.facts
