"""Several predictors used as one: a target they share is averaged, targets of their own stand side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.calibrate import merge
from molgraph.data.dataset import Dataset
from molgraph.errors import ConfigError
from molgraph.kinds import Joint
from molgraph.predictor.inputs import INPUT, Inputs
from molgraph.predictor.known import Known, union
from molgraph.predictor.neighbours import neighbours
from molgraph.predictor.parts import with_prints
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.scored import Scorer
from molgraph.predictor.threshold import UNKNOWN, Threshold

APART = Threshold(None, "", 0, "each model has one of its own")
LEAST = 1e-12  # weight of a model whose interval has no width
Array = NDArray[np.float64]


class Panel(Scorer):
    """Score with several predictors.

    The interval of a shared target averages theirs (an approximation, see `calibrate.merge`); the nearest neighbour
    is the nearest over all training sets; a row is in the domain where it is in the domain of all.

    Raises: ConfigError where they read different kinds of data, prepare them differently, or mean different things
    by a target of the same name.
    """

    def __init__(self, predictors: Sequence[Predictor]) -> None:
        first = predictors[0]
        for other in predictors[1:]:
            mine, theirs = ({s.name: s.room.name for s in p.inputs.slots} for p in (first, other))
            if mine != theirs:
                raise ConfigError(f"the models read different data: {_named(mine)} and {_named(theirs)}.")
            if other.inputs.standardize != first.inputs.standardize:
                things = first.room.noun.many
                both = first.inputs.standardize and other.inputs.standardize
                how = "by other rules than another" if both else "and another does not"
                raise ConfigError(f"one model standardises its {things} {how}; score them apart, or train again.")
        self._predictors = list(predictors)
        needs = with_prints(*(p.recipe.run for p in predictors))
        lacked = frozenset.intersection(*(frozenset(p.inputs.lacked or ()) for p in predictors))
        self.inputs = Inputs(first.inputs.slots, needs, first.inputs.standardize, lacked=lacked)
        self.targets = tuple(dict.fromkeys(name for p in predictors for name in p.targets))
        self.digest = hashlib.sha256("".join(p.digest for p in predictors).encode()).hexdigest()
        for name in self.targets:
            self._check(name)
        parts = [part for p in predictors for part in p.task.parts]
        self.task = Joint(self.targets, tuple(parts))  # a shared target is that of the first model which has it
        having = {name: [p for p in predictors if name in p.targets] for name in self.targets}
        self.intervals = {name: mine[0].intervals[name] for name, mine in having.items()}
        self.intervals |= {n: merge([p.intervals[n] for p in mine]) for n, mine in having.items() if len(mine) > 1}
        known = {name: [p.chances[name] for p in mine if name in p.chances] for name, mine in having.items()}
        self.chances = {name: self.task.of(name).joined(chances) for name, chances in known.items() if chances}
        self.thresholds = {name: mine[0].thresholds.get(name, UNKNOWN) for name, mine in having.items()}
        self.thresholds |= {name: APART for name, mine in having.items() if len(mine) > 1}

    @property
    def predictors(self) -> list[Predictor]:
        return self._predictors

    @property
    def known(self) -> Known:
        return union([p.known for p in self.predictors])

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column for p in self.predictors for column in p.numbers))

    @property
    def facts(self) -> dict[str, Any]:
        return {"model": " + ".join(p.recipe.run.model for p in self.predictors)} | {
            "members": [p.facts for p in self.predictors]
        }

    def columns_of(self, things: Dataset) -> pd.DataFrame:
        """Return the prediction columns of distinct things, one row each."""
        columns: dict[str, Any] = {}
        for name, (estimates, spread, unit) in self._said(things).items():
            columns |= self.task.of(name).said(estimates, spread, self.intervals[name], unit)
        near = neighbours(self.predictors, things)
        return pd.DataFrame(columns if near is None else columns | near.columns())

    def estimate(self, data: Dataset) -> tuple[Array, Array]:
        """Return the models' mean estimate and their standard deviation, both [N, columns of the task]."""
        estimates, spread = (np.full((len(data), len(self.task.columns)), np.nan) for _ in range(2))
        for name, (mine, mean_off, _) in self._said(data).items():
            where = self.task.block(name)
            estimates[:, where], spread[:, where] = mine, mean_off
        return estimates, spread

    def alone(self, predictor: Predictor, data: Dataset) -> Array:
        """Return what one of the predictors estimates, [N, columns of the task], NaN where it has not the target."""
        estimates, _ = predictor.estimate(data)
        found = np.full((len(data), len(self.task.columns)), np.nan)
        for name in predictor.targets:
            found[:, self.task.block(name)] = estimates[:, predictor.task.block(name)]
        return found

    def unit(self, name: str, data: Dataset, estimates: Array, spread: Array) -> Array | None:
        """Return what the intervals of a target are counted in, [N]; None where they are as wide everywhere."""
        return self._said(data, [name])[name][2] if self.task.of(name).spreads else None

    def _said(self, data: Dataset, names: Sequence[str] = ()) -> dict[str, tuple[Array, Array, Array | None]]:
        """Return of each target what is estimated, how far the models are apart, and what intervals are counted in."""
        found = [p.estimate(data) for p in self.predictors]
        said = [(p, *of) for p, of in zip(self.predictors, found, strict=True)]
        return {n: _averaged(n, [each for each in said if n in each[0].targets]) for n in names or self.targets}

    def _check(self, name: str) -> None:
        mine = [p for p in self.predictors if name in p.targets]
        each = [p.task.of(name) for p in mine]
        kinds = {kind.answer for kind in each}
        units = {p.recipe.units.get(name, "") for p in mine}
        classes = {kind.class_names for kind in each}
        if len({kind.on_logarithm for kind in each}) > 1:
            raise ConfigError(f"one model learnt '{name}' on its logarithm and another did not: score them apart.")
        if len({kind.spreads for kind in each}) > 1:
            raise ConfigError(f"one model predicts how far off '{name}' may be and another does not: score them apart.")
        if len(kinds) > 1 or len(units) > 1 or len(classes) > 1:
            what = sorted(kinds) if len(kinds) > 1 else [unit or "no unit" for unit in sorted(units)]
            if len(classes) > 1:
                what = ["|".join(each) for each in sorted(classes)]
            raise ConfigError(f"the models mean different things by '{name}' ({' and '.join(what)}): score them apart.")


