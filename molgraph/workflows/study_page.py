"""From the outcome of a tuning to the contents of its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from molgraph.predictor.card import units
from molgraph.report.quality import quality
from molgraph.report.study_contents import Attempted, Axis, Objective, StudyPage
from molgraph.tune.answer import TO_WEIGH, alike, models_of
from molgraph.tune.attempt import WHY, tried
from molgraph.tune.budget import clock
from molgraph.tune.space import Space
from molgraph.tune.study import WORKER
from molgraph.workflows.outcome import COMPARATOR, MODEL, Outcome


def study_page(outcome: Outcome, found: Mapping[str, Any]) -> StudyPage:
    """Return the page of a tuning; `found` is its `summary`."""
    tuned, best = outcome.main, outcome.best
    trials = tuned.study.get_trials(deepcopy=False)
    began = min(t.datetime_start for t in trials if t.datetime_start)
    states = [t.state.name for t in trials]
    goal = outcome.goals[0]
    seen = next(iter(outcome.readings.values()))
    cut = outcome.made.split
    model, models = outcome.run_of(best).model, models_of(tuned.space, best)
    return StudyPage(
        title=f"Tuning of {'models' if models else tuned.title}",
        lead=f"{outcome.made.rows.origin}: {found['more_trials']}",
        objectives=tuple(Objective(each.label, each.higher_is_better) for each in outcome.goals),
        trials=tuple(_attempted(t, began) for t in trials if t.datetime_start),
        axes=_axes(tuned.space, found["importances"], best),
        best=best.number,
        importances=found["importances"],
        within=_within(outcome, models),
        front=tuple(each["trial"] for each in found["front"]),
        step="epoch" if len(seen.folds) == 1 else "fold",
        figures=(
            *(((models, "was taken"),) if models else ()),
            (f"{best.values[0]:.4g}", f"{goal.label} on the validation rows, trial {best.number}"),
            (str(states.count("COMPLETE")), "trials came to their end"),
            (str(states.count("PRUNED")), "pruned"),
        ),
        quality=quality(found["test"], model, _units(outcome)) if found["test"] else (),
        notes=(found["methods"], found["noise"], *found["notes"], *_comparison(outcome, found), *_left_out(found)),
        facts={
            "data": outcome.made.rows.origin,
            "split": outcome.made.run.split,
            "rows seen": f"{len(seen.data):,}",
            "rows put away": f"{len(cut.test):,} to test, {len(cut.calibration):,} to calibrate",
            "budget": outcome.budget.words,
            "seed": str(outcome.made.run.seed),
            "trials": str(found["trials"][MODEL]),
            "trials of the comparator": str(found["trials"].get(COMPARATOR, "none")),
        },
    )


def _units(outcome: Outcome) -> Mapping[str, str]:
    """Return the unit of each target, as a training says them where one was trained."""
    return outcome.made.rows.units if outcome.predictor is None else units(outcome.predictor.recipe)


def _comparison(outcome: Outcome, found: Mapping[str, Any]) -> list[str]:
    if COMPARATOR not in outcome.studies:
        return ["No comparator was tuned (comparator = none, or the model is its own).", _looks(outcome)]
    name, count = outcome.studies[COMPARATOR].title, found["trials"][COMPARATOR]
    took = {each: clock(found["seconds"][each]) for each in (MODEL, COMPARATOR)}
    return [
        f"The method to beat, {name}, was tuned with the same budget ({outcome.budget.words}): {count} trials ended, "
        f"in {took[COMPARATOR]}; {found['trials'][MODEL]} of {outcome.main.title} in {took[MODEL]}.",
        _looks(outcome),
    ]


def _looks(outcome: Outcome) -> str:
    """Say how often the test rows were looked at."""
    away, looked = "The test rows were put away before the first trial and", outcome.looked
    if len(looked) < 2:
        return f"{away} {'looked at once, for the models above' if looked else 'are not looked at yet'}."
    return (
        f"{away} looked at {len(looked)} times: trials {', '.join(map(str, looked))} were taken in turn. What was "
        "chosen because of an earlier look is too good in a later one."
    )


def _left_out(found: Mapping[str, Any]) -> list[str]:
    """Say which methods to beat could not be trained."""
    return [f"{name} could not be trained: {why}" for name, why in found["test"].get("left_out", {}).items()]


def _attempted(trial: Any, began: Any) -> Attempted:
    state = {"COMPLETE": "complete", "PRUNED": "pruned"}.get(trial.state.name, "failed")
    ended = trial.datetime_complete or trial.datetime_start
    return Attempted(
        trial.number,
        state,
        tuple(trial.values) if state == "complete" else (),
        tried(trial),
        tuple(sorted(trial.intermediate_values.items())),
        (trial.datetime_start - began).total_seconds(),
        (ended - began).total_seconds(),
        trial.user_attrs.get(WORKER, ""),
        trial.user_attrs.get(WHY, ""),
    )


def _within(outcome: Outcome, models: str) -> str:
    """Say among which trials the settings are weighed."""
    tuned = outcome.main
    count = len(alike(tuned.study, tuned.space, outcome.best))
    trials = f"{count} completed trials{f' of {models}' if models else ''}"
    if count < TO_WEIGH:
        return f"How much each setting matters cannot be told from {trials}: it takes {TO_WEIGH}."
    other = " What the choice of a model makes is shown below, score by setting." if models else ""
    return f"Settings are weighed among the {trials}.{other}"


def _axes(space: Space, share: Mapping[str, float], best: Any) -> tuple[Axis, ...]:
    """Return the axes: the choice of a model, the settings of the best, those that matter most first, the others."""
    mine, beyond = tried(best), space.beyond
    found = sorted(
        space.dimensions, key=lambda d: (d.name not in space.models, d.name not in mine, -share.get(d.name, 0.0))
    )
    also = {d.name: [beyond[d.name]] if d.choices and d.name in beyond else [] for d in found}
    return tuple(Axis(d.name, tuple(map(str, d.labels + also[d.name])), d.log) for d in found)
