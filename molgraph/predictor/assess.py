"""How good a predictor is on rows it has never seen, beside the simple method it had to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT
from molgraph.errors import ConfigError, did_you_mean
from molgraph.kinds import Kind
from molgraph.metrics import METRICS, compare, score
from molgraph.metrics.comparison import FEWEST
from molgraph.metrics.levels import levels
from molgraph.predictor.decided import decided, together
from molgraph.predictor.domain import Domain
from molgraph.predictor.duplicates import dependent, repeats
from molgraph.predictor.inputs import of_pairs
from molgraph.predictor.neighbours import neighbours
from molgraph.predictor.panel import Panel
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.simple import CONSTANT, Simple
from molgraph.predictor.threshold import UNKNOWN

Array = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]
NEIGHBOUR = "nearest neighbour"
MOST = 100.0  # powers of ten, beyond which squares of errors are infinite


def assess(
    predictor: Predictor | Panel,
    data: Dataset,
    others: dict[str, Array],
    simple: Mapping[str, Simple] | None = None,
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
    "natural": {target of logarithms: {method: errors in the user's units}},
    "levels": {target: {group: {metric: rows beside groups (`metrics.levels`)}}} where rows belong together, "rows": n,
    "repeats": how many of them are the same thing as an earlier one (each is scored by its own value, and intervals
    draw all rows of a thing, or of a patient, together), "main": {target: the metric that stands for it}, "shown":
    {target: those a person sees first}}`, plain JSON values.
    `others` maps a method's name to estimates [N, columns of the task], NaN of a target that it does not know. Targets
    that `data` has not are left out. `simple` are the simplest methods (`simple.beside`), of which `{"simple":
    {"others", "verdicts"}}` says the same; probabilities of classes are compared with a constant by their Brier score.
    """
    estimates, spread = predictor.estimate(data)
    groups = dependent(data)
    found: dict[str, Any] = {"model": {}, "others": {name: {} for name in others}}
    found["simple"] = {"others": {name: {} for name in simple or {}}, "verdicts": {}}
    found |= {"verdicts": {}, "coverage": {}, "reliability": {}, "decisions": {}, "levels": {}, "natural": {}}
    belong, targets = together(predictor, data), predictor.task.present(data.targets)
    for name in targets:
        kind, where = predictor.task.of(name), predictor.task.block(name)
        truth, observed, bound = kind.measured(data.targets)
        given: dict[str, Any] = {"observed": observed, "bound": bound, "bootstrap": bootstrap, "seed": seed}
        drawn = {**given, "groups": groups}
        mine = kind.shaped(estimates[:, where])
        every = {other: kind.shaped(theirs[:, where]) for other, theirs in others.items()}
        found["model"][name] = _scores(kind, truth, mine, drawn)
        found["verdicts"][name], found["simple"]["verdicts"][name] = {}, {}
        for other, them in every.items():
            if not len(them) or not np.isnan(them).all():
                words = (name_of, f"{called} ({other})")
                _compared(found, name, other, _Rival(kind, truth, mine, them, words), drawn)
        for other, each in (simple or {}).items():
            if name in each.called:
                metric = kind.guess_metric if other == CONSTANT else None
                them, words = kind.shaped(each.estimates[:, where]), (name_of, each.called[name])
                _compared(found["simple"], name, other, _Rival(kind, truth, mine, them, words, metric), drawn)
        if kind.on_logarithm:
            every = {name_of: mine, **every}
            found["natural"][name] = {
                who: _natural(kind, truth, each, drawn) for who, each in every.items() if not np.isnan(each).all()
            }
        if kind.decides:
            threshold = predictor.thresholds.get(name, UNKNOWN)
            found["decisions"][name] = decided(threshold, truth, mine, observed, belong, bootstrap=bootstrap, seed=seed)
        found["levels"][name] = {
            group: {
                metric: each.to_json() for metric, each in levels(kind.family, truth, mine, member, **given).items()
            }
            for group, member in belong.items()
        }
        found["coverage"][name], found["reliability"][name] = _trusted(predictor, name, data, estimates, spread)
    kinds = {name: predictor.task.of(name) for name in targets}
    first = {
        "main": {name: kind.family.main for name, kind in kinds.items()},
        "shown": {name: list(shown(kind, data, predictor)) for name, kind in kinds.items()},
    }
    return {**found, "rows": len(data), "repeats": int(repeats(data).sum()), **first}