def _averaged(name: str, mine: Sequence[tuple[Predictor, Array, Array]]) -> tuple[Array, Array, Array | None]:
    """Return the mean estimate of predictors that share a target, their deviation and the unit of its interval."""
    kinds, where = [p.task.of(name) for p, _, _ in mine], [p.task.block(name) for p, _, _ in mine]
    estimates = np.stack([e[:, at] for at, (_, e, _) in zip(where, mine, strict=True)])
    each = [k.deviation(e[:, at], s[:, at]) for k, at, (_, e, s) in zip(kinds, where, mine, strict=True)]
    if len(mine) == 1:
        return estimates[0], mine[0][2][:, where[0]], each[0]
    unit = None
    if kinds[0].spreads:
        estimates[:, :, 1] = np.stack([d for d in each if d is not None])  # as each was calibrated
        limits = [p.intervals[name].limits for p, _, _ in mine]
        weights = [limit[0] or LEAST for limit in limits] if all(limits) else None
        unit = np.average(estimates[:, :, 1], axis=0, weights=weights)  # so that half-widths are averaged
    return estimates.mean(axis=0), estimates.std(axis=0, ddof=1), unit


def _named(rooms: Mapping[str, str]) -> str:
    return ", ".join(room if name == INPUT else f"{name} ({room})" for name, room in rooms.items())
