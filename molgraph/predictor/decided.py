"""What acting on a model's probability brings, on rows it has never seen; and which rows belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from molgraph.data.dataset import Dataset
from molgraph.metrics import METRICS
from molgraph.metrics.decisions import SHARES, SPECIFICITIES, net_benefit, operating, sensitivity_at, useful
from molgraph.metrics.levels import level_sentence
from molgraph.predictor.card import interval, natural_units
from molgraph.predictor.scored import Scorer
from molgraph.predictor.threshold import Threshold

Groups = Mapping[str, NDArray[np.int64]]


def together(predictor: Scorer, data: Dataset) -> dict[str, NDArray[np.int64]]:
    """Return the groups (patients) of a predictor's rooms that have several of these rows, the room's first one first.

    Shapes: int64 [N] each.
    """
    names = dict.fromkeys(name for slot in predictor.inputs.slots for name in slot.room.reading.belongs)
    known = {name: data.groups[name] for name in names if name in data.groups}
    return {name: labels for name, labels in known.items() if len(np.unique(labels)) < len(labels)}


def decided(
    threshold: Threshold,
    truth: ArrayLike,
    estimate: ArrayLike,
    observed: ArrayLike,
    belong: Groups,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Return what is known of acting on the probability of one target, as JSON values.

    `{"threshold": value and how it was chosen, "scores": {sensitivity, specificity, ppv, npv: score}, "sensitivity_at":
    {specificity: score}, "net_benefit": the decision curve or None, "drawn": what the intervals draw}`. Where rows
    belong together (`together`), whole groups are drawn.
    """
    first = next(iter(belong), None)
    given: dict[str, Any] = {"observed": observed, "bootstrap": bootstrap, "seed": seed}
    given["groups"] = None if first is None else belong[first]
    scores = {} if threshold.value is None else operating(truth, estimate, threshold.value, **given)
    fixed = {f"{each:g}": sensitivity_at(each, truth, estimate, **given) for each in SPECIFICITIES}
    curve = net_benefit(truth, estimate, **given)
    return {
        "threshold": threshold.to_json(),
        "scores": {name: found.to_json() for name, found in scores.items()},
        "sensitivity_at": {name: found.to_json() for name, found in fixed.items()},
        "net_benefit": None if curve is None else curve.to_json(),
        "drawn": first or "row",
    }


def lines(judged: Mapping[str, Any], target: str) -> list[str]:
    """Say in sentences what `predictor.assess` found of decisions, levels and in the user's units, for one target."""
    found = judged.get("decisions", {}).get(target)  # none where an earlier version judged
    said = [
        level_sentence(METRICS[metric].label, group, level)
        for group, each in judged.get("levels", {}).get(target, {}).items()
        for metric, level in each.items()
    ]
    units = natural_units(judged, target)
    return [*([units] if units else ()), *(decision_lines(found) if found else ()), *said]


def decision_lines(found: Mapping[str, Any]) -> list[str]:
    """Say in sentences what `decided` found."""
    at = found["threshold"]
    if at["value"] is None:
        lines = [f"no threshold: {at['reason']}"]
    else:
        shares = [f"{SHARES[name][0]} {interval(score)}" for name, score in found["scores"].items()]
        lines = [f"threshold {at['value']:.3g} ({at['chosen']}, {at['n']} validation rows): {', '.join(shares)}"]
    fixed = [f"{interval(score)} at specificity {name}" for name, score in found["sensitivity_at"].items()]
    return [*lines, f"sensitivity {', '.join(fixed)}", benefit_line(found["net_benefit"])]


def benefit_line(curve: Mapping[str, Any] | None) -> str:
    """Say where a decision curve, as JSON values, is above acting on all rows and on none."""
    if curve is None:
        return "no decision curve: fewer than two rows or one class was measured"
    ranges = [f"{low:g} to {high:g}" if low < high else f"{low:g}" for low, high in useful(curve)]
    what = "acting on all rows and on none"
    if not ranges:
        return f"net benefit: at no threshold above that of {what}"
    return f"net benefit: above that of {what} at thresholds of {', '.join(ranges)}"