def _trusted(
    predictor: Predictor | Panel, name: str, data: Dataset, estimates: Array, spread: Array
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what intervals held of exact rows, and how far the model knows how far off it is."""
    kind, where = predictor.task.of(name), predictor.task.block(name)
    truth, observed, bound = kind.measured(data.targets)
    sure, mine = observed & (bound == EXACT), kind.shaped(estimates[:, where])
    predicted = predictor.unit(name, data, estimates, spread)
    scale = None if predicted is None else predicted[sure]
    interval, chance = predictor.intervals[name], predictor.chances.get(name)
    covered = kind.covered(interval, mine[sure], truth[sure], scale)
    among = spread[sure, where.start] if scale is None else scale
    rows = "rows" if (sure == observed).all() else "exact rows"
    return covered.to_json(), kind.reliability(interval, chance, mine[sure], truth[sure], among, rows).to_json()


def _natural(kind: Kind, truth: Array, estimate: Array, given: dict[str, Any]) -> dict[str, Any]:
    """Return the errors of a target that is learnt on its logarithm, in the user's units."""
    seen = {**given, "observed": given["observed"] & np.isfinite(estimate), "metrics": ("rmse", "mae")}
    return _scores(kind, kind.out_of(truth), kind.out_of(np.minimum(estimate, MOST)), seen)


def shown(kind: Kind, data: Dataset, scorer: Predictor | Panel) -> tuple[str, ...]:
    """Return the metrics of a target that a person sees: first those that the runs declare, then those of its kind, or
    of pairs of a room of the two."""
    _, observed, bound = kind.measured(data.targets)
    first = [name for each in scorer.predictors for name in each.recipe.run.metrics]
    return kind.family.shown(of_pairs(scorer.inputs.slots), first=first, bounds=bool((bound[observed] != EXACT).any()))


def declared(names: Sequence[str], source: Any, task: Kind) -> list[str]:
    """Return the metrics that a run declares, else those that fit of the card of a data set (`datasets.load`).

    Raises: ConfigError for one of the run that is unknown, or that judges none of its targets.
    """
    families = {task.of(name).family.word: task.of(name).family for name in task.names}
    fit = dict.fromkeys(metric for family in families.values() for metric in family.metrics)
    for name in names:
        if name not in METRICS:
            raise ConfigError(f"metrics: '{name}' is not known{did_you_mean(name.lower(), fit)}")
        if name not in fit:
            kinds = " or ".join(families)
            raise ConfigError(f"metrics: '{name}' judges no {kinds} target. Those that do: {', '.join(sorted(fit))}.")
    return list(names) or [name for name in getattr(source, "attrs", {}).get("metrics", ()) if name in fit]


class _Rival(NamedTuple):
    """Hold two estimates of the same rows, the words for both, and the metric to compare them by."""

    kind: Kind
    truth: Array
    mine: Array
    theirs: Array
    words: tuple[str, str]
    metric: str | None = None


def _compared(found: dict[str, Any], target: str, other: str, rival: _Rival, drawn: dict[str, Any]) -> None:
    """Score a rival, and compare."""
    found["others"][other][target] = _scores(rival.kind, rival.truth, rival.theirs, drawn)
    made = compare(
        rival.kind.family,
        rival.truth,
        rival.mine,
        rival.theirs,
        rival.metric,
        called=rival.words,
        fewest=FEWEST,
        **drawn,
    )
    found["verdicts"][target][other] = made.to_json()


def neighbour_estimates(domain: Domain, task: Kind, data: Dataset) -> Array:
    """Return what the nearest training row that is measured says of each row, by target: its value, or certainty of its
    class.

    Shapes: float64 [N, columns of the task].
    """
    out = np.zeros((len(data), len(task.columns)))
    rows = domain.nearest(data).measured
    for name in task.names:
        at = task.column(name)
        out[:, task.block(name)] = task.of(name).as_estimate(domain.values[rows[:, at], at])
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
        where = scorer.task.block(name)
        for number, p in enumerate(made):
            if name in p.targets:
                mine = at.model == number
                out[mine, where] = each[number][mine, p.task.block(name)]
    return out


def _scores(kind: Kind, truth: Array, estimate: Array, given: dict[str, Any]) -> dict[str, Any]:
    return {metric: found.to_json() for metric, found in score(kind.family, truth, estimate, **given).items()}
