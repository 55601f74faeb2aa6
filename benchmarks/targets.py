#!/usr/bin/env python
"""Rank targets of new molecules, and new molecules for a target, beside similarity to known actives.

    python benchmarks/targets.py [--data davis.0,inha] [--model pairs,similarity] [--seeds 0]   train what is missing
    python benchmarks/targets.py --left                                                        say what is missing
    python benchmarks/targets.py --table                                                       write it into README.md

`davis.0` to `davis.4` are folds of the 68 drugs of Davis, each against 379 kinases; `toxcast` and `muv` are panels with
scaffolds of their own to test; `inha` is a transfer: a model of pairs trained on davis.0 ranks DUD-E's InhA. A finished
cell is a file in `results/targets`; stop at any moment and start again. The data are found through the variable
MOLGRAPH_DATA.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accuracy import circumstances
from ledger import Cell, Entry, Ledger, words, work
from numpy.typing import NDArray
from rdkit import Chem
from target_sets import DATA, DAVIS, INHA, hits, inha, learnable, pairs, panel, targets

from molgraph import config
from molgraph.config import RunSettings, Value
from molgraph.data.cells import Cells
from molgraph.data.dataset import Dataset
from molgraph.data.table import read_tables
from molgraph.predictor.inputs import Inputs, slots
from molgraph.predictor.parts import with_prints
from molgraph.predictor.training import Training
from molgraph.rooms.molecule.room import ROOM as MOLECULES
from molgraph.workflows.plan import Plan, plan

HERE = Path(__file__).resolve().parent
Floats = NDArray[np.float64]
NETWORKS = ("panel", "pairs")
MODELS = {
    "panel": "one network, a target a column",
    "pairs": "`fusion/concat` of `molecule/feedforward` and `protein/feedforward`",
    "similarity": "similarity to the nearest known active",
    "frequency": "how often each target is hit in the training",
    "size": "number of heavy atoms",
}
ENTERS = {**dict.fromkeys(DAVIS, ("panel", "pairs", "similarity", "frequency")), INHA: ("pairs", "similarity", "size")}
OTHERS = ("panel", "similarity", "frequency")  # that enter a panel without sequences
EPOCHS = {"davis": {"panel": 100, "pairs": 30}, "toxcast": {"panel": 30}, "muv": {"panel": 10}}
FEEDFORWARD: dict[str, Value] = {"model": "molecule/feedforward", "head": {"depth": 2, "hidden": 512, "dropout": 0.1}}


def settings(data: str, model: str, seed: int = 0, epochs: int | None = None) -> RunSettings:
    """Return the run of a network on a panel; the pairs have the settings of the benchmark of pairs."""
    if data == INHA:
        return settings(DAVIS[0], "pairs", seed, epochs)
    if model == "pairs":
        raw = config.read(HERE / "runs" / "pairs" / "davis.toml")
    else:
        kind = "regression" if data in DAVIS else "binary"
        raw = {"targets": learnable(data), "task": kind, "split": "column:split", "duplicates": "keep", **FEEDFORWARD}
    run = config.settings({**raw, "data": "", "seed": seed, "comparator": "none"})
    return replace(run, train=replace(run.train, epochs=epochs or EPOCHS[data.partition(".")[0]].get(model, 1)))


@cache
def planned(data: str, model: str) -> Plan:
    """Read and split a panel, or its pairs, once for all seeds."""
    run = settings(data, model)
    return plan(run, pairs(data) if model == "pairs" else panel(data))


@dataclass(frozen=True)
class Contest:
    """Make the estimates of every contestant; `epochs` other than the settings say only to try the harness."""

    epochs: int | None = None

    def run(self, cell: Cell) -> Entry:
        """Train one contestant and estimate the test rows; of InhA every record."""
        began = time.perf_counter()
        rows, estimates = self._transferred(cell) if cell.data == INHA else self._ranked(cell)
        network = cell.model in NETWORKS
        return Entry(
            **cell._asdict(),
            epochs=settings(cell.data, cell.model, epochs=self.epochs).train.epochs if network else 0,
            split=cell.data,
            seconds=round(time.perf_counter() - began, 1),
            threads=torch.get_num_threads(),
            made=circumstances(),
            targets=["InhA"] if cell.data == INHA else targets(cell.data),
            rows=rows,
            estimates=estimates.tolist(),
        )

    def _ranked(self, cell: Cell) -> tuple[list[int], Floats]:
        """Return the record numbers of the test molecules and the estimates [molecules, targets]."""
        made = planned(cell.data, "panel")
        test = made.rows.data.subset(made.split.test)
        rows = test.rows.tolist()
        if cell.model == "panel":
            return rows, self._by_panel(cell, made, test)
        if cell.model == "pairs":
            return rows, self._by_pairs(cell, rows)
        train = made.rows.data.subset(made.split.train)
        known = hits(cell.data)[train.rows - 1]
        if cell.model == "frequency":
            return rows, np.repeat(np.nanmean(known, axis=0)[None], len(test), axis=0)
        return rows, similarity(train, test, known == 1)

    def _by_panel(self, cell: Cell, made: Plan, test: Dataset) -> Floats:
        """Return the network's estimates; a target that never varied in the training stays what it was."""
        names = targets(cell.data)
        found = np.repeat(panel(cell.data).query("split == 'train'")[names].mean().to_numpy()[None], len(test), axis=0)
        at = [names.index(name) for name in made.task.names]
        found[:, at] = self._trained(cell, made).members[0].estimate(test)
        return np.nan_to_num(found)

    def _trained(self, cell: Cell, made: Plan) -> Training:
        run = settings(cell.data, cell.model, cell.seed, self.epochs)
        training = Training(run, made.task, made.rows.data, made.split)
        for _ in training.epochs():
            pass
        return training

    def _by_pairs(self, cell: Cell, rows: Sequence[int]) -> Floats:
        made = planned(cell.data, "pairs")
        test = made.rows.data.subset(made.split.test)
        found = made.rows.frame.iloc[test.rows - 1].assign(
            estimate=self._trained(cell, made).members[0].estimate(test)[:, 0]
        )
        wide = found.pivot(index="smiles", columns="target_id", values="estimate")
        wanted = panel(cell.data)["smiles"].iloc[np.array(rows) - 1]
        return wide.loc[wanted, targets(cell.data)].to_numpy(np.float64)

    def _transferred(self, cell: Cell) -> tuple[list[int], Floats]:
        records, sequence, crystal = inha()
        rows = list(range(1, len(records) + 1))
        if cell.model == "size":
            sizes = [Chem.MolFromSmiles(text).GetNumHeavyAtoms() for text in records["smiles"]]
            return rows, np.array(sizes, dtype=np.float64)[:, None]
        if cell.model == "similarity":
            made = MOLECULES.reading.prepare(Cells.of([crystal, *records["smiles"]]), (MOLECULES.likeness.fingerprint,))
            near = MOLECULES.likeness.index(made.parts).similarity(made.parts)
            return rows, near[made.index[1:], made.index[0]].astype(np.float64)[:, None]
        training = self._trained(cell, planned(DAVIS[0], "pairs"))
        inputs = Inputs(slots(training.run), with_prints(training.run), training.run.standardize)
        frame = pd.DataFrame({"smiles": records["smiles"], "sequence": sequence})
        (table,) = read_tables(frame, block=len(frame))
        things, index = inputs.prepare(replace(table, column="smiles")).things()
        return rows, training.members[0].estimate(things)[index][:, :1].astype(np.float64)


