#!/usr/bin/env python
"""Measure whether models know how far off they are, on new scaffolds and at random.

    python benchmarks/reliability.py [--data esol-scaffold,esol-random] [--model dmpnn,forest] [--seeds 0,1,2]   train
    python benchmarks/reliability.py --left                                                    say what is missing
    python benchmarks/reliability.py --table                                                   write it into README.md

A finished cell is a file in `results/reliability`; stop at any moment and start again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from ledger import Entry
from small import Board, Said, columns

from molgraph.calibrate import Interval, Sets
from molgraph.metrics.coverage import coverage
from molgraph.metrics.reliability import Reliability, of_classes, of_numbers, place
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.training import Training
from molgraph.workflows.plan import Plan

MEMBERS = 5
MODELS: dict[str, dict[str, Any]] = {
    "dmpnn": {"model": "molecule/dmpnn"},
    "dmpnn_ensemble": {"model": "molecule/dmpnn", "ensemble": MEMBERS},
    "dmpnn_aware": {"model": "molecule/dmpnn", "variance": True, "calibrate": True},
    "dmpnn_aware_ensemble": {"model": "molecule/dmpnn", "variance": True, "calibrate": True, "ensemble": MEMBERS},
    "forest": {"model": "molecule/forest"},
    "forest_aware": {"model": "molecule/forest", "variance": True, "calibrate": True},
}
COLUMNS = ("truth", "estimate", "low", "high")  # then `place` of a number, and `spread` where there is one


def train(made: tuple[Plan, ...]) -> Said:
    """Train one contestant and return what it says of the test rows, beside what was measured."""
    (whole,) = made
    training = Training(whole.run, whole.task, whole.rows.data, whole.split)
    for _ in training.epochs():
        pass
    test = whole.rows.data.subset(whole.split.test)
    return Said(test, said(training.finish(), test), {})


def said(predictor: Predictor, test: Any) -> dict[str, Any]:
    """Return the truth of the first target and what the predictor says of it, column by column."""
    name = predictor.targets[0]
    estimates, spread = predictor.estimate(test)
    where = predictor.task.block(name)
    predicted = predictor.task.of(name).deviation(estimates[:, where], spread[:, where])
    among = spread[:, where.start] if predicted is None else predicted
    truth, mine, chance = test.targets.arrays(name)[0], estimates[:, where.start], predictor.chances[name]
    low, high = ends(predictor.intervals[name], mine, predicted)
    found = dict(zip(COLUMNS, (truth, mine, low, high), strict=True))
    if not predictor.task.of(name).answers:
        found["place"] = place(mine, truth, chance.values, predicted)
    return found if np.isnan(among).any() else found | {"spread": among}


def ends(interval: Interval, estimates: Any, spread: Any) -> tuple[Any, Any]:
    """Return the ends of each interval; of a set of two classes its lowest and highest label: 1 and 0 of none."""
    if not isinstance(interval, Sets) or not interval.limits:
        return interval.apply(estimates, spread)
    inside = interval.sets(estimates)
    return np.where(inside[:, 0], 0.0, 1.0), np.where(inside[:, 1], 1.0, 0.0)


def reliability(entry: Entry) -> Reliability:
    """Return what a finished cell says."""
    found = columns(entry)
    if "place" not in found:
        return of_classes(found["estimate"], found["truth"], found["high"] - found["low"] + 1)
    width = found["high"] - found["low"]
    return of_numbers(found["estimate"], found["truth"], width, found.get("spread"), found["place"])


def lines(entries: Sequence[Entry]) -> Iterator[list[str]]:
    """Yield the line of a contestant: means over seeds."""
    known, all_said = [reliability(entry) for entry in entries], [columns(entry) for entry in entries]
    inside = [coverage(found["low"], found["high"], found["truth"]).value for found in all_said]
    means = ([r.width for r in known], [r.ece for r in known], [r.spearman for r in known])
    yield [str(len(entries)), _mean(inside, "{:.2f}"), *(_mean(values, "{:.3f}") for values in means)]


def _mean(values: Sequence[float | None], shown: str) -> str:
    there = [value for value in values if value is not None]
    return shown.format(np.mean(there)) if there else ""


HEAD = ("seeds", "inside 90 %", "width", "ECE", "Spearman")
BOARD = Board("reliability", __doc__, MODELS, train, HEAD, lines)


if __name__ == "__main__":
    sys.exit(BOARD.main())
