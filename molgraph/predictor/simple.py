"""The simplest methods that a model has to beat: a constant, and an equation of classical descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset
from molgraph.data.room import Room
from molgraph.kinds import Kind
from molgraph.predictor.domain import Domain
from molgraph.predictor.equation import Equation, fitted
from molgraph.predictor.predictor import Predictor

CONSTANT, EQUATION, LAST = "constant", "equation", "last value"
EXACTLY = "exact"  # the targets of which some training rows are bounds, and teach neither
ROWS = 5_000  # at most fit an equation of so few numbers, of each target
FEWEST = 20  # rows of numbers, or of the rarer class; with fewer the equation is noise
PENALTY = 1.0  # on the squared weights of standardised descriptors
NEVER = -50.0  # the logit of a class that no row has

Floats = NDArray[np.float64]


def fit(domain: Domain, task: Kind, now: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the simple methods as training rows teach them, plain JSON.

    `{"constant": {target: value, or shares of classes}, "equation": {target: {"centre", "scale": of each descriptor,
    "weights": [D] per number, "offset"}}, "descriptors": names, "last value": {target: {"field", "strays"}}}`; `now`
    names the fields whose last value is said again. The equation is a ridge regression (penalty 1 on
    standardised descriptors), of classes a logistic one.

    See: Hoerl & Kennard 1970, doi 10.1080/00401706.1970.10488634
    """
    measured = {name: _measured(domain, task, name) for name in task.names}
    fitted = {name: _some(rows) for name, rows in measured.items()}
    some = np.unique(np.concatenate(list(fitted.values())))
    parts = {name: (side.room, list(side.keys)) for name, side in domain.sides.items()}
    table, names = _described(parts, {name: domain.index[some, at] for at, name in enumerate(domain.sides)})
    found: dict[str, Any] = {CONSTANT: {}, EQUATION: {}, "descriptors": names, EXACTLY: []}
    for name in task.names:
        kind, values = task.of(name), domain.values[:, task.column(name)].astype(np.float64)
        known, rows = values[measured[name]], fitted[name]
        if not len(known):
            continue
        found[EXACTLY] += [name] if len(known) < (~np.isnan(values)).sum() else []
        found[CONSTANT][name] = kind.guess(known, domain.bound[measured[name], task.column(name)])
        if name in (now or {}):
            found |= {LAST: {**found.get(LAST, {}), **_last(domain, kind, (now or {})[name], values, measured[name])}}
        if table.shape[1] and kind.equation:
            made = _equation(kind, table[np.searchsorted(some, rows)], values[rows])
            found[EQUATION] |= {name: made} if made else {}
    return found


