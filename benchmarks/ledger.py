"""The ledger of finished (data, model, seed) cells: one small JSON file each, written whole or not at all.

A cell holds the estimates of the test rows, not their scores: scores, intervals and ensembles are computed from them
whenever the table is made.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from molgraph.data.files import atomic

DATA = ("freesolv", "esol", "bace", "bbbp", "clintox", "sider", "lipophilicity", "tox21")  # small ones first
MODELS = ("dmpnn", "forest", "chemprop")
SEEDS = (0, 1, 2)


class Cell(NamedTuple):
    """Name one cell."""

    data: str
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.data} {self.model} seed {self.seed}"


def words(
    about: str | None, data: Sequence[str], models: Sequence[str], folder: Path, *, seeds: str = "0,1,2"
) -> argparse.ArgumentParser:
    """Return the command line that every filler of a ledger understands: what to fill, how, what to say or tabulate."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=",".join(data), metavar="A,B", help=f"sets ({','.join(data)})")
    parser.add_argument("--model", default=",".join(models), metavar="A,B", help=f"contestants ({','.join(models)})")
    parser.add_argument("--seeds", default=seeds, metavar="0,1", help=f"seeds ({seeds})")
    parser.add_argument("--epochs", type=int, help="other than the settings say: to try the harness, with --ledger")
    parser.add_argument("--threads", type=int, default=1, help="threads of every contestant (1)")
    parser.add_argument("--ledger", type=Path, default=folder, help="folder of the cells")
    parser.add_argument("--left", action="store_true", help="say what is left to do, and do nothing")
    parser.add_argument("--table", action="store_true", help="write the scores of the finished cells into README.md")
    return parser


@dataclass(frozen=True)
class Entry:
    """Hold a finished cell.

    `split` is a checksum of the rows, folds and values it was made on; `rows` the record numbers of the test rows;
    `estimates` [rows][targets]; `seconds` the wall time with `threads`; `made` says when, on what, with which versions.
    """

    data: str
    model: str
    seed: int
    epochs: int
    split: str
    seconds: float
    threads: int
    made: dict[str, Any]
    targets: list[str]
    rows: list[int]
    estimates: list[list[float]]


