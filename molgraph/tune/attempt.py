"""One trial: settings to a score, watched after every epoch."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from numpy.typing import NDArray

from molgraph import registry
from molgraph.config import RunSettings
from molgraph.data.files import atomic, os_errors
from molgraph.errors import ConfigError, DataError, DivergedError, ResourceError
from molgraph.kinds import Kind, make
from molgraph.predictor.member import Member
from molgraph.predictor.training import Training
from molgraph.tune.budget import EPOCHS, Budget
from molgraph.tune.goals import COSTS, Goal, accuracy, cost, scales
from molgraph.tune.hold import Hold
from molgraph.tune.rows import Fold, Visible
from molgraph.tune.space import NETWORK, START, Space

SEED, WHY, BATCH, SCORES = "seed", "why", "batch_size", "fold_scores"
Array = NDArray[np.float64]


def tried(trial: Any) -> dict[str, Any]:
    """Return what a trial tried, as a study holds it: its parameters, or the settings of a start."""
    return dict(trial.user_attrs.get(START) or trial.params)


class Stopped(Exception):
    """Say that a trial was cut short by the budget, not by its score; it is queued once more."""


@dataclass
class Attempt:
    """Be the objective of a study: train what a trial suggests, on rows that hold no test row.

    `readings` maps the setting `standardize` to the rows read so. `begun` is called when a trial begins, `watch` after
    every epoch; `hold` keeps Ctrl-C out of the study's books.
    """

    space: Space
    goals: tuple[Goal, ...]
    readings: Mapping[bool, Visible]
    budget: Budget
    deadline: float | None
    estimates: Path
    hold: Hold
    begun: Callable[[optuna.trial.Trial], None]
    watch: Callable[[], None]
    settings: dict[str, Any] = field(default_factory=dict, init=False)
    start: dict[str, Any] = field(default_factory=dict, init=False)
    epochs: int = field(default=0, init=False)
    reported: set[int] = field(default_factory=set, init=False)

    def __call__(self, trial: optuna.trial.Trial) -> float | tuple[float, ...]:
        """Return the value of each objective.

        Raises: optuna.TrialPruned for a trial that is hopeless, diverged or refused by its model; Stopped where the
        budget ends it; DataError and ConfigError where that is the very first trial, so where nothing can work.
        """
        self.settings, self.epochs, self.reported = {}, 0, set()
        self.start = trial.user_attrs.get(START, {})
        self.begun(trial)
        try:
            run = replace(self.space.suggest(trial), ensemble=1, init="")
            self.settings = trial.params
            trial.set_user_attr(SEED, run.seed)
            return self._fitting_memory(trial, run)
        except (DivergedError, ConfigError, DataError, ResourceError) as error:
            broken = isinstance(error, ConfigError | DataError) and not self._finished(trial)
            if broken or isinstance(error.__cause__, OSError):
                raise
            trial.set_user_attr(WHY, str(error))
            raise optuna.TrialPruned(str(error)) from error
        except (Stopped, KeyboardInterrupt) as stop:
            trial.set_user_attr(WHY, str(stop) or "stopped by hand")
            raise
        finally:
            trial.set_user_attr(EPOCHS, self.epochs)

    def _fitting_memory(self, trial: optuna.trial.Trial, run: RunSettings) -> float | tuple[float, ...]:
        """Halve the batch until it fits into the memory."""
        while True:
            try:
                return self._judge(trial, run)
            except ResourceError as error:
                size = run.train.batch_size // 2
                if isinstance(error.__cause__, OSError) or size < 1:
                    raise
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            run = replace(run, train=replace(run.train, batch_size=size))
            trial.set_user_attr(BATCH, size)

    def _judge(self, trial: optuna.trial.Trial, run: RunSettings) -> float | tuple[float, ...]:
        rows = self.readings[run.standardize]
        found, estimates = [], []
        for number, fold in enumerate(rows.folds):
            task = make(rows.kinds, rows.classes, balance=run.balance, focal=run.focal, variance=run.variance)
            training = Training(run, task, rows.data, rows.split(fold))
            member = self._train(trial, training, rows)
            scored = rows.data.subset(fold.score)
            made = member.estimate(scored)
            value, _ = accuracy(self.goals[0], training.task, scored, made, scales(training.task, training.train))
            estimates.append(made)
            found.append(self._values(value, training.task, member, rows, fold, made))
            if len(rows.folds) > 1 and len(self.goals) == 1:
                trial.set_user_attr(SCORES, [values[0] for values in found])
                self._report(trial, value, number, last=number == len(rows.folds) - 1)
        keep(self.estimates, trial.number, np.concatenate(estimates))
        means = tuple(float(np.mean(column)) for column in zip(*found, strict=True))
        return means if len(means) > 1 else means[0]

    def _values(
        self, first: float, task: Kind, member: Member, rows: Visible, fold: Fold, made: Array
    ) -> tuple[float, ...]:
        """Return the value of every objective, the first of which is known."""
        scored, scale = rows.data.subset(fold.score), scales(task, rows.data.subset(fold.train))
        others = (
            cost(goal, member, rows.data) if goal.name in COSTS else accuracy(goal, task, scored, made, scale)[0]
            for goal in self.goals[1:]
        )
        return (first, *others)

    def _train(self, trial: optuna.trial.Trial, training: Training, rows: Visible) -> Member:
        """Train one member; after every epoch report its score, and end it where that is hopeless or time is up.

        A trial of trees has no epochs; it counts as those of a network that is trained to its end.
        """
        network = registry.model(training.run.model).family == NETWORK
        prunes = network and len(rows.folds) == 1 and len(self.goals) == 1
        scale = scales(training.task, training.train)
        with contextlib.closing(training.epochs()) as epochs:
            for _, epoch in self.hold.through(epochs):
                self.epochs += network
                self._stop_in_time(trial)
                if prunes:
                    made = training.members[-1].estimate(training.valid)
                    value, _ = accuracy(self.goals[0], training.task, training.valid, made, scale)
                    self._report(trial, value, epoch.number, last=epoch.number == epoch.of)
                self.watch()
        self.epochs += 0 if network else training.run.train.epochs  # trees grow at once: as much as a full training
        return training.members[-1]

    def _report(self, trial: optuna.trial.Trial, value: float, step: int, *, last: bool) -> None:
        """Tell the score of a step and end a hopeless trial; one that has no step left has come to its end."""
        if step not in self.reported:  # a second run in a smaller batch has reported some before
            trial.report(value, step)
            self.reported.add(step)
        if not last and trial.should_prune():
            raise optuna.TrialPruned

    def _stop_in_time(self, trial: optuna.trial.Trial) -> None:
        if self.deadline is None and self.budget.epochs is None:
            return
        if self.budget.over(trial.study.get_trials(deepcopy=False), self.deadline, self.epochs):
            raise Stopped("the budget is spent")

    def _finished(self, trial: optuna.trial.Trial) -> bool:
        return any(t.state.is_finished() and t.state.name != "FAIL" for t in trial.study.get_trials(deepcopy=False))


def keep(folder: Path, number: int, made: Array) -> None:
    """Write a trial's estimates of the scored rows, from which an ensemble is chosen."""
    content = io.BytesIO()
    np.save(content, made, allow_pickle=False)
    with os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / f"{number}.npy") as file:
        file.write(content.getvalue())
