from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import optuna
import pytest

from molgraph import config
from molgraph.tune.answer import (
    ENOUGH,
    TO_WEIGH,
    alike,
    fold_error,
    front,
    importances,
    models_of,
    more_would_help,
    ranked,
    settings_of,
)
from molgraph.tune.attempt import BATCH, SCORES
from molgraph.tune.goals import goals
from molgraph.tune.space import Space

RMSE = goals((), {"a": "regression"})
AUROC = goals((), {"a": "binary"})
TWO = goals(("rmse", "size"), {"a": "regression"})


PLAIN = Space(config.settings({"targets": ["a"]}), ())
TWO_MODELS = Space.of(config.settings({"targets": ["a"], "space": {"model": ["molecule/gin", "molecule/forest"]}}))


def modelled(trials: int) -> optuna.Study:
    """Return a study of two models, of which each has a setting of its own and one is far better."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))

    def objective(trial: optuna.Trial) -> float:
        model = trial.suggest_categorical("model", ["molecule/gin", "molecule/forest"])
        x, y = trial.suggest_float(f"{model}.x", -10, 10), trial.suggest_float(f"{model}.y", 0, 1)
        return (x - 2) ** 2 + (1e3 if model == "molecule/gin" else 0) + y / 100

    study.optimize(objective, n_trials=trials)
    return study


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
    study = searched(40)
    share = importances(study, RMSE, PLAIN, study.best_trial)
    assert next(iter(share)) == "x" and share["x"] > 0.8 and math.isclose(sum(share.values()), 1)
    few = searched(TO_WEIGH - 1)
    assert importances(few, RMSE, PLAIN, few.best_trial) == {}


def test_where_models_are_tuned_settings_are_weighed_among_the_trials_of_the_best():
    study = modelled(80)
    share = importances(study, RMSE, TWO_MODELS, study.best_trial)
    assert list(share) == ["molecule/forest.x", "molecule/forest.y"] and share["molecule/forest.x"] > 0.8
    assert models_of(TWO_MODELS, study.best_trial) == "molecule/forest" and models_of(PLAIN, study.best_trial) == ""
    assert {t.params["model"] for t in alike(study, TWO_MODELS, study.best_trial)} == {"molecule/forest"}


def test_whether_more_trials_would_help_is_asked_of_the_models_that_won():
    study = modelled(ENOUGH + 10)
    mine = len(alike(study, TWO_MODELS, study.best_trial))
    said = more_would_help(study, RMSE, 0.1, TWO_MODELS, study.best_trial)
    assert mine < ENOUGH and f"from {mine} completed trials of molecule/forest: it takes {ENOUGH}" in said
    study = modelled(3 * ENOUGH)
    said = more_would_help(study, RMSE, 1e-9, TWO_MODELS, study.best_trial)
    assert said.startswith("More trials of molecule/forest may help: up to ")
    assert "completed trials of molecule/forest; pruned ones, and those of other models, are not looked at." in said


def test_whether_more_trials_would_help():
    few, many = searched(5), searched(5, ("minimize", "minimize"))
    told = f"cannot be told from 5 completed trials: it takes {ENOUGH}"
    assert told in more_would_help(few, RMSE, 0.1, PLAIN, few.best_trial)
    assert "several objectives" in more_would_help(many, TWO, 0.1, PLAIN, many.best_trials[0])
    study = searched(40)
    best = study.best_trial
    assert "the error of the best score is not known" in more_would_help(study, RMSE, None, PLAIN, best)
    assert "not likely to help" in more_would_help(study, RMSE, 1e6, PLAIN, best)
    assert "may help" in more_would_help(study, RMSE, 1e-9, PLAIN, best)


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
