#!/usr/bin/env python
"""Train the models of complexes and their baselines on crystal and modelled structures, fold by fold, and compare.

    python benchmarks/structures.py [--data family.0,fep.0] [--model egnn,forest] [--seeds 0]   train what is missing
    python benchmarks/structures.py --left                                                      say what is missing
    python benchmarks/structures.py --table                                                     write it into README.md

`family` and `scaffold` are crystal complexes in five folds that keep a protein family, or a ligand scaffold, together;
`fep` are the modelled ligand series of the free-energy benchmark, in five folds that keep protein families together. A
finished fold is a file in `results/structures`; stop at any moment and start again. The structures are found through
the variable MOLGRAPH_DATA.
"""

from __future__ import annotations

import atexit
import os
import shutil
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
from ledger import Cell, Entry, Ledger, words, work
from numpy.typing import NDArray
from rdkit import Chem
from structure_sets import DATA, TARGET, Complexes, read_set

from molgraph.config import RunSettings
from molgraph.kinds import make
from molgraph.predictor.inputs import Inputs, slots
from molgraph.predictor.parts import with_prints
from molgraph.predictor.rows import Rows, read_rows
from molgraph.predictor.training import Training
from molgraph.split import Split

HERE = Path(__file__).resolve().parent
MODELS = {
    **{name: f"binding/{name}" for name in ("interaction", "egnn", "cnn3d", "forest")},
    "ligand": "molecule/forest",  # what the ligand alone tells
    "protein": "protein/forest",  # what the receptor alone tells
    "size": "",  # a straight line through the number of heavy atoms
}
EPOCHS = 40  # of the networks


@dataclass(frozen=True)
class Contest:
    """Train contestants on one fold of a set."""

    epochs: int

    def run(self, cell: Cell) -> Entry:
        """Train one contestant on one fold."""
        began = time.perf_counter()
        name, _, fold = cell.data.partition(".")
        cut = complexes(name).split(fold)
        estimates = _line(complexes(name), cut) if cell.model == "size" else self._trained(cell, name, cut)
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

    def _trained(self, cell: Cell, name: str, cut: Split) -> NDArray[np.float64]:
        rows = prepared(name, MODELS[cell.model].partition("/")[0])
        if len(rows.data) != len(complexes(name).frame):
            raise RuntimeError(
                f"{cell}: {len(rows.data)} rows of {len(complexes(name).frame)}: {rows.data.rejects[:3]}"
            )
        run = settings(cell.model, cell.seed, self.epochs)
        training = Training(run, make(rows.kinds, rows.classes), rows.data, cut)
        for _ in training.epochs():
            pass
        return training.members[0].estimate(rows.data.subset(cut.test))[:, 0].astype(np.float64)


def settings(model: str, seed: int, epochs: int) -> RunSettings:
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
    return replace(run, train=replace(run.train, epochs=epochs))


@cache
def complexes(name: str) -> Complexes:
    """Return a set, unpacked until the process ends."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return read_set(name, folder)


@cache
def prepared(name: str, room: str) -> Rows:
    """Return the rows of a set with the features of all contestants of a room."""
    runs = [settings(each, 0, EPOCHS) for each, model in MODELS.items() if model.startswith(f"{room}/")]
    return read_rows(complexes(name).frame, runs[0], Inputs(slots(runs[0]), with_prints(*runs), True))


def _line(given: Complexes, cut: Split) -> NDArray[np.float64]:
    sizes, truth = heavy_atoms(given.frame["smiles"]), given.frame[TARGET].astype(float).to_numpy()
    known = np.concatenate([cut.train, cut.valid])
    return np.polyval(np.polyfit(sizes[known], truth[known], 1), sizes[cut.test])


def heavy_atoms(smiles: Sequence[str]) -> NDArray[np.float64]:
    """Return the number of heavy atoms of each ligand."""
    return np.array([Chem.MolFromSmiles(text).GetNumHeavyAtoms() for text in smiles], dtype=np.float64)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = words(__doc__, DATA, tuple(MODELS), HERE / "results" / "structures")
    given = parser.parse_args(arguments)
    if not os.environ.get("MOLGRAPH_DATA"):
        parser.error("name the folder that holds `structures` in the variable MOLGRAPH_DATA")
    return work(given, lambda left: Contest(given.epochs or EPOCHS).run, tabulate, enters)


def tabulate(ledger: Ledger) -> None:
    """Write the tables of the finished cells."""
    from structure_scores import write

    write(ledger, HERE / "README.md")


def enters(cell: Cell) -> bool:
    """Tell whether a contestant takes part: a straight line draws no random numbers."""
    return cell.model != "size" or cell.seed == 0


if __name__ == "__main__":
    sys.exit(main())
