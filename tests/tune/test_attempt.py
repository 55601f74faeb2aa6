from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import torch

from molgraph import config
from molgraph.config import RunSettings
from molgraph.errors import ConfigError, DivergedError, ResourceError
from molgraph.predictor.training import Training
from molgraph.tune.attempt import BATCH, SCORES, SEED, WHY, Attempt, Stopped
from molgraph.tune.budget import EPOCHS, Budget
from molgraph.tune.goals import goals
from molgraph.tune.hold import Hold
from molgraph.tune.rows import Visible
from molgraph.tune.space import Space
from molgraph.tune.study import quietly
from molgraph.workflows.plan import Plan
from molgraph.workflows.tune import _visible

Make = Callable[..., Attempt]


@pytest.fixture
def attempt(run: RunSettings, rows: Visible, tmp_path: Path) -> Make:
    def make(run: RunSettings = run, rows: Visible = rows, objectives: tuple[str, ...] = (), **given: Any) -> Attempt:
        aims = goals(objectives, rows.kinds)
        budget, deadline = given.get("budget", Budget(9)), given.get("deadline")
        return Attempt(
            Space.of(run),
            aims,
            {True: rows},
            budget,
            deadline,
            tmp_path / "estimates",
            Hold(),
            begun=lambda _: None,
            watch=lambda: None,
        )

    return make


def new(pruner: optuna.pruners.BasePruner | None = None, objectives: int = 1) -> optuna.Study:
    with quietly():
        return optuna.create_study(
            directions=["minimize"] * objectives, pruner=pruner, sampler=optuna.samplers.RandomSampler(0)
        )


def went(study: optuna.Study, attempt: Attempt, trials: int = 1, **fixed: Any) -> optuna.trial.FrozenTrial:
    for _ in range(trials):
        if fixed:
            study.enqueue_trial(fixed)
        with quietly():
            study.optimize(attempt, n_trials=1)
    return study.trials[-1]


class Hopeless(optuna.pruners.BasePruner):
    """Prune every trial but the first after its first report."""

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        return trial.number > 0


def test_the_value_is_that_of_the_best_epoch_and_the_epochs_are_reported(attempt: Make, rows: Visible, tmp_path: Path):
    trial = went(new(), attempt())
    assert sorted(trial.intermediate_values) == [1, 2]
    assert trial.value == pytest.approx(min(trial.intermediate_values.values()))
    assert (trial.user_attrs[SEED], trial.user_attrs[EPOCHS]) == (0, 2)
    kept = np.load(tmp_path / "estimates" / "0.npy", allow_pickle=False)
    scored = rows.data.subset(rows.folds[0].score)
    truth = scored.targets.values.numpy()
    assert trial.value == pytest.approx(float(np.sqrt(np.mean((kept - truth) ** 2))))


def test_the_same_settings_give_the_same_value(attempt: Make):
    values = [went(new(), attempt(), **{"encoder.hidden": 8, "train.lr": 0.005}).value for _ in range(2)]
    assert values[0] == values[1]


def test_a_hopeless_trial_is_pruned_after_an_epoch(attempt: Make):
    study = new(Hopeless())
    first, second = went(study, attempt()), went(study, attempt())
    assert (first.state.name, second.state.name) == ("COMPLETE", "PRUNED")
    assert second.user_attrs[EPOCHS] == 1


def test_a_diverged_trial_is_pruned_and_says_why(attempt: Make, monkeypatch: pytest.MonkeyPatch):
    def diverges(self: Training) -> Iterator[Any]:
        raise DivergedError("epoch 1: the training loss is nan")
        yield

    monkeypatch.setattr(Training, "epochs", diverges)
    trial = went(new(), attempt())
    assert trial.state.name == "PRUNED" and "nan" in trial.user_attrs[WHY]


def test_without_memory_the_batch_shrinks_and_the_trial_goes_on(attempt: Make, monkeypatch: pytest.MonkeyPatch):
    whole, sizes = Training.epochs, []

    def hungry(self: Training) -> Iterator[Any]:
        sizes.append(self.run.train.batch_size)
        for number, epoch in enumerate(whole(self)):
            if self.run.train.batch_size > 16 and number == 1:
                raise ResourceError("out of memory") from torch.OutOfMemoryError()
            yield epoch

    monkeypatch.setattr(Training, "epochs", hungry)
    trial = went(new(), attempt(), **{"train.batch_size": 64})
    assert sizes == [64, 32, 16]
    assert (trial.state.name, trial.user_attrs[BATCH]) == ("COMPLETE", 16)


