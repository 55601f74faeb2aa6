"""What a study found: the best trial, the front, whether more trials would help, and what mattered."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import optuna

from molgraph.config import RunSettings
from molgraph.tune.attempt import BATCH, SCORES, tried
from molgraph.tune.goals import Goal
from molgraph.tune.space import Space
from molgraph.tune.study import quietly

TO_WEIGH = 10  # completed trials, from which the best tenth, by which settings are weighed, is one at least
ENOUGH = 20  # completed trials, from which Optuna's regret bound means something (its default)


def completed(study: Any) -> list[Any]:
    """Return the trials that ran to their end."""
    found: list[Any] = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    return found


def ranked(study: Any, goals: Sequence[Goal]) -> list[Any]:
    """Return the completed trials, the best of the first objective first; of equals the earlier."""
    sign = -1.0 if goals[0].higher_is_better else 1.0
    return sorted(completed(study), key=lambda t: (sign * t.values[0], t.number))


def front(study: Any, goals: Sequence[Goal]) -> list[Any]:
    """Return the trials that no other beats in every objective, the most accurate first."""
    best = {t.number for t in study.best_trials} if len(goals) > 1 else set()
    return [t for t in ranked(study, goals) if t.number in best]


def settings_of(trial: Any, space: Space) -> RunSettings:
    """Return the run that a trial tried, with the batch that fitted into its memory."""
    what = tried(trial)
    run = space.settle({d.name: d.value(what[d.name]) for d in space.dimensions if d.name in what})
    return replace(run, train=replace(run.train, batch_size=trial.user_attrs.get(BATCH, run.train.batch_size)))


def alike(study: Any, space: Space, best: Any) -> list[Any]:
    """Return the completed trials of the same models as the best, which all have the same settings to choose.

    The run file's own settings are none of them where the space lacks some.
    """
    chosen = {name: tried(best).get(name) for name in space.models}
    of_space = [t for t in completed(study) if t.params.keys() == tried(t).keys()]
    return [t for t in of_space if all(t.params.get(name) == value for name, value in chosen.items())]


def models_of(space: Space, best: Any) -> str:
    """Name the models of the best trial where the space has others, "" where it has none."""
    what = tried(best)
    return " and ".join(str(what[name]) for name in space.models if name in what)


def importances(study: Any, goals: Sequence[Goal], space: Space, best: Any) -> dict[str, float]:
    """Return the share of each setting in what sets the best tenth of the trials of the best's models apart from the
    others, the largest first.

    By the first objective; {} where the trials are too few, or too much alike, to tell. A setting that only tells bad
    trials from middling ones has a small share.

    See: Watanabe et al. 2023, arXiv 2304.10255 (PED-ANOVA)
    """
    done = alike(study, space, best)
    if len(done) < TO_WEIGH:
        return {}
    names = [name for name in done[0].params if name not in space.models]
    sign = -1.0 if goals[0].higher_is_better else 1.0  # the evaluator looks at what makes the target low
    with quietly():
        warnings.simplefilter("ignore", UserWarning)  # that it looks at low values, and of a single trial
        mine = optuna.create_study(directions=study.directions)
        mine.add_trials(done)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        try:
            found = evaluator.evaluate(mine, names, target=lambda t: sign * float(t.values[0]))
        except (ValueError, RuntimeError, ZeroDivisionError):  # all alike
            return {}
    total = sum(found.values())
    return {name: share / total for name, share in found.items()} if total > 0 else {}


def more_would_help(study: Any, goals: Sequence[Goal], error: float | None, space: Space, best: Any) -> str:
    """Say whether more trials are likely to help: Optuna's terminator, whose `error` is that of the best score.

    It is asked of the completed trials of the best's models, which have all settings in common: of the whole of a
    conditional space it would look at little more than the choice of the model.

    See: Makarova et al. 2022, Automatic Termination for Hyperparameter Optimization, arXiv 2104.08166
    """
    done, models = alike(study, space, best), models_of(space, best)
    of = f" of {models}" if models else ""
    if len(goals) > 1:
        return "Whether more trials would help cannot be told for several objectives."
    if len(done) < ENOUGH:
        known = f"{len(done)} completed trial{'s' if len(done) != 1 else ''}{of}"
        return f"Whether more trials would help cannot be told from {known}: it takes {ENOUGH}."
    from optuna.terminator import RegretBoundEvaluator

    if error is None:
        return "Whether more trials would help cannot be told: the error of the best score is not known."
    with quietly():
        try:
            room = float(RegretBoundEvaluator(seed=0).evaluate(done, study.direction))
        except ValueError as reason:
            return f"Whether more trials would help cannot be told: {reason}"
    label = goals[0].label
    others = (
        "; pruned ones, and those of other models, are not looked at" if models else "; pruned ones are not looked at"
    )
    known = f"That is told from {len(done)} completed trials{of}{others}."
    if room < error:
        return (
            f"More trials{of} are not likely to help: at most {room:.3g} of {label} is left to gain, "
            f"less than the standard error of the best score ({error:.3g}). {known}"
        )
    return (
        f"More trials{of} may help: up to {room:.3g} of {label} may be left to gain, "
        f"more than the standard error of the best score ({error:.3g}). {known}"
    )


def fold_error(trial: Any) -> float | None:
    """Return the standard error of a mean over folds, as Optuna's terminator takes it; None for one fold.

    See: Nadeau & Bengio 2003, doi 10.1023/A:1024068626366 (the variance between folds, and that of the split)
    """
    scores = trial.user_attrs.get(SCORES, [])
    k = len(scores)
    if k < 2:
        return None
    mean = sum(scores) / k
    variance = sum((s - mean) ** 2 for s in scores) / k
    return float(((1 / k + 1 / (k - 1)) * variance) ** 0.5)
