"""What members that learn a table of numbers have in common: trees and linear models, one for each target."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT
from molgraph.errors import CheckpointError, ConfigError, DataError
from molgraph.fit import Epoch
from molgraph.fit.state import State
from molgraph.kinds import Kind
from molgraph.predictor import censored
from molgraph.predictor.censored import Labelled

Array = NDArray[np.float64]


class Fit(NamedTuple):
    """Hold what was learnt of one target, in standard deviations, its losses, and which of what was tried is kept."""

    model: Any
    train_loss: float
    valid_loss: float | None
    best: int
    rate: float = 0.0


class Tabular:
    """Hold one model per target; `ready` once every target has one.

    A subclass says how one target is learnt (`learn`). Rows known only as a bound count as the value that is to be
    expected behind it (`censored`); `behind` says of a target how far from its estimate, where validation rows of an
    earlier training have told (`errors`).
    """

    called: ClassVar[str]
    file: ClassVar[str]  # what its files are called
    several: ClassVar[str]  # what a person calls the models
    kind: ClassVar[Any]  # what reads a file

    def __init__(self, seen: Any, run: RunSettings, task: Kind, train: Dataset | None) -> None:
        self.task, self.seen = task, seen
        self.found: dict[str, Any] = {}
        self.behind: dict[str, float] = {}

    def learn(
        self,
        kind: Kind,
        run: RunSettings,
        seed: int,
        length: int | None,
        rows: Labelled,
        held: Labelled,
        far: float | None,
    ) -> Fit:
        """Learn one target from training and validation rows, as `length` says where that is known; `far` is how far
        values lie from estimates, in standard deviations, where that is known."""
        raise NotImplementedError

    def train(
        self,
        train: Dataset,
        valid: Dataset,
        run: RunSettings,
        *,
        seed: int,
        state: State | None = None,
        lengths: Sequence[int] = (),
    ) -> Iterator[Epoch]:
        """Learn one target after the other, each as `lengths` says; yield after each."""
        inputs = {"train": self.seen.features_of(train.inputs), "valid": self.seen.features_of(valid.inputs)}
        for number, name in enumerate(self.task.names, 1):
            kind, began = self.task.of(name), time.perf_counter()
            rows = self._labelled(train, inputs["train"], name)
            held = self._labelled(valid, inputs["valid"], name)
            known = np.unique(rows.exact().values)
            if len(known) < 2:
                raise DataError(
                    f"target '{name}': {self.called} begin with exact values, and the {len(rows.exact())} training "
                    "rows that have one do not differ. Use a network, which learns from bounds alone too."
                )
            if kind.answers:  # a class without a training row has no probability to judge
                held = held.those(np.isin(held.values, known))
            far = self.behind[name] / kind.scale[1] if name in self.behind else None
            made = self.learn(kind, run, seed, lengths[number - 1] if lengths else None, rows, held, far)
            self.found[name] = (
                made.model if kind.answers else made.model.in_units(*kind.units_of_trees(made.model.outputs))
            )
            yield Epoch(
                number,
                len(self.task.names),
                made.train_loss,
                made.valid_loss,
                made.rate,
                time.perf_counter() - began,
                len(rows),
                0,
                _no_state,
                made.best,
            )

    def errors(self, valid: Dataset) -> dict[str, float]:
        """Return how far these models are off on validation rows of what has two exact ones and no classes, as they
        count."""
        features, found = self.seen.features_of(valid.inputs), {}
        for name in self.task.names:
            kind = self.task.of(name)
            rows = self._labelled(valid, features, name)
            if not kind.answers and len(rows.exact()) > 1:
                mean, std = kind.scale
                found[name] = std * self.off((self.found[name].raw(rows.features)[:, 0] - mean) / std, rows)
        return found

    def off(self, estimates: Array, rows: Labelled) -> float:
        """Return how far estimates are off, in standard deviations: their error on exact rows."""
        sure = rows.bound == EXACT
        return censored.error(estimates[sure], rows.values[sure])

    def _labelled(self, data: Dataset, features: NDArray[np.float32], name: str) -> Labelled:
        """Return the measured rows of a target, as it is learnt."""
        kind = self.task.of(name)
        values, observed, bound = kind.measured(data.targets)
        weight = data.targets.column(kind.reads(name)[0]).weight[:, 0].numpy()
        return Labelled(features, kind.for_trees(values), bound, weight).those(observed)

    def embed(self, data: Dataset) -> NDArray[np.float32]:
        """Refuse: they make no vectors.

        Raises: ConfigError
        """
        raise ConfigError(
            f"{self.called} make no vectors of what they read; embed with a network, as molecule/dmpnn is."
        )

    def estimate(self, data: Dataset) -> Array:
        """Return estimates float64 [N, len(task.columns)]."""
        features = self.seen.features_of(data.inputs)
        out = np.zeros((len(data), len(self.task.columns)))
        if not len(data):
            return out
        for name, model in self.found.items():
            out[:, self.task.block(name)] = self.task.of(name).of_trees(model.raw(features), model.classes)
        return out

    def save(self, folder: Path, number: int) -> None:
        """Write a file for each target, targets counted from 0.

        Raises: ResourceError where the disk is full or closed to the user.
        """
        for at, name in enumerate(self.task.names):
            self.found[name].save(self._path(folder, number, at))

    def fits(self, folder: Path, number: int) -> None:
        """Leave it to `load`: no size stands in a recipe."""

    def load(self, folder: Path, number: int) -> None:
        """Read the models back.

        Raises: CheckpointError where a file is missing, damaged or not of this target.
        """
        for at, name in enumerate(self.task.names):
            path, model = self.read(folder, number, at)
            if not self.task.of(name).fits_trees(model.outputs, model.classes):
                raise CheckpointError(f"{path}: these are not the {self.several} of '{name}'. Train again.")
            self.found[name] = model

    def read(self, folder: Path, number: int, at: int) -> tuple[Path, Any]:
        """Return the file of one target and what it holds."""
        path = self._path(folder, number, at)
        return path, self.kind.load(path)

    def _path(self, folder: Path, number: int, at: int) -> Path:
        return folder / f"{self.file}-{number}-{at}.safetensors"

    @property
    def ready(self) -> bool:
        return len(self.found) == len(self.task.names)


def _no_state() -> State:
    return State(0, 0, 0.0, {}, {}, {}, {})
