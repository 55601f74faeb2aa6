#!/usr/bin/env python
"""Measure whether models know how far off they are, on new scaffolds and at random.

    python benchmarks/reliability.py [--data esol-scaffold,esol-random] [--model dmpnn,forest] [--seeds 0,1,2]   train
    python benchmarks/reliability.py --left                                                    say what is missing
    python benchmarks/reliability.py --table                                                   write it into README.md

A finished cell is a file in `results/reliability`; stop at any moment and start again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accuracy import circumstances, settings
from ledger import Cell, Entry, Ledger, words, work
from table import replace_block

from molgraph import datasets
from molgraph.calibrate import NUMBERS, Interval
from molgraph.config import RunSettings
from molgraph.kinds import block
from molgraph.metrics.coverage import coverage
from molgraph.metrics.reliability import Reliability, of_classes, of_numbers, place
from molgraph.predictor.columns import deviation
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.training import Training
from molgraph.workflows.plan import NONE, plan

HERE = Path(__file__).resolve().parent
SETS, SPLITS = ("freesolv", "esol", "bace"), ("scaffold", "random")
DATA = tuple(f"{name}-{split}" for name in SETS for split in SPLITS)
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


def run_of(cell: Cell, epochs: int | None) -> RunSettings:
    """Return the settings of a cell; a seed also draws the split at random and the calibration rows."""
    name, _, split = cell.data.rpartition("-")
    return replace(settings(name, epochs), **MODELS[cell.model], seed=cell.seed, split=split, comparator=NONE)


def train(cell: Cell, epochs: int | None) -> Entry:
    """Train one contestant and keep what it says of the test rows, beside what was measured."""
    began = time.perf_counter()
    run = run_of(cell, epochs)
    made = plan(run, datasets.load(cell.data.rpartition("-")[0]))
    training = Training(run, made.task, made.rows.data, made.split)
    for _ in training.epochs():
        pass
    predictor, test = training.finish(), made.rows.data.subset(made.split.test)
    columns = said(predictor, test)
    return Entry(
        **cell._asdict(),
        epochs=run.train.epochs,
        split=run.split,
        seconds=round(time.perf_counter() - began, 1),
        threads=torch.get_num_threads(),
        made=circumstances(),
        targets=list(columns),
        rows=test.rows.tolist(),
        estimates=np.stack(list(columns.values()), axis=1).tolist(),
    )


def said(predictor: Predictor, test: Any) -> dict[str, Any]:
    """Return the truth of the first target and what the predictor says of it, column by column."""
    name = predictor.targets[0]
    estimates, spread = predictor.estimate(test)
    where = block(predictor.task, name)
    predicted = deviation(predictor.task, name, estimates[:, where], spread[:, where])
    among = spread[:, where.start] if predicted is None else predicted
    truth, mine, chance = test.targets.arrays(name)[0], estimates[:, where.start], predictor.chances[name]
    low, high = ends(predictor.intervals[name], mine, predicted)
    found = dict(zip(COLUMNS, (truth, mine, low, high), strict=True))
    if predictor.task.kind(name) == "regression":
        found["place"] = place(mine, truth, chance.values, predicted)
    return found if np.isnan(among).any() else found | {"spread": among}


def ends(interval: Interval, estimates: Any, spread: Any) -> tuple[Any, Any]:
    """Return the ends of each interval; of a set of two classes its lowest and highest label: 1 and 0 of none."""
    if interval.kind == NUMBERS or not interval.limits:
        return interval.apply(estimates, spread)
    inside = interval.sets(estimates)
    return np.where(inside[:, 0], 0.0, 1.0), np.where(inside[:, 1], 1.0, 0.0)


def reliability(entry: Entry) -> Reliability:
    """Return what a finished cell says."""
    found = dict(zip(entry.targets, np.array(entry.estimates).T, strict=True))
    if "place" not in found:
        return of_classes(found["estimate"], found["truth"], found["high"] - found["low"] + 1)
    width = found["high"] - found["low"]
    return of_numbers(found["estimate"], found["truth"], width, found.get("spread"), found["place"])


def table(ledger: Ledger) -> str:
    """Return what is finished as Markdown: means over seeds."""
    head = ["data", "split", "contestant", "seeds", "inside 90 %", "width", "ECE", "Spearman"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    cells = sorted(ledger.finished())
    for data in DATA:
        for model in MODELS:
            entries = [ledger.read(cell) for cell in cells if (cell.data, cell.model) == (data, model)]
            if entries:
                name, _, split = data.rpartition("-")
                lines.append(f"| {name} | {split} | {model} | {len(entries)} | {' | '.join(_means(entries))} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _means(entries: Sequence[Entry]) -> list[str]:
    inside = []
    for entry in entries:
        found = dict(zip(entry.targets, np.array(entry.estimates).T, strict=True))
        inside.append(coverage(found["low"], found["high"], found["truth"]).value)
    known = [reliability(entry) for entry in entries]
    columns = ([r.width for r in known], [r.ece for r in known], [r.spearman for r in known])
    return [_mean(inside, "{:.2f}"), *(_mean(values, "{:.3f}") for values in columns)]


def _mean(values: Sequence[float | None], shown: str) -> str:
    there = [value for value in values if value is not None]
    return shown.format(np.mean(there)) if there else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    given = words(__doc__, DATA, tuple(MODELS), HERE / "results" / "reliability").parse_args(arguments)
    return work(
        given,
        lambda left: lambda cell: train(cell, given.epochs),
        lambda ledger: replace_block(HERE / "README.md", "reliability", table(ledger)),
    )


if __name__ == "__main__":
    sys.exit(main())
