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
from molgraph.predictor.columns import deviation, target_columns
from molgraph.predictor.inputs import INPUT, Inputs, with_prints
from molgraph.predictor.neighbours import neighbours
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.scored import Scorer
from molgraph.task import block, labels, spreads

LEAST = 1e-12  # weight of a model whose interval has no width
Array = NDArray[np.float32]


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

    @property
    def predictors(self) -> list[Predictor]:
        return self._predictors

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
        found = [p.estimate(things) for p in self.predictors]
        columns: dict[str, Any] = {}
        for name in self.targets:
            mine = [(p, e, s) for p, (e, s) in zip(self.predictors, found, strict=True) if name in p.targets]
            columns |= _columns(name, mine)
        near = neighbours(self.predictors, things)
        return pd.DataFrame(columns if near is None else columns | near.columns())

    def _check(self, name: str) -> None:
        mine = [p for p in self.predictors if name in p.targets]
        kinds = {p.task.kind(name) for p in mine}
        units = {p.recipe.units.get(name, "") for p in mine}
        classes = {labels(p.task, name) for p in mine} if kinds == {"multiclass"} else {()}
        if len({spreads(p.task, name) for p in mine}) > 1:
            raise ConfigError(f"one model predicts how far off '{name}' may be and another does not: score them apart.")
        if len(kinds) > 1 or len(units) > 1 or len(classes) > 1:
            raise ConfigError(
                f"the models mean different things by '{name}': {kinds}, units {units}; score them apart."
            )


def _columns(name: str, mine: Sequence[tuple[Predictor, Array, Array]]) -> dict[str, Any]:
    """Return the columns of a target that these predictors share, by what each estimates and its members' spread."""
    first, where = mine[0][0].task, [block(p.task, name) for p, _, _ in mine]
    if len(mine) == 1:
        return target_columns(first, name, mine[0][1][:, where[0]], mine[0][2][:, where[0]], mine[0][0].intervals[name])
    interval = merge([p.intervals[name] for p, _, _ in mine])
    estimates = np.stack([e[:, at] for at, (_, e, _) in zip(where, mine, strict=True)])
    unit = None
    if spreads(first, name):
        each = [deviation(p.task, name, e[:, at], s[:, at]) for at, (p, e, s) in zip(where, mine, strict=True)]
        estimates[:, :, 1] = np.stack([d for d in each if d is not None])  # as each was calibrated
        weights = [p.intervals[name].limits[0] or LEAST for p, _, _ in mine] if interval.limits else None
        unit = np.average(estimates[:, :, 1], axis=0, weights=weights)  # so that half-widths are averaged
    spread = estimates.std(axis=0, ddof=1)
    return target_columns(first, name, estimates.mean(axis=0), spread, interval, unit)


def _named(rooms: Mapping[str, str]) -> str:
    return ", ".join(room if name == INPUT else f"{name} ({room})" for name, room in rooms.items())