def _last(domain: Domain, kind: Kind, field: str, values: Floats, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Return what is known of who says the last value of a field again; nothing where no training row has one."""
    for at, side in enumerate(domain.sides.values()):
        if side.room.rivals.latest is not None:
            last = np.append(side.room.rivals.latest(side.prints, field), np.nan)[domain.index[rows, at]]
            there = ~np.isnan(last)
            if there.any():
                return {kind.name: {"field": field, "strays": kind.strays(last[there], values[rows][there])}}
    return {}


def _measured(domain: Domain, task: Kind, name: str) -> NDArray[np.int64]:
    """Return the rows in which a target was measured, of a number exactly."""
    at = task.column(name)
    return np.flatnonzero(task.of(name).sure(domain.values[:, at], domain.bound[:, at]))


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return rows from end to end, as many as fit an equation."""
    return rows[np.unique(np.linspace(0, max(len(rows) - 1, 0), min(ROWS, len(rows))).astype(np.int64))]


def _equation(kind: Kind, table: Floats, values: Floats) -> dict[str, Any] | None:
    """Fit one target; None where there are too few rows, or rows of a class."""
    known, sizes = np.unique(values, return_counts=True)
    if len(values) < FEWEST or len(known) < 2 or (kind.answers and min(sizes) < FEWEST // 2):
        return None
    (made,) = fitted(table, values, [PENALTY], classes=bool(kind.answers))
    weights, offset = made.weights, made.offset
    if kind.class_names:
        weights, offset = _of_all_classes(made.of_each_class(values), kind.answers)
    numbers = {"centre": made.centre, "scale": made.scale, "weights": weights, "offset": offset}
    return {key: each.tolist() for key, each in numbers.items()}


def _of_all_classes(made: Equation, classes: int) -> tuple[Floats, Floats]:
    """Return logits of every class; those that no row has are never said."""
    wide, high = np.zeros((classes, made.weights.shape[1])), np.full(classes, NEVER)
    wide[made.classes], high[made.classes] = made.weights, made.offset
    return wide, high


@dataclass(frozen=True)
class Simple:
    """Hold what a simple method says of rows, [N, columns of a task], NaN of a target it does not know, and how it is
    called for each target that it knows."""

    estimates: Floats
    called: dict[str, str]


def beside(predictors: Sequence[Predictor], task: Kind, data: Dataset) -> dict[str, Simple]:
    """Return the simple methods of the first of several predictors that has each target, in the columns of a task."""
    made: dict[str, Simple] = {}
    for predictor in predictors:
        found = predictor.recipe.simple
        if not found and predictor.domain is not None:  # an earlier version did not keep it
            found = fit(predictor.domain, predictor.task)
        rooms = {slot.name: slot.room for slot in predictor.inputs.slots}
        with predictor.blamed():
            told = simple_estimates(found, predictor.task, rooms, data)
        for name, estimates in told.items():
            here = made.setdefault(name, Simple(np.full((len(data), len(task.columns)), np.nan), {}))
            for target in found[name]:
                if target not in here.called:
                    here.estimates[:, task.block(target)] = estimates[:, predictor.task.block(target)]
                    with predictor.blamed():
                        here.called[target] = called(name, found, predictor.task.of(target))
    return made


def simple_estimates(
    found: Mapping[str, Any], task: Kind, rooms: Mapping[str, Room], data: Dataset
) -> dict[str, Floats]:
    """Return what the simple methods say of rows, [N, columns of the task] each, NaN of a target they do not know."""
    out: dict[str, Floats] = {}
    if found.get(CONSTANT):
        out[CONSTANT] = np.full((len(data), len(task.columns)), np.nan)
    for name, value in found.get(CONSTANT, {}).items():
        out[CONSTANT][:, task.block(name)] = value
    for name, each in found.get(LAST, {}).items():
        out.setdefault(LAST, np.full((len(data), len(task.columns)), np.nan))[:, task.block(name)] = _from_last(
            each, task.of(name), rooms, data, out[CONSTANT][:, task.block(name)]
        )
    if found.get(EQUATION):
        given = {name: (room, list(data.inputs[name].keys)) for name, room in rooms.items()}
        table, names = _described(given, {name: data.inputs[name].index.numpy() for name in rooms})
        if names == found["descriptors"]:  # a later version may know others
            out[EQUATION] = np.full((len(data), len(task.columns)), np.nan)
            for name, each in found[EQUATION].items():
                out[EQUATION][:, task.block(name)] = task.of(name).linked(_read(each).raw(table))
    return out


def _from_last(
    each: Mapping[str, Any], kind: Kind, rooms: Mapping[str, Room], data: Dataset, constant: Floats
) -> Floats:
    """Return what the last value says of rows; where there is none, the constant."""
    out = constant.copy()
    for name, room in rooms.items():
        given = data.inputs[name]
        if room.rivals.latest is not None:
            last = np.append(room.rivals.latest(given.parts, str(each["field"])), np.nan)[given.index.numpy()]
            there = ~np.isnan(last)
            out[there] = kind.from_last(last[there], [float(stray) for stray in each["strays"]])
    return out


def _read(each: Mapping[str, Any]) -> Equation:
    names = ("centre", "scale", "weights", "offset")
    centre, scale, weights, offset = (np.array(each[name], dtype=np.float64) for name in names)
    return Equation(centre, scale, weights, offset)


def _described(parts: Mapping[str, tuple[Room, list[str]]], index: Mapping[str, Any]) -> tuple[Floats, list[str]]:
    """Return the descriptors of rows, of all inputs side by side, and their names; NaN where a part is absent."""
    blocks, names = [np.zeros((len(next(iter(index.values()))), 0))], []
    for name, (room, keys) in parts.items():
        if room.rivals.descriptors is None:
            continue
        blocks.append(room.rivals.descriptors.of_rows(keys, index[name]))
        names += [n if len(parts) == 1 else f"{n} of {name}" for n in room.rivals.descriptors.names]
    return np.concatenate(blocks, axis=1), names


def called(name: str, found: Mapping[str, Any], kind: Kind) -> str:
    """Return how a person calls a simple method of one target."""
    if name == EQUATION:
        return f"equation of {', '.join(found['descriptors'])}"
    if name == LAST:
        return f"last value of {found[LAST][kind.name]['field']}"
    rows = "exact training rows" if kind.name in found.get(EXACTLY, ()) else "training rows"
    return f"simplest guess (always saying {kind.guess_in_words(found[CONSTANT][kind.name], rows)})"
