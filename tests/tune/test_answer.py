from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import optuna
import pytest

from molgraph import config
from molgraph.tune.answer import ENOUGH, fold_error, front, importances, more_would_help, ranked, settings_of
from molgraph.tune.attempt import BATCH, SCORES
from molgraph.tune.goals import goals
from molgraph.tune.space import Space

RMSE = goals((), {"a": "regression"})
AUROC = goals((), {"a": "binary"})
TWO = goals(("rmse", "size"), {"a": "regression"})


def searched(trials: int, directions: tuple[str, ...] = ("minimize",)) -> optuna.Study:
    """Return a study of a bowl with its bottom at x = 2, in which y does not matter."""
    study = optuna.create_study(directions=list(directions), sampler=optuna.samplers.TPESampler(seed=0))

    def bowl(trial: optuna.Trial) -> float | tuple[float, ...]:
        x, _ = trial.suggest_float("x", -10, 10), trial.suggest_float("y", 0, 1)
        value = (x - 2) ** 2
        return value if len(directions) == 1 else (value, abs(x))

    study.optimize(bowl, n_trials=trials)
    return study


def test_the_best_comes_first_whichever_way_is_better():
    study = searched(8)
    values = [t.value for t in ranked(study, RMSE)]
    assert values == sorted(values) and len(values) == 8
    assert [t.value for t in ranked(study, AUROC)] == values[::-1]
    assert front(study, RMSE) == []


def test_no_trial_on_the_front_is_beaten_in_everything():
    study = searched(12, ("minimize", "minimize"))
    found = front(study, TWO)
    assert found and [t.values[0] for t in found] == sorted(t.values[0] for t in found)
    for one in found:
        assert not any(o.values[0] < one.values[0] and o.values[1] < one.values[1] for o in study.trials)


def test_what_matters_is_found():
    share = importances(searched(40), RMSE)
    assert next(iter(share)) == "x" and share["x"] > 0.8 and math.isclose(sum(share.values()), 1)
    assert importances(optuna.create_study(), RMSE) == {}


def test_whether_more_trials_would_help():
    assert f"cannot be told from 5 completed trials: it takes {ENOUGH}" in more_would_help(searched(5), RMSE, 0.1)
    assert "several objectives" in more_would_help(searched(5, ("minimize", "minimize")), TWO, 0.1)
    study = searched(40)
    assert "the error of the best score is not known" in more_would_help(study, RMSE, None)
    assert "not likely to help" in more_would_help(study, RMSE, 1e6)
    assert "may help" in more_would_help(study, RMSE, 1e-9)


def test_the_error_of_a_mean_over_folds_is_that_of_optunas_terminator():
    from optuna.terminator import CrossValidationErrorEvaluator

    scores = [1.0, 1.2, 0.9, 1.4, 1.1]
    trial = optuna.create_trial(
        value=float(np.mean(scores)), user_attrs={SCORES: scores}, system_attrs={"terminator:cv_scores": scores}
    )
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        theirs = CrossValidationErrorEvaluator().evaluate([trial], optuna.study.StudyDirection.MINIMIZE)
    assert fold_error(trial) == pytest.approx(theirs)
    assert fold_error(optuna.create_trial(value=1.0)) is None


def test_a_trial_is_a_run_again_with_the_batch_that_fitted():
    space = Space.of(config.settings({"targets": ["a"], "model": "molecule/gin"}))
    study = optuna.create_study()
    trial = study.ask()
    run = space.suggest(trial)
    trial.set_user_attr(BATCH, 4)
    study.tell(trial, 1.0)
    found = settings_of(study.trials[0], space)
    assert found.train.batch_size == 4
    assert replace(found, train=replace(found.train, batch_size=run.train.batch_size)) == run
