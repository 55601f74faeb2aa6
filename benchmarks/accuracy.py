"""One data set, one split, and every contestant trained on it: what makes a cell of the ledger."""

from __future__ import annotations

import csv
import hashlib
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ledger import Cell, Entry
from numpy.typing import NDArray
from peer import VERSION, PeerError, call, command, threaded

import molgraph
from molgraph import config, datasets
from molgraph.config import RunSettings
from molgraph.predictor.training import Training
from molgraph.workflows.plan import Plan, plan

RUNS = Path(__file__).parent / "runs"
OURS = {"dmpnn": "molecule/dmpnn", "forest": "molecule/forest"}
PEER = "chemprop"
TASK_TYPES = {"regression": "regression", "binary": "classification"}
VERSIONS = ("torch", "rdkit", "catboost")
# Trees of many targets (SIDER, Tox21) stop growing so many rounds after their lowest validation loss, in a third of the
# time: on the validation rows of six sets the same trees for 6 of 8 targets, a loss higher by 0.03 % and 1.5 % for two.
PATIENCE, MANY = 200, 10


def settings(name: str, epochs: int | None = None) -> RunSettings:
    """Return the run file of a data set, with another number of epochs where given."""
    changed = [] if epochs is None else [f"train.epochs={epochs}"]
    return config.settings(config.override(config.read(RUNS / f"{name}.toml"), changed))


@dataclass(frozen=True)
class Contest:
    """Hold the rows of one data set, prepared and split once for all contestants."""

    name: str
    plan: Plan
    threads: int

    @classmethod
    def of(cls, name: str, *, epochs: int | None = None, threads: int = 2, trees: bool = True) -> Contest:
        """Read, prepare and split a data set; `trees`: with the features that they need, too."""
        run = replace(settings(name, epochs), comparator=OURS["forest"] if trees else "none")
        return cls(name, plan(run, datasets.load(name), workers=threads), threads)

    @property
    def split(self) -> str:
        """Return a checksum of rows, folds and values."""
        return checksum(self.plan)

    @property
    def rows(self) -> list[int]:
        """Return the record numbers of the test rows."""
        return [int(row) for row in self.plan.rows.data.rows[self.plan.split.test]]

    @property
    def targets(self) -> list[str]:
        return list(self.plan.task.names)

    @property
    def kind(self) -> str:
        """Return the kind of all targets."""
        return self.plan.task.of(self.targets[0]).answer

    def truth(self) -> NDArray[np.float64]:
        """Return what was measured of the test rows [rows, targets], NaN where nothing was."""
        found = self.plan.rows.data.targets.take(torch.from_numpy(self.plan.split.test))
        return np.where(found.observed.numpy(), found.values.numpy().astype(np.float64), np.nan)

    def run(self, cell: Cell) -> Entry:
        """Train one contestant and return its finished cell."""
        began = time.perf_counter()
        estimates = self._chemprop(cell.seed) if cell.model == PEER else self._ours(cell)
        if estimates.shape != (len(self.rows), len(self.targets)) or not np.isfinite(estimates).all():
            raise PeerError(f"{cell}: {estimates.shape} estimates for {len(self.rows)} rows, or some are not finite")
        return Entry(
            **cell._asdict(),
            epochs=self.plan.run.train.epochs,
            split=self.split,
            seconds=round(time.perf_counter() - began, 1),
            threads=self.threads,
            made=circumstances(),
            targets=self.targets,
            rows=self.rows,
            estimates=estimates.tolist(),
        )

    def _ours(self, cell: Cell) -> NDArray[np.float32]:
        """Train one of ours: early stopping on the validation fold, nothing on the calibration fold."""
        torch.set_num_threads(self.threads)
        run = replace(self.plan.run, model=OURS[cell.model], seed=cell.seed)
        if cell.model == "forest" and len(self.targets) > MANY:
            run = replace(run, encoder={"patience": PATIENCE})
        data = self.plan.rows.data
        training = Training(run, self.plan.task, data, self.plan.split)
        for _ in training.epochs():
            pass
        return training.members[0].estimate(data.subset(self.plan.split.test))

    def _chemprop(self, seed: int) -> NDArray[np.float32]:
        """Train chemprop by its command line, with its defaults, on the same molecules as the same folds."""
        with tempfile.TemporaryDirectory() as folder:
            table, out = Path(folder) / "rows.csv", Path(folder) / "out"
            with table.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(self.table())
            line = ["train", "--data-path", str(table), "--smiles-columns", "smiles", "--splits-column", "split"]
            line += ["--target-columns", *self.targets, "--task-type", TASK_TYPES[self.kind], "--output-dir", str(out)]
            line += ["--epochs", str(self.plan.run.train.epochs), "--pytorch-seed", str(seed), "--data-seed", str(seed)]
            line += ["--accelerator", "cpu", "--devices", "1"]
            call(command(*line), environment=threaded(self.threads))
            with (out / "model_0" / "test_predictions.csv").open(encoding="utf-8", newline="") as file:
                found = list(csv.DictReader(file))
        wanted = [row[0] for row in self.table() if row[-1] == "test"]
        if [row["smiles"] for row in found] != wanted:
            raise PeerError(f"chemprop predicted {len(found)} rows in another order than the {len(wanted)} test rows")
        return np.array([[row[target] for target in self.targets] for row in found], dtype=np.float32)

    def table(self) -> Iterator[list[Any]]:
        """Yield a header and the rows as chemprop reads them: the standardised SMILES, the values, the fold.

        Its validation fold is both halves of ours, the one that stops the training and the one that calibrates.
        """
        cut, data = self.plan.split, self.plan.rows.data
        training = Training(self.plan.run, self.plan.task, data, cut)  # merges what is the same molecule, as for ours
        held = training.fold(np.sort(np.concatenate([cut.valid, cut.calibration])))
        yield ["smiles", *self.targets, "split"]
        for fold, mine in (("train", training.train), ("val", held), ("test", data.subset(cut.test))):
            (given,) = mine.inputs.values()
            for row in range(len(mine)):
                values = zip(mine.targets.values[row].tolist(), mine.targets.observed[row].tolist(), strict=True)
                yield [given.key_of(row), *(value if seen else "" for value, seen in values), fold]


@cache
def today(name: str) -> Contest:
    """Return a data set as it is read and split today, without what only a training needs."""
    return Contest.of(name, threads=1, trees=False)


def checksum(*plans: Plan) -> str:
    """Return a checksum of the rows, folds and values of plans."""
    found = hashlib.sha256()
    for made in plans:
        cut, data = made.split, made.rows.data
        for fold in (cut.train, cut.valid, cut.calibration, cut.test):
            found.update(data.rows[fold].astype("<i8").tobytes() + b"|")
        found.update(data.targets.values.numpy().astype("<f4").tobytes())
    return found.hexdigest()[:16]


def circumstances() -> dict[str, Any]:
    """Say when, on what machine and with which versions."""
    versions = {"molgraph": molgraph.__version__} | {name: metadata.version(name) for name in VERSIONS}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version(), **versions, PEER: VERSION},
    }
