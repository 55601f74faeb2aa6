from __future__ import annotations

import time

import optuna
import pytest

from molgraph.tune.budget import EPOCHS, Budget
from molgraph.tune.goals import goals
from molgraph.workflows.watch import Trials

RMSE = goals((), {"a": "regression"})


@pytest.fixture
def study() -> optuna.Study:
    made = optuna.create_study()
    for value in (2.0, 1.0):
        trial = made.ask()
        trial.set_user_attr(EPOCHS, 3)
        made.tell(trial, value)
    return made


def test_each_trial_is_a_plain_line_once(study: optuna.Study, capsys: pytest.CaptureFixture[str]):
    watch = Trials("tune", RMSE, Budget(4), None)
    watch.began -= 60
    for _ in range(2):
        watch(study, last=True)
    trial = study.ask()
    trial.report(5.0, 1)
    trial.set_user_attr("why", "hopeless")
    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    watch(study, last=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "  trial 0: RMSE 2 (3 epochs, 0s)",
        "  trial 1: RMSE 1 (3 epochs, 0s)",
        "  trial 2: pruned (0 epochs, 0s): hopeless",
    ]


def test_what_was_done_before_is_counted_and_not_repeated(study: optuna.Study, capsys: pytest.CaptureFixture[str]):
    time.sleep(0.01)
    Trials("tune", RMSE, Budget(4), None)(study, last=True)
    assert capsys.readouterr().err == "tune: going on after 2 trials\n"


def test_after_a_restart_a_failed_trial_does_not_hide_what_is_left(study: optuna.Study):
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)  # as of a worker that was killed
    time.sleep(0.01)
    watch = Trials("tune", RMSE, Budget(4), None)
    watch(study, last=True)
    watch.began -= 60
    study.tell(study.ask(), 3.0)
    assert watch.before == 2 and watch._left(3) == pytest.approx(60, abs=1)  # a minute for the third of four


def test_in_a_terminal_one_line_says_what_runs_now(study: optuna.Study, capsys: pytest.CaptureFixture[str]):
    watch = Trials("tune", RMSE, Budget(4), time.time() + 30)
    watch.live = True
    watch.began -= 60
    study.ask().report(3.0, 7)
    watch(study)
    shown = capsys.readouterr().err.splitlines()[-1]
    assert "tune: trial 3/4 at epoch 7, best RMSE 1 (trial 1), 0 pruned, about " in shown and shown.endswith("left")
    assert watch._left(2) == pytest.approx(30, abs=1)  # less than by the pace: a minute for two, two to go
