"""What the test rows of a model give reason to doubt, for whoever reads its predictions and not its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from molgraph.calibrate import Interval
from molgraph.metrics.coverage import sentences, too_few
from molgraph.predictor.card import covered_rows
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.simple import CONSTANT, LAST


def doubts(predictors: Sequence[Predictor]) -> Iterator[str]:
    """Say which targets have no interval; whose intervals held too little or decide too little; what is only
    a guess, or worse than an equation of descriptors.

    A verdict of too few test rows is no reason, nor is one that an earlier version did not give.
    """
    yield from without_interval([each.intervals for each in predictors])
    for number, each in enumerate(predictors, start=1):
        of = f" of model {number}" if len(predictors) > 1 else ""
        metrics = each.recipe.metrics
        for target, found in metrics.get("coverage", {}).items():
            yield from (f"{target}{of}: {why}" for why in _uncertain(found, covered_rows(metrics, target, "test rows")))
            verdicts = metrics.get("simple", {}).get("verdicts", {}).get(target, {})
            for rival, verdict in verdicts.items():
                if verdict["verdict"] in (("worse", "not better") if rival in (CONSTANT, LAST) else ("worse",)):
                    yield f"{target}{of}: {verdict['sentence']}"


def without_interval(models: Sequence[Mapping[str, Interval]]) -> Iterator[str]:
    """Say of the intervals of each model which targets have none, or no set, and why."""
    for number, intervals in enumerate(models, start=1):
        of = f" of model {number}" if len(models) > 1 else ""
        for name, interval in intervals.items():
            if not interval.limits:
                yield f"{name}{of} has no {100 * interval.level:.0f} % {interval.what}: {interval.reason}."


def _uncertain(found: Mapping[str, Any], rows: str) -> Iterator[str]:
    """Say what is wrong with intervals, or with sets of classes, as their coverage on test rows shows."""
    if found.get("value") is None:
        return
    if "classes" not in found:
        if too_few(found):
            yield from sentences(found, rows)
        return
    held = any(too_few(one, found["level"]) for one in found["classes"].values())
    for sentence, wrong in zip(sentences(found, rows), (held, found["decided"] < 0.5), strict=False):
        if wrong:
            yield sentence
