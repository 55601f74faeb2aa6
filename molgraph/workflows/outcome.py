"""What comes of a tuning: tables, the best run file, the chosen models trained and judged once on the test rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.config import RunSettings, dump
from molgraph.data.dataset import Dataset
from molgraph.data.files import atomic
from molgraph.errors import CheckpointError, ConfigError
from molgraph.kinds import make
from molgraph.predictor import Predictor
from molgraph.predictor.assess import assess
from molgraph.predictor.training import Training
from molgraph.tune.answer import fold_error, front, importances, more_would_help, ranked, settings_of
from molgraph.tune.attempt import keep, tried
from molgraph.tune.budget import FINISHED, Budget, worked
from molgraph.tune.ensemble import greedy
from molgraph.tune.goals import Goal, accuracy, scales
from molgraph.tune.rows import Visible
from molgraph.tune.space import Space
from molgraph.tune.table import write_trials
from molgraph.workflows import show
from molgraph.workflows.plan import Plan
from molgraph.workflows.show import say
from molgraph.workflows.train import train_plan

MODEL, COMPARATOR = "tune", "comparator"
RESAMPLES = 200  # of the bootstrap that gives the standard error of the best score
UNTUNED = "not tuned"
LOOKED = "looked"  # the attribute of a study that lists the trials whose test scores were made


@dataclass(frozen=True)
class Tuned:
    """Hold one study, what was tuned in it, and where the estimates of its trials are."""

    title: str
    space: Space
    study: Any
    estimates: Path

    def estimates_of(self, trial: Any) -> Path:
        return self.estimates / f"{trial.number}.npy"

    def has_estimates(self, trial: Any) -> bool:
        return self.estimates_of(trial).is_file()


@dataclass
class Outcome:
    """Hold all that came of a tuning. `plans` and `readings` are by the setting `standardize`."""

    out: Path
    made: Plan
    plans: Mapping[bool, Plan]
    readings: Mapping[bool, Visible]
    goals: tuple[Goal, ...]
    budget: Budget
    methods: str
    studies: dict[str, Tuned] = field(default_factory=dict)
    best: Any = None
    ensemble: list[tuple[int, Path]] = field(default_factory=list)
    predictor: Predictor | None = None
    assessment: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def main(self) -> Tuned:
        return self.studies[MODEL]

    @property
    def looked(self) -> list[int]:
        """Return the trials that were judged on the test rows."""
        return list(self.main.study.user_attrs.get(LOOKED, []))

    @cached_property
    def scored(self) -> dict[bool, Dataset]:
        """Return the scored rows of all folds, end to end, as the kept estimates are."""
        return {
            setting: rows.data.subset(np.concatenate([fold.score for fold in rows.folds]))
            for setting, rows in self.readings.items()
        }

    def run_of(self, trial: Any, which: str = MODEL) -> RunSettings:
        """Return a trial's settings as a run: with the name of the split that was made, or that gave the folds."""
        run = settings_of(trial, self.studies[which].space)
        return replace(run, split=self.made.run.split, ensemble=self.made.run.ensemble if which == MODEL else 1)

    def score(
        self, standardize: bool, estimates: NDArray[np.float64], bootstrap: int = 0
    ) -> tuple[float, float | None]:
        """Return the first objective of estimates of the scored rows, and its standard error."""
        rows = self.readings[standardize]
        task = make(rows.kinds, rows.classes, variance=self.made.run.variance)
        train = rows.data.subset(rows.folds[0].train)
        return accuracy(
            self.goals[0],
            task,
            self.scored[standardize],
            estimates,
            scales(task, train),
            bootstrap=bootstrap,
            seed=self.made.run.seed,
        )


def choose(outcome: Outcome, pick: int | None) -> None:
    """Choose the trial to take: the best of the first objective, or the one picked.

    Raises: ConfigError where the picked one did not come to its end.
    """
    found = ranked(outcome.main.study, outcome.goals)
    if pick is not None:
        found = [t for t in found if t.number == pick]
        if not found:
            raise ConfigError(f"--pick {pick}: no trial of that number came to its end; trials.csv lists them.")
    outcome.best = found[0] if found else None


def write_best(outcome: Outcome) -> None:
    """Write `best.toml`."""
    run = outcome.run_of(outcome.best)
    if run.data and Path(run.data).is_file():
        run = replace(run, data=str(Path(run.data).resolve()))
    with atomic(outcome.out / "best.toml") as file:
        file.write(dump(run).encode())


def write_trials_of(outcome: Outcome) -> None:
    """Write the tables of trials."""
    for name, file in ((MODEL, "trials.csv"), (COMPARATOR, "trials-comparator.csv")):
        if name in outcome.studies:
            tuned = outcome.studies[name]
            trials = tuned.study.get_trials(deepcopy=False)
            write_trials(outcome.out / file, trials, outcome.goals, tuned.space)