@dataclass(frozen=True)
class Ledger:
    """Keep finished cells in a folder, one folder per data set.

    `folds` returns the checksum of the rows, folds and values that a cell would be made on today. A file with another
    one is stale: it counts as not there, and its cell is made again. Without `folds` every file counts.
    """

    folder: Path
    folds: Callable[[Cell], str] | None = None

    def path(self, cell: Cell) -> Path:
        """Return where a cell is kept."""
        return self.folder / cell.data / f"{cell.model}-{cell.seed}.json"

    def has(self, cell: Cell) -> bool:
        """Tell whether a cell is finished, on today's rows and folds."""
        return self.path(cell).exists() and not self.stale(cell)

    def stale(self, cell: Cell) -> bool:
        """Tell whether a cell's file was made on other rows or folds than today's."""
        known = self.folds is not None and self.path(cell).exists()
        return known and self.read(cell).split != self.folds(cell)

    def named(self, cell: Cell) -> str:
        """Name a cell that is left, and say why where it has a file."""
        return f"{cell} (its file is of other rows or folds)" if self.stale(cell) else str(cell)

    def left_out(self, data: Sequence[str]) -> str:
        """Say which files of some data sets no table may use, "" where there are none."""
        count = Counter(cell.data for cell in self.finished() if cell.data in data and self.stale(cell))
        named = ", ".join(f"{name} ({number})" for name, number in count.items())
        return f"Left out, as they were made on other rows or folds than today's: cells of {named}." if count else ""

    def read(self, cell: Cell) -> Entry:
        """Return a finished cell."""
        return Entry(**json.loads(self.path(cell).read_text(encoding="utf-8")))

    def write(self, entry: Entry) -> None:
        """Keep a finished cell: a short head for people, one line per test row."""
        raw = asdict(entry)
        estimates = raw.pop("estimates")
        rows = ",\n".join(json.dumps([float(f"{value:.5g}") for value in row]) for row in estimates)
        text = json.dumps(raw, ensure_ascii=False)[:-1] + f',\n"estimates": [\n{rows}\n]}}\n'
        path = self.path(Cell(entry.data, entry.model, entry.seed))
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as file:
            file.write(text.encode())

    def finished(self) -> Iterator[Cell]:
        """Yield the cells that have a file, stale ones too; what else lies in the folder is called otherwise."""
        for path in sorted(self.folder.glob("*/*.json")):
            model, _, seed = path.stem.rpartition("-")
            if model and seed.isdecimal():
                yield Cell(path.parent.name, model, int(seed))

    def left(self, data: Sequence[str], models: Sequence[str], seeds: Sequence[int]) -> list[Cell]:
        """Return the wanted cells that are not finished: data set by data set, in it seed by seed."""
        wanted = (Cell(d, m, s) for d, s, m in product(data, seeds, models))
        return [cell for cell in wanted if not self.has(cell)]

    def fill(self, left: Sequence[Cell], make: Callable[[Cell], Entry], errors: tuple[type[Exception], ...]) -> int:
        """Make the missing cells one after the other; return how many failed with one of `errors`."""
        failed = 0
        for number, cell in enumerate(left, 1):
            if self.has(cell):  # finished by another process meanwhile
                continue
            try:
                entry = make(cell)
            except errors as error:
                print(f"{cell} failed: {error}", file=sys.stderr, flush=True)
                failed += 1
                continue
            self.write(entry)
            print(f"[{number}/{len(left)}] {cell}: {entry.seconds:.0f} s", flush=True)
        return failed

    def expected(self, cells: Sequence[Cell], work: Callable[[Cell], float]) -> list[float | None]:
        """Guess the seconds of cells: what the same model took on the same data, else elsewhere by the work there."""
        same: dict[tuple[str, str], list[float]] = defaultdict(list)
        rate: dict[str, list[float]] = defaultdict(list)
        for cell in (cell for cell in self.finished() if cell.data in DATA):  # other harnesses keep theirs here, too
            seconds = self.read(cell).seconds
            same[cell[:2]].append(seconds)
            rate[cell.model].append(seconds / work(cell))
        found: list[float | None] = []
        for cell in cells:
            elsewhere = statistics.median(rate[cell.model]) * work(cell) if rate[cell.model] else None
            found.append(statistics.median(same[cell[:2]]) if same[cell[:2]] else elsewhere)
        return found


class Contest(Protocol):
    """Make the cells of one data set."""

    @property
    def name(self) -> str: ...

    def run(self, cell: Cell) -> Entry:
        """Train one contestant and return its finished cell."""
        ...


def in_turn(left: Sequence[Cell], contest: Callable[[str, list[str]], Contest]) -> Callable[[Cell], Entry]:
    """Return what makes a cell; the rows of a data set are kept until the next set's turn.

    `contest` is given a data set and the models that are left to train on it.
    """
    held: list[Contest] = []

    def make(cell: Cell) -> Entry:
        if not held or held[0].name != cell.data:
            held[:] = [contest(cell.data, sorted({c.model for c in left if c.data == cell.data}))]
        return held[0].run(cell)

    return make


def work(
    given: argparse.Namespace,
    maker: Callable[[list[Cell]], Callable[[Cell], Entry]],
    tabulate: Callable[[Ledger], object],
    enters: Callable[[Cell], bool] = lambda cell: True,
    folds: Callable[[Cell], str] | None = None,
) -> int:
    """Do what the words of a harness ask for: make the table, say what is left, or make that; return an exit code."""
    import torch

    from molgraph.errors import MolgraphError

    ledger = Ledger(given.ledger, folds)
    if given.table:
        tabulate(ledger)
        return 0
    torch.set_num_threads(given.threads)
    wanted = ledger.left(given.data.split(","), given.model.split(","), [int(seed) for seed in given.seeds.split(",")])
    left = [cell for cell in wanted if enters(cell)]
    print(f"{len(left)} cells left: {', '.join(map(ledger.named, left))}", flush=True)
    return 0 if given.left else int(ledger.fill(left, maker(left), (MolgraphError,)) > 0)
