#!/usr/bin/env python
"""Train the models of complexes and their baselines on crystal and modelled structures, fold by fold, and compare.

    python benchmarks/structures.py [--data family,fep] [--model egnn,forest] [--seeds 0]   train what is missing
    python benchmarks/structures.py --left                                                  say what is missing
    python benchmarks/structures.py --table                                                 print the scores

`family` and `scaffold` are the 152 crystal complexes in five folds that keep a protein family, or a ligand scaffold,
together; `fep` are the modelled ligand series of the free-energy benchmark, each target left out in turn. A finished
fold is a file in `results/structures`; stop at any moment and start again. The structures are found through the
variable MOLGRAPH_DATA.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from accuracy import circumstances
from ledger import Cell, Entry, Ledger
from numpy.typing import NDArray
from rdkit import Chem
from structure_sets import SETS, TARGET, Complexes, read_set

from molgraph.config import RunSettings
from molgraph.errors import MolgraphError
from molgraph.predictor.inputs import Inputs, slots, with_prints
from molgraph.predictor.rows import Rows, read_rows
from molgraph.predictor.training import Training
from molgraph.split import Split
from molgraph.task import make

HERE = Path(__file__).resolve().parent
MODELS = {
    **{name: f"binding/{name}" for name in ("interaction", "egnn", "cnn3d", "forest")},
    "ligand": "molecule/forest",  # what the ligand alone tells
    "protein": "protein/forest",  # what the receptor alone tells
    "size": "",  # a straight line through the number of heavy atoms
}


@dataclass(frozen=True, eq=False)
class Contest:
    """Train contestants on the folds of one set; every room prepares the rows once."""

    complexes: Complexes
    epochs: int

    def settings(self, model: str, seed: int) -> RunSettings:
        """Return the run of a contestant, with default settings but for the number of epochs."""
        columns = {"ligand": "smiles", "protein": "sequence"}
        run = RunSettings(
            model=MODELS[model],
            targets=[TARGET],
            column=columns.get(model, "ligand"),
            id="id",
            duplicates="keep",
            comparator="none",
            seed=seed,
        )
        return replace(run, train=replace(run.train, epochs=self.epochs))

    def run(self, cell: Cell) -> Entry:
        """Train one contestant on one fold."""
        began = time.perf_counter()
        fold = cell.data.partition(".")[2]
        cut = self.complexes.split(fold)
        estimates = self._line(cut) if cell.model == "size" else self._trained(cell, cut)
        return Entry(
            **cell._asdict(),
            epochs=self.epochs,
            split=fold,
            seconds=round(time.perf_counter() - began, 1),
            threads=torch.get_num_threads(),
            made=circumstances(),
            targets=[TARGET],
            rows=cut.test.tolist(),
            estimates=estimates.reshape(-1, 1).tolist(),
        )

    def _line(self, cut: Split) -> NDArray[np.float64]:
        sizes, truth = (
            heavy_atoms(self.complexes.frame["smiles"]),
            self.complexes.frame[TARGET].astype(float).to_numpy(),
        )
        known = np.concatenate([cut.train, cut.valid])
        return np.polyval(np.polyfit(sizes[known], truth[known], 1), sizes[cut.test])

    def _trained(self, cell: Cell, cut: Split) -> NDArray[np.float64]:
        rows = prepared(self, MODELS[cell.model].partition("/")[0])
        if len(rows.data) != len(self.complexes.frame):
            raise RuntimeError(f"{cell}: {len(rows.data)} rows of {len(self.complexes.frame)}: {rows.data.rejects[:3]}")
        training = Training(self.settings(cell.model, cell.seed), make(rows.kinds, rows.classes), rows.data, cut)
        for _ in training.epochs():
            pass
        return training.members[0].estimate(rows.data.subset(cut.test))[:, 0].astype(np.float64)


@cache
def prepared(contest: Contest, room: str) -> Rows:
    """Return the rows of a set with the features of all contestants of a room."""
    runs = [contest.settings(name, 0) for name, model in MODELS.items() if model.startswith(f"{room}/")]
    return read_rows(contest.complexes.frame, runs[0], Inputs(slots(runs[0]), with_prints(*runs), True))


def heavy_atoms(smiles: Sequence[str]) -> NDArray[np.float64]:
    """Return the number of heavy atoms of each ligand."""
    return np.array([Chem.MolFromSmiles(text).GetNumHeavyAtoms() for text in smiles], dtype=np.float64)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=",".join(SETS), metavar="A,B", help=f"sets ({','.join(SETS)})")
    parser.add_argument("--model", default=",".join(MODELS), metavar="A,B", help=f"contestants ({','.join(MODELS)})")
    parser.add_argument("--seeds", default="0", metavar="0,1", help="initialisation seeds (0)")
    parser.add_argument("--folds", default="", metavar="A,B", help="only these folds, for example TYK2")
    parser.add_argument("--epochs", type=int, default=40, help="of the networks (40)")
    parser.add_argument("--threads", type=int, default=1, help="threads of every contestant (1)")
    parser.add_argument("--ledger", type=Path, default=HERE / "results" / "structures", help="folder of the cells")
    parser.add_argument("--left", action="store_true", help="say what is left to do, and do nothing")
    parser.add_argument("--table", action="store_true", help="print the scores of the finished cells")
    given = parser.parse_args(arguments)
    if not os.environ.get("MOLGRAPH_DATA"):
        parser.error("name the folder that holds `structures` in the variable MOLGRAPH_DATA")
    ledger, failed = Ledger(given.ledger), 0
    torch.set_num_threads(given.threads)
    for name in given.data.split(","):
        with tempfile.TemporaryDirectory() as folder:
            complexes = read_set(name, Path(folder))
            if given.table:
                from structure_scores import table

                print(table(complexes, ledger, list(MODELS)), end="\n\n")
                continue
            only = given.folds.split(",") if given.folds else list(complexes.folds)
            cells = complexes.cells(given.model.split(","), [int(seed) for seed in given.seeds.split(",")])
            left = [cell for cell in cells if cell.data.partition(".")[2] in only and not ledger.has(cell)]
            print(f"{name}: {len(left)} of {len(cells)} cells left", flush=True)
            failed += 0 if given.left else ledger.fill(left, Contest(complexes, given.epochs).run, (MolgraphError,))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