def conclude(outcome: Outcome, most: int) -> None:
    """Train what was chosen, judge it once on the test rows beside the tuned comparator and no tuning, and say so."""
    rivals = _rivals(outcome)
    _note_look(outcome)
    outcome.predictor = _train(outcome, outcome.best, outcome.out / "best", rivals)
    outcome.assessment = json.loads(json.dumps(outcome.predictor.recipe.metrics))
    _recall(outcome)
    chosen = _ensemble(outcome, most)
    members = [outcome.predictor]
    for trial in chosen[1:]:
        folder = outcome.out / "ensemble" / f"trial-{trial.number}"
        members.append(_train(outcome, trial, folder, {}))
        outcome.ensemble.append((trial.number, folder))
    for old in (outcome.out / "ensemble").glob("trial-*"):
        if old not in [folder for _, folder in outcome.ensemble]:  # chosen when there were fewer trials
            shutil.rmtree(old)
    if len(members) > 1:
        _judge_together(outcome, members)


def _rivals(outcome: Outcome) -> dict[str, RunSettings]:
    """Return what the best is judged beside: the comparator, tuned as well, and the model without tuning."""
    found: dict[str, RunSettings] = {}
    if COMPARATOR in outcome.studies:
        tuned = outcome.studies[COMPARATOR]
        for trial in ranked(tuned.study, outcome.goals)[:1]:
            run = outcome.run_of(trial, COMPARATOR)
            found[f"{tuned.title}, tuned (trial {trial.number} of {_finished(tuned)})"] = run
    plain = untuned(outcome)
    if plain != outcome.run_of(outcome.best):
        found[f"{plain.model}, {UNTUNED}{_smaller(outcome, plain)}"] = plain
    return found


def untuned(outcome: Outcome) -> RunSettings:
    """Return the run without tuning."""
    best = outcome.run_of(outcome.best)
    return replace(_untuned(outcome.main), split=best.split, ensemble=best.ensemble)


def _smaller(outcome: Outcome, plain: RunSettings) -> str:
    """Say where the batch of the run file did not fit into the memory when a trial tried it."""
    asked, fitted = outcome.main.space.run.train.batch_size, plain.train.batch_size
    return "" if asked == fitted else f" (in batches of {fitted}, as {asked} did not fit into the memory)"


def _note_look(outcome: Outcome) -> None:
    """Keep in the study which trials were judged on the test rows: what is chosen after one need not be blind."""
    outcome.main.study.set_user_attr(LOOKED, sorted({*outcome.looked, outcome.best.number}))


def _untuned(tuned: Tuned) -> RunSettings:
    """Return the settings without tuning, with the batch that fitted into the memory when a trial tried them."""
    first = tuned.space.enqueued()[0]
    found = [t for t in tuned.study.get_trials(deepcopy=False) if tried(t) == first]
    return settings_of(found[-1], tuned.space) if found else tuned.space.settle(tuned.space.starts()[0])


def _all(tuned: Tuned) -> list[Any]:
    found: list[Any] = tuned.study.get_trials(deepcopy=False)
    return found


def _finished(tuned: Tuned) -> int:
    return sum(t.state.name in FINISHED for t in _all(tuned))


def _train(outcome: Outcome, trial: Any, folder: Path, rivals: Mapping[str, RunSettings]) -> Predictor:
    """Train a trial's settings into a folder, or take what an earlier command left there of the same."""
    run = outcome.run_of(trial)
    made = replace(outcome.plans[run.standardize], run=run, rivals=dict(rivals))
    digest = Training(run, made.task, made.rows.data, made.split).digest  # with a storage, the data may be others now
    try:
        there = Predictor.load(folder)
        metrics = there.recipe.metrics
        beside = {*metrics.get("others", {}), *metrics.get("left_out", {})}
        before = there.judged  # it scores an ensemble: a folder that lost it is not taken
        same = before.recipe.run == run and before.facts.get("digest") == digest
        if same and rivals.keys() <= beside and not there.facts.get("interrupted", True):
            return there
    except CheckpointError:
        pass  # none is there yet, or a stopped one
    best = trial.number == outcome.best.number
    say(f"training trial {trial.number}, {'the best; now the test rows are looked at' if best else 'for the ensemble'}")
    with show.quiet(not best):
        found = train_plan(made, folder, overwrite=True)
    if found.facts["interrupted"]:
        raise KeyboardInterrupt
    return found


