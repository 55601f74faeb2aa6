#!/usr/bin/env python
"""Train networks on X-rays and patches of CT beside trees on pixels and the nearest picture.

    python benchmarks/imaging.py [--data pneumoniamnist] [--model forest,cnn] [--seeds 0]   train what is missing
    python benchmarks/imaging.py --left                                                     say what is missing
    python benchmarks/imaging.py --table                                                    write it into README.md

A finished cell is a file in `results/NAME`; stop at any moment and start again. The data are found through
MOLGRAPH_DATA. Without a card `resnet18` and `resnet50`, which see 28 pixels as those of MedMNIST do, wait for one: name
them to train them all the same. `resnet18_cpu` sees less and trains for fewer epochs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from accuracy import circumstances
from imaging_sets import DATA, FOLDS, source
from ledger import Cell, Entry, Ledger, in_turn, words, work
from numpy.typing import NDArray

from molgraph import config
from molgraph import split as splits
from molgraph.config import RunSettings, Value
from molgraph.predictor.assess import neighbour_estimates
from molgraph.predictor.domain import Domain
from molgraph.predictor.inputs import slots
from molgraph.predictor.training import Training
from molgraph.split import Split
from molgraph.workflows.plan import Plan, grouping, guarded, plan

HERE = Path(__file__).resolve().parent
RUNS = HERE / "runs" / "imaging"
NEIGHBOUR = "neighbour"
CARD = ("resnet18", "resnet50")  # an epoch of them takes a core minutes
MODELS = ("forest", NEIGHBOUR, "cnn", "resnet18_cpu", *CARD)
DRAWN = ("forest", "cnn", "resnet18_cpu", *CARD)  # a seed changes something
# What a contestant says otherwise than the run file. The stem "small" does not halve pictures before the first block,
# as MedMNIST's networks at 28 pixels do not; "standard" halves twice, so 56 pixels reach the first block as 14.
CONTESTANTS: dict[str, dict[str, dict[str, Value]]] = {
    "cnn": {},
    "resnet18_cpu": {"encoder": {"size": 56, "stem": "standard"}, "train": {"epochs": 6, "patience": 3}},
    "resnet18": {"encoder": {"stem": "small"}, "train": {"epochs": 100, "patience": 20}},
    "resnet50": {"encoder": {"stem": "small"}, "train": {"epochs": 100, "patience": 20}},
}


def settings(data: str, model: str, seed: int = 0, epochs: int | None = None) -> RunSettings:
    """Return the run of a contestant on a data set."""
    raw = config.read(RUNS / f"{data}.toml") | {"seed": seed, "comparator": "none"}
    if model == "forest":
        return config.settings({**raw, "model": "imaging/forest", "encoder": {}})
    if model in CONTESTANTS:
        raw["model"] = f"imaging/{model.removesuffix('_cpu')}"
        for section, changes in CONTESTANTS[model].items():
            raw[section] = raw[section] | changes
    if epochs is not None:
        raw["train"] = raw["train"] | {"epochs": epochs}
    return config.settings(raw)


@dataclass(frozen=True, eq=False)
class Contest:
    """Hold the pictures of one data set, read and cut once for all contestants."""

    name: str
    made: Plan
    cuts: tuple[Split, ...]
    epochs: int | None

    @classmethod
    def of(cls, name: str, models: Sequence[str], epochs: int | None) -> Contest:
        """Read, prepare and split, with what every contestant named looks at."""
        first, *others = [settings(name, model) for model in models]
        made = plan(first, source(name), also=others)
        if name not in FOLDS:
            return cls(name, made, (made.split,), epochs)
        groups, data = grouping(made), made.rows.data
        cuts = []
        for fold in range(FOLDS[name]):
            cut = splits.split(len(data), method="group", groups=groups, fold=fold, folds=FOLDS[name], rows=data.rows)
            cuts.append(guarded(made.run, made.rows, cut)[0])
        return cls(name, made, tuple(cuts), epochs)

    def run(self, cell: Cell) -> Entry:
        """Train one contestant, in each fold anew."""
        began = time.perf_counter()
        estimates = np.concatenate([self._estimates(cell, cut) for cut in self.cuts])
        folds = f", {len(self.cuts)} folds" if len(self.cuts) > 1 else ""
        return Entry(
            **cell._asdict(),
            epochs=settings(self.name, cell.model, epochs=self.epochs).train.epochs if cell.model in CONTESTANTS else 0,
            split=f"{self.made.run.split}{folds}",
            seconds=round(time.perf_counter() - began, 1),
            threads=torch.get_num_threads(),
            made=circumstances(),
            targets=list(self.made.task.names),
            rows=[row for cut in self.cuts for row in self.made.rows.data.rows[cut.test].tolist()],
            estimates=estimates.tolist(),
        )

    def _estimates(self, cell: Cell, cut: Split) -> NDArray[np.float32]:
        """Return the estimates of the test rows of one fold."""
        data = self.made.rows.data
        if cell.model == NEIGHBOUR:
            known = Training(self.made.run, self.made.task, data, cut)
            rooms = {slot.name: slot.room for slot in slots(self.made.run)}
            return neighbour_estimates(Domain.learn(rooms, known.train), known.task, data.subset(cut.test))
        run = replace(settings(self.name, cell.model, cell.seed, self.epochs), targets=self.made.run.targets)
        training = Training(run, self.made.task, data, cut)
        for _ in training.epochs():
            pass
        return training.members[0].estimate(data.subset(cut.test))


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    card = torch.cuda.is_available()
    models = [model for model in MODELS if model not in (("resnet18_cpu",) if card else CARD)]
    parser = words(__doc__, DATA, models, HERE / "results", seeds="0,1,2,3,4" if card else "0")
    given = parser.parse_args(arguments)
    if not os.environ.get("MOLGRAPH_DATA"):
        parser.error("name the folder that holds `imaging` in the variable MOLGRAPH_DATA")
    return work(given, lambda left: contests(left, given.epochs), tabulate, enters)


def tabulate(ledger: Ledger) -> None:
    """Write the tables of the finished cells."""
    from imaging_scores import write

    write(ledger, HERE / "README.md")


def enters(cell: Cell) -> bool:
    """Tell whether a contestant takes part: in some nothing is drawn."""
    return cell.model in DRAWN or cell.seed == 0


def contests(left: Sequence[Cell], epochs: int | None) -> Callable[[Cell], Entry]:
    """Return what makes a cell."""
    return in_turn(left, lambda data, models: Contest.of(data, models, epochs))


if __name__ == "__main__":
    sys.exit(main())
