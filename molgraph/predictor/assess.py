"""How good a predictor is on rows it has never seen, beside the simple method it had to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.calibrate import BINARY, CLASSES, NUMBERS, Interval
from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT
from molgraph.metrics import compare, main, score, shown
from molgraph.metrics.comparison import FEWEST
from molgraph.metrics.coverage import YES_NO, Coverage, SetCoverage, coverage, set_coverage
from molgraph.metrics.levels import levels
from molgraph.metrics.reliability import Reliability, from_enough, of_classes, of_numbers, place
from molgraph.predictor.decided import decided, together
from molgraph.predictor.domain import Domain
from molgraph.predictor.duplicates import repeats
from molgraph.predictor.neighbours import neighbours
from molgraph.predictor.panel import Panel
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.threshold import UNKNOWN
from molgraph.split import IDENTITY
from molgraph.task import Task, block, labels

Array = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]
NEIGHBOUR = "nearest neighbour"


def assess(
    predictor: Predictor | Panel,
    data: Dataset,
    others: dict[str, Array],
    *,
    name_of: str = "model",
    called: str = "comparator",
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Score a predictor on held-out rows, and every other method's estimates of the same rows.

    In verdicts it is called `name_of` and each other `called`, with its name.

    Returns `{"model": {target: {metric: score}}, "others": {name: the same}, "verdicts": {target: {name: comparison}},
    "coverage": {target: share of exact rows inside the 90 % interval, or set of classes (`metrics.coverage`)},
    "reliability": {target: calibration, width, how spread ranks errors (`metrics.reliability`)},
    "decisions": {target of two classes: what a threshold brings (`decided`)},
    "levels": {target: {group: {metric: rows beside groups (`metrics.levels`)}}} where rows belong together, "rows": n,
    "repeats": how many of them are the same thing as an earlier one (each is scored by its own value, and intervals
    draw all rows of a thing together), "main": {target: the metric that stands for it}, "shown": {target: those a
    person sees first}}`, plain JSON values.
    `others` maps a method's name to estimates [N, columns of the task], NaN of a target that it does not know. Targets
    that `data` has not are left out.
    """
    estimates, spread = predictor.estimate(data)
    again = repeats(data)
    groups = data.groups[IDENTITY] if again.any() else None  # rows of one thing are no independent evidence
    found: dict[str, Any] = {"model": {}, "others": {name: {} for name in others}}
    found |= {"verdicts": {}, "coverage": {}, "reliability": {}, "decisions": {}, "levels": {}}
    belong, targets = together(predictor, data), [name for name in predictor.targets if name in data.targets.names]
    for name in targets:
        kind, where = predictor.task.kind(name), block(predictor.task, name)
        truth, observed, bound = data.targets.arrays(name)
        given: dict[str, Any] = {"observed": observed, "bound": bound, "bootstrap": bootstrap, "seed": seed}
        drawn = {**given, "groups": groups}
        mine = _shaped(kind, estimates[:, where])
        found["model"][name] = _scores(kind, truth, mine, drawn)
        found["verdicts"][name] = {}
        for other, theirs in others.items():
            them = _shaped(kind, theirs[:, where])
            if len(them) and np.isnan(them).all():
                continue
            found["others"][other][name] = _scores(kind, truth, them, drawn)
            how = {**drawn, "called": (name_of, f"{called} ({other})"), "fewest": FEWEST}
            found["verdicts"][name][other] = compare(kind, truth, mine, them, **how).to_json()
        if kind == BINARY:
            threshold = predictor.thresholds.get(name, UNKNOWN)
            found["decisions"][name] = decided(threshold, truth, mine, observed, belong, bootstrap=bootstrap, seed=seed)
        found["levels"][name] = {
            group: {metric: each.to_json() for metric, each in levels(kind, truth, mine, member, **given).items()}
            for group, member in belong.items()
        }
        sure = observed & (bound == EXACT)
        predicted = predictor.unit(name, data, estimates, spread)
        scale = None if predicted is None else predicted[sure]
        found["coverage"][name] = _covered(predictor, name, mine[sure], truth[sure], scale).to_json()
        among = spread[sure, where.start]
        rest = _reliability(predictor, name, mine[sure], truth[sure], among if scale is None else scale)
        found["reliability"][name] = rest.to_json()
    kinds = {name: predictor.task.kind(name) for name in targets}
    first = {
        "main": {name: main(kind) for name, kind in kinds.items()},
        "shown": {
            name: list(shown(kind, len(data.inputs), bounds=_bounds(data, name))) for name, kind in kinds.items()
        },
    }
    return {**found, "rows": len(data), "repeats": int(again.sum()), **first}


