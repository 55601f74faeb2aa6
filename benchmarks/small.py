"""Three small sets on new scaffolds and at random: what the harnesses over them share, from words to tables.

A cell's data is SET-SPLIT; its seed also draws the split at random and the calibration rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from accuracy import checksum, circumstances, settings
from ledger import Cell, Entry, Ledger, words, work
from numpy.typing import NDArray
from table import replace_block

from molgraph import datasets
from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.workflows.plan import Plan, plan
from molgraph.workflows.rivals import NONE

HERE = Path(__file__).resolve().parent
SETS, SPLITS = ("freesolv", "esol", "bace"), ("scaffold", "random")
DATA = tuple(f"{name}-{split}" for name in SETS for split in SPLITS)
Floats = NDArray[np.float64]


class Said(NamedTuple):
    """Hold what a contestant says of rows that it did not see: the rows, column by column what it says, and notes."""

    rows: Dataset
    columns: Mapping[str, Any]
    notes: Mapping[str, Any]


def once(run: RunSettings, frame: pd.DataFrame) -> tuple[Plan, ...]:
    """Return the plan of a run over a whole set."""
    return (plan(run, frame),)


@dataclass(frozen=True)
class Board:
    """Hold one harness: its ledger and block in README.md are called `name`.

    `models` holds what each contestant sets; `epochs` those of some that differ from the run files'. `plans` reads and
    splits a set, `train` makes what a contestant says, and `lines` the lines of the table, under `head`, of all
    finished seeds of a contestant.
    """

    name: str
    about: str | None
    models: Mapping[str, Mapping[str, Any]]
    train: Callable[[tuple[Plan, ...]], Said]
    head: Sequence[str]
    lines: Callable[[Sequence[Entry]], Iterator[Sequence[str]]]
    plans: Callable[[RunSettings, pd.DataFrame], tuple[Plan, ...]] = once
    epochs: Mapping[str, int] | None = None
    seeds: str = "0,1,2"

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Read the command line and do what it says."""
        parser = words(self.about, DATA, tuple(self.models), HERE / "results" / self.name, seeds=self.seeds)
        given = parser.parse_args(arguments)
        return work(
            given,
            lambda left: lambda cell: self.fill(cell, given.epochs),
            lambda ledger: replace_block(HERE / "README.md", self.name, self.table(ledger)),
            folds=self.folds(),
        )

    def run_of(self, cell: Cell, epochs: int | None = None) -> RunSettings:
        """Return the settings of a cell."""
        name, _, split = cell.data.rpartition("-")
        few = (self.epochs or {}).get(cell.model) if epochs is None else epochs
        return replace(settings(name, few), **self.models[cell.model], seed=cell.seed, split=split, comparator=NONE)

    def made(self, cell: Cell, epochs: int | None = None) -> tuple[Plan, ...]:
        """Read and split the rows of a cell."""
        return self.plans(self.run_of(cell, epochs), datasets.load(cell.data.rpartition("-")[0]))

    def folds(self) -> Callable[[Cell], str]:
        """Return what tells the checksum of a cell's rows, folds and values, which every contestant has in common."""
        cheap = next(iter(self.models))

        @cache
        def of(data: str, seed: int) -> str:
            return checksum(*self.made(Cell(data, cheap, seed)))

        return lambda cell: of(cell.data, cell.seed)

    def fill(self, cell: Cell, epochs: int | None = None) -> Entry:
        """Train one contestant and keep what it says, beside what was measured."""
        began = time.perf_counter()
        made = self.made(cell, epochs)
        said = self.train(made)
        return Entry(
            **cell._asdict(),
            epochs=made[0].run.train.epochs,
            split=checksum(*made),
            seconds=round(time.perf_counter() - began, 1),
            threads=torch.get_num_threads(),
            made={**circumstances(), **said.notes},
            targets=list(said.columns),
            rows=said.rows.rows.tolist(),
            estimates=np.stack(list(said.columns.values()), axis=1).tolist(),
        )

    def table(self, ledger: Ledger) -> str:
        """Return what is finished as Markdown."""
        head = ["data", "split", "contestant", *self.head]
        text = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        cells = [cell for cell in sorted(ledger.finished()) if ledger.has(cell)]
        for data in DATA:
            for model in self.models:
                entries = [ledger.read(cell) for cell in cells if (cell.data, cell.model) == (data, model)]
                start = [*data.rpartition("-")[::2], model]
                text += [f"| {' | '.join([*start, *line])} |" for line in self.lines(entries)] if entries else []
        return "\n".join([*text, *filter(None, ["", ledger.left_out(DATA)])])


def columns(entry: Entry) -> dict[str, Floats]:
    """Return what a finished cell holds, column by column."""
    return dict(zip(entry.targets, np.array(entry.estimates).T, strict=True))
