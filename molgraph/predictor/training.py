"""From rows and a split to a finished predictor: members one after the other, then calibration and domain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.errors import ConfigError
from molgraph.fit import Epoch, parameters, processes
from molgraph.fit.sampler import mix
from molgraph.kinds import Kind
from molgraph.predictor import checkpoint
from molgraph.predictor import member as members_of
from molgraph.predictor.card import layers
from molgraph.predictor.curves import latest
from molgraph.predictor.domain import Domain
from molgraph.predictor.duplicates import dependent, merged
from molgraph.predictor.inputs import slots
from molgraph.predictor.member import Member
from molgraph.predictor.network import Network
from molgraph.predictor.parts import folds, lacked, parts
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.recipe import Recipe, versions
from molgraph.predictor.simple import fit as simple
from molgraph.predictor.stacking import Stack, averaged
from molgraph.predictor.threshold import Threshold
from molgraph.predictor.unseen import weigh
from molgraph.predictor.weighing import taught
from molgraph.split import Split

CALIBRATED = ("tempered", "intervals", "chances", "thresholds", "weights")  # what rows that chose nothing teach


def member_seed(seed: int, number: int) -> int:
    """Return the seed of a member: the run's own for the first, and for the others none that another run's has."""
    return seed if number == 0 else mix(seed, number) >> 32  # the trees take 31 bits


def digest(run: RunSettings, data: Dataset, *folds: NDArray[np.int64]) -> str:
    """Return the sha256 of settings, wherever the data lies, and of rows with their folds."""
    said = {name: value for name, value in asdict(run).items() if name != "metrics"}  # those are only shown
    found = hashlib.sha256(json.dumps({**said, "data": ""}).encode())
    for rows in folds:
        found.update(rows.tobytes())
    weights = [data.targets.weight] if bool((data.targets.weight != 1).any()) else []
    for tensor in (data.targets.values, data.targets.bound, *weights):
        found.update(tensor.numpy().tobytes())
    for given in data.inputs.values():
        found.update("\n".join(given.key_of(i) for i in range(len(data))).encode())
    return found.hexdigest()


@dataclass
class Training:
    """Train the members of a predictor, resumably where `folder` is given.

    `task` is not yet adapted; `split` holds row numbers of `data`. `start` is a predictor to start from, and `anew`
    then names the weights of the first member that did not fit; `lengths` says of each member how long to train it (see
    `Member.train`), else its validation rows do; and `behind` of each how far values lie behind bounds (see `Trees`).
    """

    run: RunSettings
    task: Kind
    data: Dataset
    split: Split
    folder: Path | None = None
    start: Predictor | None = None
    lengths: Sequence[Sequence[int]] = ()
    behind: Sequence[Mapping[str, float]] = ()
    members: list[Member] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    anew: list[str] = field(default_factory=list)
    stacks: dict[str, Stack] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parts = parts(self.run)
        self.count = len(self.parts) * self.run.ensemble
        rule = self.run.duplicates
        folds = (self.split.train, self.split.valid)
        self.train, self.valid = (taught(self.data, rows, self.task.of_column, rule) for rows in folds)
        self.task = self.task.adapt(self.train.targets)
        for name in self.task.names if len(self.parts) > 1 else ():
            if not self.task.of(name).complete:
                raise ConfigError(
                    f"target '{name}': trees and linear models answer only the first of what may happen, so they "
                    f"cannot stand in a consensus; train {self.parts[-1].model} alone."
                )
        self.schemas = {name: given.parts.schema for name, given in self.data.inputs.items()}

    def fold(self, rows: NDArray[np.int64]) -> Dataset:
        """Return rows that calibrate, merged where several are the same thing."""
        return merged(self.data.subset(rows), self.task.of_column, self.run.duplicates)

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of all that decides the result: settings and rows."""
        init = self.start.digest if self.start else ""
        return digest(replace(self.run, init=init), self.data, self.split.train, self.split.valid)

    def epochs(self) -> Generator[tuple[int, Epoch]]:
        """Train all members; yield (member, epoch) after each epoch, from the last checkpoint on."""
        fresh: tuple[int, None, checkpoint.History] = (0, None, [])
        first, state, self.history = checkpoint.resume(self.folder, self.digest) if self.folder is not None else fresh
        for number in range(self.count):
            part = self.parts[number % len(self.parts)]
            member = self._make(number)
            self.members.append(member)
            if number < first and self.folder is not None:
                member.load(self.folder, number)
                continue
            seed, since = self._seed(number), state if number == first else None
            lengths = self.lengths[number] if self.lengths else ()
            for epoch in member.train(self.train, self.valid, part, seed=seed, state=since, lengths=lengths):
                checkpoint.note(self.history, number, epoch)
                if self.folder is not None:
                    checkpoint.keep(self.folder, self.digest, number, epoch, self.history)
                yield number, epoch
            if self.folder is not None and processes.rank() == 0:
                member.save(self.folder, number)
        if folds(self.run) and not self.lengths:
            self.stacks = yield from weigh(self)

    def _seed(self, number: int) -> int:
        """Return the seed of a member; the parts of one consensus have the same, as each would have alone."""
        return member_seed(self.run.seed, number // len(self.parts))

    @property
    def weights(self) -> dict[str, list[float]]:
        """Return what each member weighs, of each target for which that is known."""
        found = self.stacks.items() if len(self.members) == self.count else ()
        return {name: [each / self.run.ensemble for each in stack.weights] * self.run.ensemble for name, stack in found}

    def estimate(self, data: Dataset) -> NDArray[np.float64]:
        """Return what the members estimate together, [N, columns of the task]."""
        return averaged(np.stack([member.estimate(data) for member in self.members]), self.task, self.weights)[0]

    def again(self, folder: Path | None = None) -> Training:
        """Return the training of the same members on every row, each as long as it was best in this one.

        Learning rates stay those of the training that was planned, epoch by epoch: at the epoch it ends with, the rate
        is the one at which this one was best. Passes are kept, not steps; rows are more, and so are steps.

        See: both ways in Goodfellow 2016, Deep Learning, section 7.8 (algorithm 7.2), https://www.deeplearningbook.org
        """
        lines = [[line["best"] for line in self.history if line["member"] == m] for m in range(len(self.members))]
        none = np.zeros(0, dtype=np.int64)
        every = Split(np.arange(len(self.data)), none, none, none)
        behind = [member.errors(self.valid) if hasattr(member, "errors") else {} for member in self.members]
        return Training(self.run, self.task, self.data, every, folder, self.start, lines, behind)

    def finish(self, calibrated: Predictor | None = None) -> Predictor:
        """Return the predictor of the members trained so far, calibrated on rows that chose nothing; where every row
        trained, as the one `calibrated` was."""
        members = [member for member in self.members if member.ready]
        domain = Domain.learn({slot.name: slot.room for slot in slots(self.run)}, self.train)
        known: dict[str, Any] = {"lacked": lacked(self.run, domain.index), "versions": versions()}
        if calibrated is not None:
            known |= {name: getattr(calibrated.recipe, name) for name in CALIBRATED}
        recipe = Recipe(self.run, self.task.state(), self.schemas, {}, len(members), **known)
        recipe.simple = simple(domain, self.task, latest(self.run))
        if calibrated is None and len(members) == self.count:
            recipe.weights = self.weights
        made = Predictor(recipe, members, domain)
        if self.start is not None:
            made.start_from(self.start, self.anew)
        if calibrated is not None:
            return made
        self._calibrate(made, self.fold(self.split.calibration))
        recipe.tempered = {name: each.to_json() for name, each in made.tempered.items()}
        recipe.intervals = {name: interval.to_json() for name, interval in made.intervals.items()}
        recipe.chances = {name: chance.to_json() for name, chance in made.chances.items()}
        made.thresholds = self._thresholds(made)
        recipe.thresholds = {name: each.to_json() for name, each in made.thresholds.items()}
        return made

    def _thresholds(self, made: Predictor) -> dict[str, Threshold]:
        """Choose on the whole validation fold, both halves, from which probability on a row is called positive."""
        names = [name for name in self.task.names if self.task.of(name).decides]
        if not names:
            return {}
        held = self.fold(np.concatenate([self.split.valid, self.split.calibration]))
        estimates, _ = made.estimate(held)
        found = {}
        for name in names:
            kind = self.task.of(name)
            truth, observed, _ = kind.measured(held.targets)
            mine = kind.shaped(estimates[:, self.task.block(name)])
            found[name] = Threshold.fit(mine, truth, observed, self.run.specificity)
        return found

    def _calibrate(self, made: Predictor, held: Dataset) -> None:
        """Learn from rows that chose nothing how far off estimates are."""
        estimates, spread = made.estimate(held)
        for name in self.task.names if self.run.calibrate else ():
            tempered = self.task.of(name).tempered(estimates[:, self.task.block(name)], held.targets)
            if tempered is not None:
                made.tempered[name] = tempered
        estimates = made.temper(estimates)
        whose = dependent(held) if any(given.whose is not None for given in held.inputs.values()) else None
        for name in self.task.names:
            where = self.task.block(name)
            kind = self.task.of(name)
            interval, chance = kind.calibrated(estimates[:, where], spread[:, where], held.targets, whose)
            made.intervals[name] = interval
            if chance is not None:
                made.chances[name] = chance

    def _make(self, number: int) -> Member:
        part = self.parts[number % len(self.parts)]
        member = members_of.make(part, self.schemas, self.task, self._seed(number), self.train)
        if self.behind and hasattr(member, "behind"):
            member.behind = dict(self.behind[number])
        if self.start is not None:
            theirs = self.start.members[number % len(self.start.members)]
            if len(self.parts) > 1 or not hasattr(member, "start_from") or not hasattr(theirs, "start_from"):
                raise ConfigError(f"--init: '{self.run.model}' cannot start from the weights of another model.")
            anew = member.start_from(theirs)
            stuck = parameters.held(member.model, self.run.train.freeze) if isinstance(member, Network) else []
            if not set(stuck).isdisjoint(anew):
                parts = ", ".join(layers([name for name in stuck if name in anew]))
                raise ConfigError(f"train.freeze: of the start's weights those of {parts} do not fit; freeze others.")
            self.anew = anew if number == 0 else self.anew
        return member