def _bounds(data: Dataset, name: str) -> bool:
    _, observed, bound = data.targets.arrays(name)
    return bool((bound[observed] != EXACT).any())


def neighbour_estimates(domain: Domain, task: Task, data: Dataset) -> Array:
    """Return what the nearest training row that is measured says of each row, by target: its value, or certainty of its
    class.

    Shapes: float64 [N, columns of the task].
    """
    out = np.zeros((len(data), len(task.columns)))
    rows = domain.nearest(data).measured
    for i, name in enumerate(task.names):
        where = block(task, name)
        values = domain.values[rows[:, i], i]
        several = task.kind(name) == "multiclass"
        out[:, where] = np.eye(where.stop - where.start)[values.astype(np.int64)] if several else values[:, None]
    return out


def nearest_estimates(scorer: Predictor | Panel, data: Dataset) -> Array | None:
    """Return the same of the nearest row of any model of a scorer that knows its rows; None where none does."""
    if isinstance(scorer, Predictor):
        return None if scorer.domain is None else neighbour_estimates(scorer.domain, scorer.task, data)
    made = [p for p in scorer.predictors if p.domain is not None]
    near = neighbours(made, data)
    if near is None:
        return None
    out = np.full((len(data), len(scorer.task.columns)), np.nan)
    each = [neighbour_estimates(near.domain(number), p.task, data) for number, p in enumerate(made)]
    for name, at in near.measured.items():
        where = block(scorer.task, name)
        for number, p in enumerate(made):
            if name in p.targets:
                mine = at.model == number
                out[mine, where] = each[number][mine, block(p.task, name)]
    return out


def _shaped(kind: str, estimates: Array) -> Array:
    return estimates if kind == "multiclass" else estimates[:, 0]


def _reliability(predictor: Predictor | Panel, name: str, estimates: Array, truth: Array, spread: Array) -> Reliability:
    """Say of exact rows how far the model knows how far off it is."""
    kind, interval = predictor.task.kind(name), predictor.intervals[name]
    if kind != NUMBERS:
        width = interval.sets(estimates).sum(axis=1) if interval.limits else np.full(len(truth), np.nan)
        return from_enough(of_classes(estimates, truth, width))
    known = None if np.isnan(spread).any() else spread
    low, high = interval.apply(estimates, known)
    chance = predictor.chances[name]
    places = place(estimates, truth, chance.values, known if chance.scaled else None)
    return from_enough(of_numbers(estimates, truth, high - low, known, places), chance.n)


def _covered(predictor: Predictor | Panel, name: str, estimates: Array, truth: Array, spread: Array | None) -> Coverage:
    """Measure how often intervals, or sets of classes, hold what was measured."""
    interval, kind = predictor.intervals[name], predictor.task.kind(name)
    if kind != NUMBERS:
        names = labels(predictor.task, name) if kind == CLASSES else YES_NO
        return _sets_covered(interval, estimates, truth, names)
    low, high = interval.apply(estimates, spread)
    return coverage(low, high, truth, reason=interval.reason)


def _sets_covered(interval: Interval, estimates: Array, truth: Array, names: Sequence[str]) -> SetCoverage:
    lower = interval.lower and _sets_covered(interval.lower, estimates, truth, names)
    inside = interval.sets(estimates) if interval.limits else None
    given: dict[str, Any] = {"counts": interval.counts, "reason": interval.reason, "lower": lower}
    return set_coverage(inside, truth, level=interval.level, names=names, **given)


def _scores(kind: str, truth: Array, estimate: Array, given: dict[str, Any]) -> dict[str, Any]:
    return {metric: found.to_json() for metric, found in score(kind, truth, estimate, **given).items()}
