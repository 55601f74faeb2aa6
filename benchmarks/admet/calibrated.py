"""Calibrate the model that ships on rows its weights have not seen, and measure that on rows that did not calibrate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph import split as splits
from molgraph.calibrate import Chance, Interval, Platt, Sets
from molgraph.data.dataset import Dataset
from molgraph.kinds import Kind
from molgraph.metrics.coverage import SetCoverage, coverage, set_coverage
from molgraph.metrics.reliability import of_classes, of_numbers, place
from molgraph.predictor import Predictor

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def calibrate(predictor: Predictor, held: Dataset) -> None:
    """Learn from rows that no weight has seen how far off estimates are: intervals, sets and chances.

    The probabilities and the thresholds stay what the validation rows of the training made of them.
    """
    estimates, _ = predictor.estimate(held)
    for name in predictor.targets:
        kind, mine, truth = known(predictor, name, held, estimates)
        predictor.intervals[name] = (Sets if kind.answers else Interval).fit(kind.answer, mine, truth)
        predictor.chances[name] = (Platt if kind.answers else Chance).fit(kind.answer, mine, truth)
    predictor.recipe.intervals = {name: each.to_json() for name, each in predictor.intervals.items()}
    predictor.recipe.chances = {name: each.to_json() for name, each in predictor.chances.items()}


def known(
    predictor: Predictor, name: str, data: Dataset, estimates: NDArray[np.float32]
) -> tuple[Kind, Floats, Floats]:
    """Return the kind of a target, and the estimates and values of the rows in which it was measured."""
    truth, observed, _ = data.targets.arrays(name)
    mine = estimates[:, predictor.task.block(name).start]
    return predictor.task.of(name), mine[observed].astype(np.float64), truth[observed].astype(np.float64)


def halves(predictor: Predictor, data: Dataset) -> NDArray[np.bool_]:
    """Deal whole scaffolds into two halves; tell which rows are in the first."""
    (given,), room = data.inputs.values(), predictor.room
    groups = room.likeness.groupers[room.likeness.default_group]([given.key_of(at) for at in range(len(data))])
    cut = splits.split(len(data), method="group_random", groups=groups, fractions=(0.5, 0.0, 0.5), seed=0)
    first = np.zeros(len(data), dtype=bool)
    first[cut.train] = True
    return first


def crossed(predictor: Predictor, held: Dataset, official: Dataset) -> dict[str, Any]:
    """Return coverage and reliability on the official test rows, each half of which is calibrated by the other half
    and the rows that are held out beside them; what ships is calibrated by all of them.

    See: cross-conformal prediction, Vovk 2015, doi 10.1007/s10472-013-9368-4
    """
    first, mine, theirs = halves(predictor, official), predictor.estimate(official)[0], predictor.estimate(held)[0]
    spread = predictor.estimate(official)[1]
    found: dict[str, Any] = {"coverage": {}, "reliability": {}}
    for name in predictor.targets:
        observed = official.targets.arrays(name)[1]
        kind, given, truth = known(predictor, name, official, mine)
        _, beside, measured = known(predictor, name, held, theirs)
        half = first[observed]
        pools = [(np.r_[given[~own], beside], np.r_[truth[~own], measured], own) for own in (half, ~half)]
        among = spread[observed, predictor.task.block(name).start]
        of_kind = _classes if kind.answers else _numbers
        found["coverage"][name], found["reliability"][name] = of_kind(kind.answer, given, truth, pools, among)
    return found


def _classes(kind: str, given: Floats, truth: Floats, pools: Any, among: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    whole = Sets.fit(kind, *(np.concatenate([pools[0][at], pools[1][at]]) for at in (0, 1)))
    lower = None if whole.lower is None else _sets(kind, given, truth, pools, whole.lower.level)[0]
    covered, width = _sets(kind, given, truth, pools, whole.level, lower)
    return covered.to_json(), of_classes(given, truth, width).to_json()


def _sets(
    kind: str, given: Floats, truth: Floats, pools: Any, level: float, lower: SetCoverage | None = None
) -> tuple[SetCoverage, Floats]:
    inside, counts = np.zeros((len(given), 2), dtype=bool), [0, 0]
    for estimates, measured, own in pools:
        fitted = Sets.fit(kind, estimates, measured, level=level)
        inside[own] = fitted.sets(given[own]) if fitted.limits else True
        counts = [min(filter(None, pair)) for pair in zip(counts, fitted.counts, strict=True)]
    covered = set_coverage(inside, truth, level=level, counts=counts, lower=lower)
    return covered, inside.sum(axis=1).astype(np.float64)


def _numbers(kind: str, given: Floats, truth: Floats, pools: Any, among: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    low, high, places = (np.full(len(given), np.nan) for _ in range(3))
    for estimates, measured, own in pools:
        low[own], high[own] = Interval.fit(kind, estimates, measured).apply(given[own])
        places[own] = place(given[own], truth[own], Chance.fit(kind, estimates, measured).values)
    known_spread = None if np.isnan(among).any() else among
    reliable = of_numbers(given, truth, high - low, known_spread, places)
    return coverage(low, high, truth).to_json(), reliable.to_json()