def similarity(train: Dataset, test: Dataset, known: NDArray[np.bool_]) -> Floats:
    """Return the Tanimoto similarity of test molecules to the nearest active of each target, 0 where none is known.

    Shapes: `known` [training molecules, targets]; returns [test molecules, targets].
    """
    (given,), (asked,) = train.inputs.values(), test.inputs.values()
    active = known.any(axis=1)
    parts, at = np.unique(given.index.numpy()[active], return_inverse=True)
    near = MOLECULES.likeness.index(given.parts.gather(torch.from_numpy(parts))).similarity(
        asked.parts.gather(asked.index)
    )[:, at]
    found = np.zeros((len(test), known.shape[1]))
    for target, mine in enumerate(known[active].T):
        if mine.any():
            found[:, target] = near[:, mine].max(axis=1)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = words(__doc__, DATA, tuple(MODELS), HERE / "results" / "targets")
    given = parser.parse_args(arguments)
    if not os.environ.get("MOLGRAPH_DATA"):
        parser.error("name the folder that holds the data in the variable MOLGRAPH_DATA")
    return work(given, lambda left: Contest(given.epochs).run, tabulate, enters)


def tabulate(ledger: Ledger) -> None:
    """Write the table of the finished cells."""
    from target_scores import write

    write(ledger, HERE / "README.md")


def enters(cell: Cell) -> bool:
    """Tell whether a contestant takes part; in what is no network nothing is drawn."""
    return cell.model in ENTERS.get(cell.data, OTHERS) and (cell.model in NETWORKS or cell.seed == 0)


if __name__ == "__main__":
    sys.exit(main())
