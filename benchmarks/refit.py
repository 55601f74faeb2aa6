"""Measure what the rows held back are worth, and three ways to intervals for a model that was trained on all of them.

    python benchmarks/refit.py [--data freesolv-scaffold,bace-random] [--model forest] [--seeds 0]   fill the ledger
    python benchmarks/refit.py --left                                                                what is missing
    python benchmarks/refit.py --table                                                               into README.md

The test rows of a set's own split are put away first: nothing trains, stops or calibrates on them. The rest is a user's
file, cut once more by the same kind of split. A finished cell is a file in `results/refit`; stop and start at will.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from ledger import Entry
from numpy.typing import NDArray
from small import Board, Floats, Said, columns

from molgraph.calibrate import Interval, Sets
from molgraph.calibrate.interval import LEVEL
from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.kinds import Number, YesNo
from molgraph.metrics import score
from molgraph.predictor.training import Training
from molgraph.workflows.folds import fold
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.train import train_rows

FOLDS = 5
EPOCHS = {"dmpnn": 10}
MODELS: dict[str, dict[str, Any]] = {
    "dmpnn": {"model": "molecule/dmpnn"},
    "forest": {"model": "molecule/forest", "encoder": {"rounds": 200, "lr": 0.2, "depth": 4}},
}
WAYS = {
    "split": "the split's model",
    "refit": "refitted, its intervals carried over",
    "pooled": "refitted, errors of five folds pooled",
    "cv": "refitted, CV+ of five folds",
}
SAID = ("estimate", "inside", "width")  # of each way, of every row


def plans(run: RunSettings, frame: pd.DataFrame) -> tuple[Plan, Plan]:
    """Return the plan of the whole set, whose test rows are put away, and that of the rest, which is a user's file."""
    whole = plan(run, frame)
    held = whole.rows.data.rows[whole.split.test]
    user = plan(run, frame.drop(index=frame.index[held - 1]))
    assert len(user.rows.data) + len(held) == len(whole.rows.data)  # what was put away is in nobody's file
    return whole, user


def train(made: tuple[Plan, ...]) -> Said:
    """Train the split's model, the refitted one and five folds, and return what each says of rows unseen."""
    began = time.perf_counter()
    whole, user = made
    run, held = user.run, whole.rows.data.subset(whole.split.test)
    seconds: dict[str, float] = {}
    kept = train_rows(replace(user, run=replace(run, refit="all")))
    seconds["split and refit"] = round(time.perf_counter() - began, 1)
    seconds["refit"] = round(sum(e["seconds"] for e in kept.history if e["member"] >= run.ensemble), 1)
    seconds["split"] = round(sum(e["seconds"] for e in kept.history if e["member"] < run.ensemble), 1)
    (name,) = kept.targets
    kind, truth = kept.task.of(name), held.targets.arrays(name)[0].astype(np.float64)
    before, after = (model.estimate(held)[0][:, 0].astype(np.float64) for model in (kept.judged, kept))
    seen, number, theirs, seconds["folds"] = out_of_fold(user, held)
    known = user.rows.data.targets.arrays(name)[0].astype(np.float64)
    pooled = (Sets if kind.answers else Interval).fit(kind.answer, seen, known)
    found = {"truth": truth}
    for way, (estimate, interval) in {
        "split": (before, kept.intervals[name]),
        "refit": (after, kept.intervals[name]),
        "pooled": (after, pooled),
    }.items():
        found |= said(way, estimate, *by_interval(interval, estimate, truth))
    found |= said("cv", after, *by_folds(bool(kind.answers), theirs, number, seen, known, truth))
    return Said(held, found, {"seconds": seconds, "trained": len(user.split.train), "all": len(user.rows.data)})


def out_of_fold(user: Plan, held: Dataset) -> tuple[Floats, NDArray[np.int64], Floats, float]:
    """Return the estimate of each row by the fold that did not train on it, that fold, and each fold's of `held`.

    Shapes: [n], [n], [FOLDS, held], and the seconds.
    """
    began, data = time.perf_counter(), user.rows.data
    seen, number, theirs = np.full(len(data), np.nan), np.full(len(data), -1), []
    for at in range(FOLDS):
        cut = fold(user, at, FOLDS, user.run.seed)
        every = np.sort(np.concatenate([cut.train, cut.calibration]))  # nothing is calibrated
        training = Training(user.run, user.task, data, replace(cut, train=every, calibration=every[:0]))
        for _ in training.epochs():
            pass
        seen[cut.test], number[cut.test] = training.members[0].estimate(data.subset(cut.test))[:, 0], at
        theirs.append(training.members[0].estimate(held)[:, 0].astype(np.float64))
    return seen, number, np.stack(theirs), round(time.perf_counter() - began, 1)