def _recall(outcome: Outcome) -> None:
    """Write the best trial's estimates where another machine has them: the model trained of it makes them again."""
    tuned, best = outcome.main, outcome.best
    seen = outcome.readings[outcome.run_of(best).standardize]
    if outcome.predictor is None or len(seen.folds) > 1 or tuned.has_estimates(best):
        return
    scored = outcome.scored[outcome.run_of(best).standardize]
    keep(tuned.estimates, best.number, outcome.predictor.judged.members[0].estimate(scored))


def _ensemble(outcome: Outcome, most: int) -> list[Any]:
    """Return the trials whose mean estimates the scored rows best, the chosen one first."""
    tuned, best = outcome.main, outcome.best
    reading = outcome.run_of(best).standardize  # a panel reads its rows in one way
    trials, estimates = {}, {}
    found = ranked(tuned.study, outcome.goals)
    for trial in found:
        if tuned.has_estimates(trial) and outcome.run_of(trial).standardize == reading:
            trials[trial.number] = trial
            estimates[trial.number] = np.load(tuned.estimates_of(trial), allow_pickle=False)
    elsewhere = sum(not tuned.has_estimates(trial) for trial in found)
    if elsewhere:
        outcome.notes.append(
            f"{elsewhere} of {len(found)} completed trials ran in another folder, of this machine or another, where "
            f"their estimates are: {'an' if best.number in estimates else 'no'} ensemble is chosen without them."
        )
    if best.number not in estimates or most < 2:
        return [best]
    sign = -1.0 if outcome.goals[0].higher_is_better else 1.0
    chosen, losses = greedy(
        estimates, lambda made: sign * outcome.score(reading, made)[0], most=most, first=best.number
    )
    label = outcome.goals[0].label
    if len(chosen) > 1:
        outcome.notes.append(
            f"An ensemble of trials {', '.join(map(str, chosen))}, chosen greedily, brings {label} on the validation "
            f"rows from {sign * losses[0]:.4g} to {sign * losses[-1]:.4g}; those rows chose it, so that flatters."
        )
    else:
        outcome.notes.append(f"No other trial, averaged with the best, improves {label} on the validation rows.")
    return [trials[number] for number in chosen]


def _judge_together(outcome: Outcome, members: list[Predictor]) -> None:
    """Judge the ensemble on the test rows, beside the best alone: the models of the split, which have not seen them."""
    made = outcome.plans[outcome.run_of(outcome.best).standardize]
    test = made.rows.data.subset(made.split.test)
    if not len(test):
        return
    name = f"ensemble of {len(members)} trials"
    together = np.mean([member.judged.estimate(test)[0] for member in members], axis=0)
    found = assess(members[0].judged, test, {name: together}, called="alternative", seed=made.run.seed)
    outcome.assessment["others"][name] = found["others"][name]
    for target, verdicts in found["verdicts"].items():
        outcome.assessment["verdicts"][target][name] = verdicts[name]


def _noise(outcome: Outcome, error: float | None) -> str:
    """Say how well the best score is known, so what differences between trials mean."""
    seen = next(iter(outcome.readings.values()))
    rows, label = sum(len(fold.score) for fold in seen.folds), outcome.goals[0].label
    known = "is not known" if error is None else f"is {error:.2g}: smaller differences between trials may be chance"
    advice = "" if len(seen.folds) > 1 else "; --folds 5 scores by all rows that are not put away"
    return f"The best {label} rests on {rows:,} rows; its standard error {known}{advice}."


def summary(outcome: Outcome) -> dict[str, Any]:
    """Return what was found, as JSON values."""
    tuned, best = outcome.main, outcome.best
    error = fold_error(best)
    if error is None and tuned.has_estimates(best):
        reading = outcome.run_of(best).standardize
        _, error = outcome.score(reading, np.load(tuned.estimates_of(best), allow_pickle=False), RESAMPLES)
    return {
        "objectives": [goal.name for goal in outcome.goals],
        "best": {"trial": best.number, "values": list(best.values), "parameters": tried(best)},
        "front": [{"trial": t.number, "values": list(t.values)} for t in front(tuned.study, outcome.goals)],
        "ensemble": [number for number, _ in outcome.ensemble],
        "importances": importances(tuned.study, outcome.goals, tuned.space, best),
        "noise": _noise(outcome, error),
        "more_trials": more_would_help(tuned.study, outcome.goals, error, tuned.space, best),
        "methods": outcome.methods,
        "budget": outcome.budget.words,
        "trials": {name: _finished(each) for name, each in outcome.studies.items()},
        "seconds": {name: round(worked(_all(each)), 1) for name, each in outcome.studies.items()},
        "looked": outcome.looked,
        "notes": outcome.notes,
        "test": outcome.assessment,
    }
