#!/usr/bin/env python
"""Fill the ledger of the ADMET group: twelve endpoints, five seeds, each model alone and one for all endpoints at once.

    python benchmarks/admet/cells.py [--data hia_hou,herg] [--model graph] [--seeds 0,1]   train what is missing
    python benchmarks/admet/cells.py --left                                                say what is missing
    python benchmarks/admet/cells.py --table                                               write it into both README.md

A finished cell is a file in `results/admet`; stop at any moment and start again. The data are found through the
variable MOLGRAPH_DATA. `multi` stands in the set `together`, beside what `ship.py` leaves of the model that ships;
`tuned` needs `tuned.toml`, which `tuning.py` leaves.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from endpoints import ENDPOINTS, MULTI, drawn, planned, rows, run_of
from numpy.typing import NDArray

from molgraph import config
from molgraph.config import RunSettings, Value
from molgraph.data.dataset import Dataset
from molgraph.data.table import Table, read_tables
from molgraph.kinds import Kind
from molgraph.predictor.inputs import Inputs, Ready, slots
from molgraph.predictor.parts import with_prints
from molgraph.predictor.training import Training
from molgraph.split import Split
from molgraph.workflows.plan import Plan

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # the ledger stands one folder up, for all benchmarks

from accuracy import circumstances  # noqa: E402
from ledger import Cell, Entry, Ledger, words, work  # noqa: E402

TOGETHER = "together"
DATA = (*ENDPOINTS, TOGETHER)
TUNED = HERE / "tuned.toml"
MODELS: dict[str, dict[str, Value]] = {
    "graph": {"model": "molecule/dmpnn", "encoder": {"descriptors": True}},
    "forest": {"model": "molecule/forest"},
    "multi": MULTI,
    "tuned": {},
}
FROM_TUNED = ("model", "encoder", "head", "train", "standardize", "balance", "focal")
SEEDS = "0,1,2,3,4"


def settings(data: str, model: str, seed: int = 0, epochs: int | None = None) -> RunSettings:
    """Return the run of a contestant; the settings found by tuning are the same for every endpoint."""
    run = replace(run_of(names(data), own(model)), seed=seed)
    return run if epochs is None else replace(run, train=replace(run.train, epochs=epochs))


def own(model: str) -> dict[str, Value]:
    """Return what a contestant sets."""
    if model != "tuned":
        return MODELS[model]
    return {key: value for key, value in config.read(TUNED).items() if key in FROM_TUNED}


def digest(model: str) -> str:
    """Return the sha256 of what a contestant sets: cells of another tuning must not be averaged with these."""
    return hashlib.sha256(json.dumps(own(model), sort_keys=True).encode()).hexdigest()


def names(data: str) -> list[str]:
    """Return the endpoints of a set."""
    return list(ENDPOINTS) if data == TOGETHER else [data]


def enters(cell: Cell) -> bool:
    """Tell whether a contestant takes part."""
    return (cell.model == "multi") == (cell.data == TOGETHER) and (cell.model != "tuned" or TUNED.exists())


class Contest:
    """Make the estimates of every contestant; `epochs` other than the settings say only to try the harness."""

    def __init__(self, epochs: int | None = None) -> None:
        self.epochs = epochs
        self.ready = lru_cache(maxsize=1)(self._ready)  # the rows of one set at a time

    def run(self, cell: Cell) -> Entry:
        """Train one contestant and estimate the official test rows."""
        began = time.perf_counter()
        made, tests = self.ready(cell.data)
        run, cut = settings(cell.data, cell.model, cell.seed, self.epochs), drawn(made, cell.seed)
        stop = np.sort(np.concatenate([cut.valid, cut.calibration]))  # nothing is calibrated: all of them may stop it
        training = Training(run, made.task, made.rows.data, Split(cut.train, stop, stop[:0], cut.test))
        for _ in training.epochs():
            pass
        found, estimates = answers(names(cell.data), tests, made.task, training.members[0].estimate)
        leaking = sum(count for count, _ in made.leaks.across.values())
        return Entry(
            **cell._asdict(),
            epochs=run.train.epochs,
            split=f"official; {leaking} training molecules that are tested were left out",
            seconds=round(time.perf_counter() - began, 1),
            threads=torch.get_num_threads(),
            made=circumstances() | {"settings": digest(cell.model)},
            targets=[ENDPOINTS[name].column for name in names(cell.data)],
            rows=found,
            estimates=estimates.tolist(),
        )

    def _ready(self, data: str) -> tuple[Plan, dict[str, Ready]]:
        """Return the plan of a set, and its official test rows as they stand: repeated ones, too, are asked again."""
        runs = [settings(data, model) for model in MODELS if enters(Cell(data, model, 0))]
        inputs = Inputs(slots(runs[0]), with_prints(*runs), runs[0].standardize)
        return planned(names(data), runs), {name: inputs.prepare(tested(name)) for name in names(data)}


def answers(
    asked: Sequence[str], tests: Mapping[str, Ready], task: Kind, estimate: Callable[[Dataset], NDArray[np.float32]]
) -> tuple[list[int], NDArray[np.float32]]:
    """Return the official test rows of endpoints as they stand, counted from 1 over their tables one below the other,
    and what is said of each, [n, 1]."""
    found: list[int] = []
    estimates, start = [], 0
    for name in asked:
        frame = rows(name)
        test = np.flatnonzero(frame["split"] == "test")
        things, index = tests[name].things()
        mine = estimate(things)[:, task.block(ENDPOINTS[name].column)]
        found += (start + test[index >= 0] + 1).tolist()
        estimates.append(mine[index[index >= 0]])
        start += len(frame)
    return found, np.concatenate(estimates)


def tested(name: str) -> Table:
    """Return the official test rows of an endpoint as a table of molecules."""
    frame = rows(name).query("split == 'test'")[["smiles"]].reset_index(drop=True)
    (table,) = read_tables(frame, block=len(frame))
    return replace(table, column="smiles")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = words(__doc__, DATA, tuple(MODELS), HERE.parent / "results" / "admet", seeds=SEEDS)
    given = parser.parse_args(arguments)
    if not os.environ.get("MOLGRAPH_DATA"):
        parser.error("name the folder that holds `tdc_admet` in the variable MOLGRAPH_DATA")
    return work(given, lambda left: Contest(given.epochs).run, tabulate, enters)


def tabulate(ledger: Ledger) -> None:
    """Write the table of the finished cells."""
    from scores import write

    write(ledger, HERE.parent / "README.md", HERE.parents[1] / "README.md")


if __name__ == "__main__":
    sys.exit(main())