def by_interval(interval: Interval, estimate: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Return whether each truth lies inside, and how wide the interval is (of classes, how many are in the set)."""
    if not isinstance(interval, Sets):
        low, high = interval.apply(estimate)
        return ((low <= truth) & (truth <= high)).astype(np.float64), high - low
    sets = interval.sets(estimate)
    return sets[np.arange(len(truth)), truth.astype(np.int64)].astype(np.float64), sets.sum(axis=1).astype(np.float64)


def by_folds(
    classes: bool, theirs: Floats, number: NDArray[np.int64], seen: Floats, known: Floats, truth: Floats
) -> tuple[Floats, Floats]:
    """Return the same of CV+: every row's error is laid around what its own fold says of the new row.

    See: Barber 2021, doi 10.1214/20-AOS1965, section 3.2; of classes, each by its own rows: Romano 2020,
    arXiv 2006.02544, section 2.3

    Shapes: `theirs` [FOLDS, held] and of n rows their fold `number`, out-of-fold estimates `seen` and truth `known`.
    """
    if not classes:
        off, n = np.abs(known - seen), len(known)
        low = np.sort(theirs[number] - off[:, None], axis=0)[int(np.floor((1 - LEVEL) * (n + 1) + 1e-9)) - 1]
        high = np.sort(theirs[number] + off[:, None], axis=0)[int(np.ceil(LEVEL * (n + 1) - 1e-9)) - 1]
        return ((low <= truth) & (truth <= high)).astype(np.float64), high - low
    inside = []
    for label in (0, 1):
        mine = known == label
        off, new = (np.where(label == 1, 1 - each, each) for each in (seen[mine], theirs[number[mine]]))
        stranger = (new > off[:, None]).sum(axis=0)  # rows that are less strange in their own fold
        inside.append(stranger < LEVEL * (mine.sum() + 1))
    sets = np.stack(inside, axis=1)
    return sets[np.arange(len(truth)), truth.astype(np.int64)].astype(np.float64), sets.sum(axis=1).astype(np.float64)


def said(way: str, *columns: Floats) -> dict[str, Floats]:
    """Name the columns of one way."""
    return {f"{way}_{name}": column for name, column in zip(SAID, columns, strict=True)}


def lines(entries: Sequence[Entry]) -> Iterator[list[str]]:
    """Yield a line for each way: means over seeds."""
    for way, text in WAYS.items():
        found = [_of(entry, way) for entry in entries]
        error, inside, width, cost = (np.mean([each[at] for each in found]) for at in range(4))
        yield [text, str(len(entries)), f"{error:.3f}", f"{inside:.2f}", f"{width:.2f}", f"{cost:.1f}"]


def _of(entry: Entry, way: str) -> tuple[float, float, float, float]:
    """Return error (RMSE, or 1 - AUROC), coverage, width and cost of one way."""
    known = columns(entry)
    estimate, inside, width = (known[f"{way}_{name}"] for name in SAID)
    classes = entry.data.startswith("bace")
    family = (YesNo if classes else Number).family
    metric = family.main
    value = score(family, known["truth"], estimate, metrics=[metric], bootstrap=0)[metric].value
    assert value is not None
    return 1 - value if classes else value, float(inside.mean()), float(width.mean()), _cost(entry.made["seconds"], way)


def _cost(seconds: Mapping[str, float], way: str) -> float:
    """Return how often the split's training a way takes in all."""
    whole = seconds["split"] + (0 if way == "split" else seconds["refit"])
    return (whole + (seconds["folds"] if way in ("pooled", "cv") else 0)) / seconds["split"]


HEAD = ("way", "seeds", "error", "inside 90 %", "width", "training, times the split's")
BOARD = Board("refit", __doc__, MODELS, train, HEAD, lines, plans, EPOCHS, seeds="0")


if __name__ == "__main__":
    sys.exit(BOARD.main())
