#!/usr/bin/env python
"""Measure whether pretraining without labels pays where few X-rays have one.

    python benchmarks/pretraining.py [--data 50,100] [--model scratch] [--seeds 0]   train what is missing
    python benchmarks/pretraining.py --left                                         say what is missing
    python benchmarks/pretraining.py --table                                        write it into README.md

A data set is a number of labelled training pictures of PneumoniaMNIST, drawn by the seed: the same for the pretrained
network, the same network from scratch, and trees. A finished cell is a file in `results/pretraining/NUMBER`; weights
pretrained with a seed are kept in the cache of data sets. Stop at any moment and start again.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from accuracy import circumstances
from imaging_sets import source
from ledger import Cell, Entry, Ledger, words, work
from numpy.typing import NDArray

from molgraph import config
from molgraph.config import RunSettings
from molgraph.data.shelf import cache_folder
from molgraph.predictor.training import Training
from molgraph.split import Split
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.pretrain import ENCODER, pretrain_folder

HERE = Path(__file__).resolve().parent
RUNS = HERE / "runs" / "imaging"
SIZES = ("50", "100", "200", "500")  # labelled pictures
MODELS = ("forest", "scratch", "pretrained")
SEEDS = range(5)
PRETRAINING = "pneumoniamnist-pretraining"
NONE = np.zeros(0, dtype=np.int64)


def settings(model: str, seed: int = 0, epochs: int | None = None) -> RunSettings:
    """Return the run of a contestant, or that of the pretraining."""
    name = PRETRAINING if model == PRETRAINING else "pneumoniamnist-few"
    raw = config.read(RUNS / f"{name}.toml") | {"seed": seed, "comparator": "none"}
    if model == "forest":
        raw = {**raw, "model": "imaging/forest", "encoder": {}}
    if epochs is not None:
        raw["train"] = raw["train"] | {"epochs": epochs}
    return config.settings(raw)


@cache
def read() -> Plan:
    """Read the pictures once for all contestants."""
    return plan(settings("scratch"), source("pneumoniamnist"), also=[settings("forest")])


def labelled(train: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Draw the training rows whose labels are known; those of 50 are among those of 100."""
    return np.sort(np.random.default_rng(seed).permutation(train)[:count])


def weights(seed: int, epochs: int | None) -> Path:
    """Return the weights that a seed was pretrained to on the training fold, trained now where they are missing."""
    run = replace(settings(PRETRAINING, seed, epochs), data=str(source("pneumoniamnist")))
    out = cache_folder().with_name("pretraining") / f"{run.train.epochs}-{seed}"
    return out / ENCODER if (out / ENCODER).exists() else pretrain_folder(run, out)


def run_cell(cell: Cell, epochs: int | None = None) -> Entry:
    """Train one contestant on the labelled rows of its seed; nothing but these chooses or stops anything."""
    began, made = time.perf_counter(), read()
    run = replace(settings(cell.model, cell.seed, epochs), targets=made.run.targets)
    if cell.model == "pretrained":
        run = replace(run, encoder={**run.encoder, "weights": str(weights(cell.seed, epochs))})
    data, cut = made.rows.data, made.split
    mine = labelled(cut.train, int(cell.data), cell.seed)
    training = Training(run, made.task, data, Split(mine, NONE, NONE, cut.test))
    for _ in training.epochs():
        pass
    return Entry(
        **cell._asdict(),
        epochs=0 if cell.model == "forest" else run.train.epochs,
        split=f"{len(mine)} of {len(cut.train)} training rows",
        seconds=round(time.perf_counter() - began, 1),
        threads=torch.get_num_threads(),
        made=circumstances(),
        targets=list(made.task.names),
        rows=data.rows[cut.test].tolist(),
        estimates=training.members[0].estimate(data.subset(cut.test)).tolist(),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    seeds = ",".join(map(str, SEEDS))
    parser = words(__doc__, SIZES, MODELS, HERE / "results" / "pretraining", seeds=seeds)
    given = parser.parse_args(arguments)
    if not os.environ.get("MOLGRAPH_DATA"):
        parser.error("name the folder that holds `imaging` in the variable MOLGRAPH_DATA")
    return work(given, lambda left: lambda cell: run_cell(cell, given.epochs), tabulate)


def tabulate(ledger: Ledger) -> None:
    """Write the table of the finished cells."""
    from pretraining_scores import write

    write(ledger, HERE / "README.md")


if __name__ == "__main__":
    sys.exit(main())