def test_a_batch_of_one_that_does_not_fit_is_pruned(attempt: Make, monkeypatch: pytest.MonkeyPatch):
    def starved(self: Training) -> Iterator[Any]:
        raise ResourceError("epoch 1: out of memory") from MemoryError()
        yield

    monkeypatch.setattr(Training, "epochs", starved)
    trial = went(new(), attempt())
    assert trial.state.name == "PRUNED" and trial.user_attrs[BATCH] == 1 and "memory" in trial.user_attrs[WHY]


def test_a_full_disk_ends_the_study(attempt: Make, monkeypatch: pytest.MonkeyPatch):
    def full(self: Training) -> Iterator[Any]:
        raise ResourceError("cannot be written: no space") from OSError(28, "No space left")
        yield

    monkeypatch.setattr(Training, "epochs", full)
    with pytest.raises(ResourceError, match="no space"):
        went(new(), attempt())


def test_settings_that_a_model_refuses_end_the_first_trial_and_only_prune_a_later_one(attempt: Make, run: RunSettings):
    space = {**run.space, "encoder": {"hidden": [8], "heads": [3], "depth": [1], "descriptors": [False]}}
    refused = attempt(replace(run, model="molecule/gat", encoder={}, space=space))
    with pytest.raises(ConfigError, match="cannot be shared out"):
        went(new(), refused)
    study = new()
    study.tell(study.ask(), 1.0)
    assert "cannot be shared out" in went(study, refused).user_attrs[WHY]


def test_several_objectives_are_measured_and_nothing_is_pruned(attempt: Make):
    trial = went(new(Hopeless(), 3), attempt(objectives=("rmse", "latency", "size")), trials=2)
    assert trial.state.name == "COMPLETE" and not trial.intermediate_values
    _, latency, size = trial.values
    assert 0 < latency < 1e5 and 0.001 < size < 1


def test_over_folds_the_mean_counts_and_each_fold_is_reported(attempt: Make, made: Plan):
    folds = _visible(made, 3)
    trial = went(new(), attempt(rows=folds))
    scores = trial.user_attrs[SCORES]
    assert len(scores) == 3 and trial.value == pytest.approx(np.mean(scores))
    assert list(trial.intermediate_values.values()) == scores
    study = new(Hopeless())
    assert went(study, attempt(rows=folds), trials=2).user_attrs[EPOCHS] == 2  # one fold of two epochs


def test_when_time_is_up_the_first_trial_ends_and_the_second_is_stopped(attempt: Make):
    study = new()
    late = attempt(budget=Budget(None, 1.0), deadline=0.0)
    assert went(study, late).state.name == "COMPLETE"
    with pytest.raises(Stopped):
        went(study, late)
    assert study.trials[-1].state.name == "FAIL" and late.settings == study.trials[-1].params


def test_trees_have_no_epochs_to_report(attempt: Make, made: Plan):
    pytest.importorskip("catboost")
    from molgraph.workflows.plan import plan

    raw = {"targets": ["pAct"], "model": "molecule/forest", "space": {"encoder": {"rounds": [5, 9], "depth": [2]}}}
    run = config.settings({**raw, "comparator": "none"})
    forest = plan(run, made.rows.frame)
    trial = went(new(Hopeless()), attempt(run=run, rows=_visible(forest, 1)), trials=2)
    assert trial.state.name == "COMPLETE" and not trial.intermediate_values
    assert trial.user_attrs[EPOCHS] == run.train.epochs  # counted as a training to its end, or a budget never would


def test_a_trial_without_an_epoch_left_is_not_pruned(attempt: Make, run: RunSettings):
    one = attempt(replace(run, train=replace(run.train, epochs=1)))
    trial = went(new(Hopeless()), one, trials=2)
    assert trial.state.name == "COMPLETE" and list(trial.intermediate_values) == [1]
