"""Measure how fast the same D-MPNN trains (hidden 300, depth 3, batch 64): ours, and chemprop's in Lightning's Trainer.

Both take their turn in one process, round after round, on the same molecules and threads; featurising is done before
and counts for neither. What counts is an epoch of training: batches, forward, backward, optimiser step. Chemprop's
Trainer has no logger, no checkpoints, no progress bar and no validation, and its time starts and ends with the epoch,
so that what Lightning does between epochs is left out; ours keeps the best weights within its time.

    python benchmarks/training.py TABLE.csv [--epochs 3] [--rounds 5] [--threads 2] [--json FILE]

TABLE.csv has the columns smiles and value. Chemprop joins in where it can be imported, as in featurise.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rdkit import Chem

from molgraph.config import FitSettings
from molgraph.data.dataset import Dataset, Input
from molgraph.data.targets import Targets
from molgraph.fit import fit
from molgraph.kinds import Number
from molgraph.model.model import Model
from molgraph.rooms.molecule.encoders.dmpnn import DMPNN
from molgraph.rooms.molecule.prepare import prepare

OURS, PEER = "molgraph", "chemprop"
HIDDEN, DEPTH, BATCH = 300, 3, 64

Seconds = tuple[float, float]  # by the wall, by the processor
Train = Callable[[int], list[Seconds]]  # number of epochs to the time of each


def main() -> None:
    """Print molecules per second and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--epochs", type=int, default=3, help="epochs in each turn (3)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write the seconds of each epoch")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with given.table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    smiles, values = [row["smiles"] for row in rows], [float(row["value"]) for row in rows]
    runners: dict[str, Train] = {OURS: ours(smiles, values)}
    try:
        runners[PEER] = peer(smiles, values)
    except ImportError:
        print("chemprop cannot be imported here: ours alone is measured")
    found = race(runners, given.epochs, given.rounds)
    show(found, len(smiles))
    if given.json:
        given.json.write_text(json.dumps({"molecules": len(smiles), "rounds": found}), encoding="utf-8")


def ours(smiles: Sequence[str], values: Sequence[float]) -> Train:
    """Return what trains ours for some epochs, through `molgraph.fit`."""
    made = prepare(smiles, ["graph"], standardise=False)
    targets = Targets.of(["value"], torch.tensor(values)[:, None])
    given = Input(made.parts, torch.from_numpy(made.index))
    data = Dataset({"smiles": given}, targets, np.arange(1, len(smiles) + 1), tuple(smiles))
    task = Number(("value",)).adapt(targets)
    nothing = data.subset(np.arange(0))

    def train(epochs: int) -> list[Seconds]:
        torch.manual_seed(0)
        model = Model(DMPNN(made.parts.schema, hidden=HIDDEN, depth=DEPTH), task, depth=1, hidden=HIDDEN)
        settings = FitSettings(epochs=epochs, batch_size=BATCH, device="cpu", warmup=0)
        clock = Clock()
        return [clock.lap() for _ in fit(model, data, nothing, settings)]

    return train


def peer(smiles: Sequence[str], values: Sequence[float]) -> Train:
    """Return what trains chemprop's model for some epochs, as its command line sets it up.

    Raises: ImportError where chemprop is not installed.
    """
    from chemprop.data import MoleculeDatapoint, MoleculeDataset, build_dataloader
    from chemprop.models import MPNN
    from chemprop.nn import BondMessagePassing, NormAggregation, RegressionFFN
    from lightning import pytorch as lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    points = [MoleculeDatapoint(Chem.MolFromSmiles(s), np.array([v])) for s, v in zip(smiles, values, strict=True)]
    dataset = MoleculeDataset(points)
    dataset.normalize_targets()
    dataset.cache = True  # the command line's default: graphs are made once
    loader = build_dataloader(dataset, BATCH, seed=0)

    class Laps(lightning.Callback):  # type: ignore[misc]
        """Note the time of each epoch."""

        def __init__(self) -> None:
            self.found: list[Seconds] = []

        def on_train_epoch_start(self, *_: Any) -> None:
            self.clock = Clock()

        def on_train_epoch_end(self, *_: Any) -> None:
            self.found.append(self.clock.lap())

    def train(epochs: int) -> list[Seconds]:
        torch.manual_seed(0)
        model = MPNN(
            BondMessagePassing(d_h=HIDDEN, depth=DEPTH),
            NormAggregation(),
            RegressionFFN(input_dim=HIDDEN, hidden_dim=HIDDEN, n_layers=1),
            warmup_epochs=0,
        )
        laps = Laps()
        trainer = lightning.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            devices=1,
            callbacks=[laps],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(model, loader)
        return laps.found

    return train


class Clock:
    """Tell the seconds since it was last asked."""

    def __init__(self) -> None:
        self.last = time.perf_counter(), time.process_time()

    def lap(self) -> Seconds:
        """Return the seconds since the last lap, by the wall and by the processor."""
        now = time.perf_counter(), time.process_time()
        wall, processor = now[0] - self.last[0], now[1] - self.last[1]
        self.last = now
        return wall, processor


def race(runners: dict[str, Train], epochs: int, rounds: int) -> list[dict[str, list[Seconds]]]:
    """Return the seconds of each epoch of each contestant, round after round; the first round, left out, warms up."""
    found = [{name: train(epochs) for name, train in runners.items()} for _ in range(rounds + 1)]
    return found[1:]


def show(found: list[dict[str, list[Seconds]]], molecules: int) -> None:
    """Print molecules per second of each contestant, and how many times as fast ours is."""
    for name in found[0]:
        speeds = [molecules * len(turn[name]) / sum(wall for wall, _ in turn[name]) for turn in found]
        print(f"{name:10s} {statistics.median(speeds):6.0f} molecules/s ({min(speeds):.0f} to {max(speeds):.0f})")
    if PEER in found[0]:
        by_round = [sum(w for w, _ in turn[PEER]) / sum(w for w, _ in turn[OURS]) for turn in found]
        print(f"ratio      {statistics.median(by_round):6.2f} ({min(by_round):.2f} to {max(by_round):.2f})")


if __name__ == "__main__":
    main()
