#!/usr/bin/env python
"""Train models of drug and target beside GraphDTA's architecture, trees, and each input alone.

    python benchmarks/pairs.py [--data davis,human] [--model ours,forest] [--seeds 0,1,2]   train what is missing
    python benchmarks/pairs.py --left                                                       say what is missing
    python benchmarks/pairs.py --table                                                      write it into README.md

A finished cell is a file in `results/NAME`; stop at any moment and start again. The data are found through the variable
MOLGRAPH_DATA. Of KIBA, `kiba10` is a fixed tenth of the rows, for machines without a card.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accuracy import circumstances
from ledger import Cell, Entry, Ledger, in_turn, words, work
from numpy.typing import NDArray

from molgraph import config, datasets
from molgraph.config import RunSettings, Value
from molgraph.predictor.assess import neighbour_estimates
from molgraph.predictor.domain import Domain
from molgraph.predictor.inputs import Inputs, slots
from molgraph.predictor.parts import with_prints
from molgraph.predictor.rows import read_rows
from molgraph.predictor.training import Training
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.rivals import FOREST

HERE = Path(__file__).resolve().parent
RUNS = HERE / "runs" / "pairs"
DATA = (
    "davis", "davis_cold_drug", "davis_cold_target", "human_random", "human_cold", "kiba10", "kiba10_cold_drug",
    "kiba10_cold_target", "kiba",
)  # fmt: skip
MODELS = ("ours", "graph", "graphdta", "forest", "drug", "target", "neighbour")
TENTH = 10  # one row of so many
WARM = ("davis", "kiba", "kiba10")  # drugs and targets of the test rows are known: networks learn to the last epoch
PATIENCE = 20  # epochs without a lower validation loss, elsewhere: what is unseen is soon overfitted
# GraphDTA (GIN) at its published settings: Nguyen et al. 2021, doi 10.1093/bioinformatics/btaa921, and its repository.
# Ours has layer norms for batch norms, bond features, and one width (1024) in the head, where it has 1024 and 256.
GRAPHDTA: dict[str, Value] = {
    "model": "fusion/concat",
    "inputs": {
        "drug": {"column": "smiles", "encoder": "molecule/gin", "hidden": 32, "depth": 5, "dropout": 0.2},
        "target": {"column": "sequence", "encoder": "protein/graphdta"},
    },
    "encoder": {"pooling": "sum"},
    "head": {"depth": 2, "hidden": 1024, "dropout": 0.2},
    "train": {"batch_size": 512, "lr": 5e-4},
}
GRAPH: dict[str, Value] = {"inputs": {"drug": {"column": "smiles", "encoder": "molecule/gin", "descriptors": True}}}


def settings(data: str, model: str, seed: int = 0, epochs: int | None = None) -> RunSettings:
    """Return the run of a contestant on a data set."""
    base = data.partition("_cold_")[0]
    raw = config.read(RUNS / f"{'human' if base.startswith('human') else base.removesuffix('10')}.toml")
    raw |= {"data": base, "seed": seed, "comparator": "none"}
    if "_cold_" in data:
        raw["split"] = f"cold:{data.partition('_cold_')[2]}"
    if data not in WARM:
        raw = merged(raw, {"train": {"patience": PATIENCE}})
    changes = {"graphdta": GRAPHDTA, "graph": GRAPH}.get(model, {})
    raw = merged({k: v for k, v in raw.items() if model != "graphdta" or k not in ("inputs", "encoder")}, changes)
    if epochs is not None:
        raw = merged(raw, {"train": {"epochs": epochs}})
    run = config.settings(raw)
    own = {"drug": "molecule/forest", "target": "protein/forest"}
    alone = {"forest": tuple(own), "drug": ("drug",), "target": ("target",)}
    if model in alone:
        run = replace(run, model=FOREST, encoder={}, inputs={name: {"encoder": own[name]} for name in alone[model]})
    return run


def merged(raw: dict[str, Value], changes: dict[str, Value]) -> dict[str, Value]:
    """Return settings with others on top, section by section."""
    found = dict(raw)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = merged(found[key], value) if both else value
    return found


@cache
def table(data: str) -> pd.DataFrame:
    """Return the rows of a data set, with DeepDTA's folds in `split`: -1 tests, 0 stops the training."""
    name = data.partition("_cold_")[0]
    frame = datasets.load(name.removesuffix("10") if name.startswith("kiba") else name)
    if "fold" in frame:
        fold = frame["fold"].astype(int)
        frame["split"] = np.select([fold == -1, fold == 0], ["test", "valid"], "train")
    if name == "kiba10":
        frame = frame.iloc[np.sort(np.random.default_rng(0).permutation(len(frame))[: len(frame) // TENTH])]
    return frame.reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Contest:
    """Hold the rows of one data set, prepared and split once for all contestants."""

    name: str
    made: Plan
    epochs: int | None

    @classmethod
    def of(cls, name: str, models: Sequence[str], epochs: int | None) -> Contest:
        """Read, prepare and split, with the features of every contestant named."""
        run = settings(name, "ours", epochs=epochs)
        runs = [settings(name, model) for model in models if model != "neighbour"]
        made = plan(run, table(name))
        whole = {slot.name: slot for each in (run, *runs) for slot in slots(each)}
        inputs = Inputs(tuple(whole[n] for n in run.inputs), with_prints(run, *runs), run.standardize)
        inputs = replace(inputs, slots=slots(run))
        return cls(name, replace(made, rows=read_rows(table(name), run, inputs)), epochs)

    def run(self, cell: Cell) -> Entry:
        """Train one contestant."""
        began = time.perf_counter()
        cut, data = self.made.split, self.made.rows.data
        estimates = self._estimates(cell)
        return Entry(
            **cell._asdict(),
            epochs=settings(self.name, cell.model, epochs=self.epochs).train.epochs,
            split=self.made.run.split,
            seconds=round(time.perf_counter() - began, 1),
            threads=torch.get_num_threads(),
            made=circumstances(),
            targets=list(self.made.task.names),
            rows=data.rows[cut.test].tolist(),
            estimates=estimates[:, :1].tolist(),
        )

    def _estimates(self, cell: Cell) -> NDArray[np.float32]:
        cut, data = self.made.split, self.made.rows.data
        if cell.model == "neighbour":
            rooms = {slot.name: slot.room for slot in slots(self.made.run)}
            known = Training(self.made.run, self.made.task, data, cut)
            return neighbour_estimates(Domain.learn(rooms, known.train), known.task, data.subset(cut.test))
        run = settings(self.name, cell.model, cell.seed, self.epochs)
        mine = data.only(run.inputs)
        training = Training(run, self.made.task, mine, cut)
        for _ in training.epochs():
            pass
        return training.members[0].estimate(mine.subset(cut.test))


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = words(__doc__, DATA, MODELS, HERE / "results")
    parser.set_defaults(data=",".join(DATA[:-1]))
    given = parser.parse_args(arguments)
    if not os.environ.get("MOLGRAPH_DATA"):
        parser.error("name the folder that holds `dti` in the variable MOLGRAPH_DATA")
    return work(given, lambda left: contests(left, given.epochs), tabulate, enters)


def tabulate(ledger: Ledger) -> None:
    """Write the tables of the finished cells."""
    from pair_scores import write

    write(ledger, HERE / "README.md")


def enters(cell: Cell) -> bool:
    """Tell whether a contestant takes part: in the nearest neighbour nothing is drawn."""
    return cell.model != "neighbour" or cell.seed == 0


def contests(left: Sequence[Cell], epochs: int | None) -> Callable[[Cell], Entry]:
    """Return what makes a cell."""
    return in_turn(left, lambda data, models: Contest.of(data, models, epochs))


if __name__ == "__main__":
    sys.exit(main())
