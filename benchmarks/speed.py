"""Measure speed beside the peer: SMILES to graphs, training, and `predict` from file to file (`make bench`).

    python benchmarks/speed.py [--rounds 3] [--molecules 20000] [--threads 2] [--no-page]

Where chemprop cannot be installed, ours alone is measured. Results go to results/speed-DATE.json and, as a table, into
README.md. Nothing else should run on the machine meanwhile; its load at the start is noted.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from accuracy import circumstances
from featurise import YARDSTICK, molecules
from peer import PeerError, call, command, python, threaded
from rdkit import RDConfig, rdBase
from table import replace_block

from molgraph import datasets
from molgraph.data.shelf import mirror

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OURS, PEER = "molgraph", "chemprop"
SERIES, DIVERSE = "chembl2321810", "lipophilicity"
SAMPLE = 1000  # molecules of a larger set that train

Turn = dict[str, Any]


def main() -> int:
    """Measure, write and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each contest (3)")
    parser.add_argument("--molecules", type=int, default=20_000, help="molecules to predict (20000)")
    parser.add_argument("--threads", type=int, default=2, help="threads of training and prediction (2)")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder of the results")
    parser.add_argument("--no-page", action="store_true", help="leave README.md as it is")
    given = parser.parse_args()
    about: dict[str, Any] = circumstances() | {"threads": given.threads, "load": _load(), "peer": PEER}
    try:
        python()
    except PeerError as error:
        print(f"ours alone is measured: {error}", file=sys.stderr)
        about["peer"] = None
    with tempfile.TemporaryDirectory() as folder, rdBase.BlockLogs():
        bench = Bench(Path(folder), given.rounds, given.threads, with_peer=about["peer"] is not None)
        found = {"about": about, "graphs": bench.graphs(), "training": bench.training()}
        found["predict"] = bench.predict(given.molecules)
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"speed-{about['date']}.json"
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    text = page(found)
    print(f"\n{text}\n\nwritten to {path}")
    if not given.no_page:
        replace_block(HERE / "README.md", "speed", text)
    return 0


class Bench:
    """Run the three contests with files in a scratch folder."""

    def __init__(self, folder: Path, rounds: int, threads: int, *, with_peer: bool) -> None:
        self.folder, self.rounds, self.threads, self.with_peer = folder, rounds, threads, with_peer
        self.library = _library()
        self.both = str(python()) if with_peer else sys.executable  # both sides can be imported by this one

    def graphs(self) -> dict[str, Any]:
        """Race SMILES to packed graphs on one core, by the processor's clock."""
        given = [str(self.library), "--rounds", str(2 * self.rounds + 1)]
        return self._script("featurise.py", given, threads=1)

    def training(self) -> dict[str, Any]:
        """Race the training of the same D-MPNN: on a series of alike molecules and, where it is here, a diverse set."""
        found = {}
        for name in (SERIES, DIVERSE) if mirror() else (SERIES,):
            table = datasets.load(name)
            rows = list(zip(table["smiles"], table[datasets.card(name).targets[0].name], strict=True))
            path = self.folder / f"{name}.csv"
            _write(path, ["smiles", "value"], random.Random(0).sample(rows, min(SAMPLE, len(rows))))
            given = [str(path), "--rounds", str(self.rounds), "--threads", str(self.threads)]
            found[name] = self._script("training.py", given, threads=self.threads)
        return found

    def predict(self, count: int) -> dict[str, Any]:
        """Race whole processes from CSV to CSV, all default columns included."""
        texts = molecules(self.library, count)
        library = self.folder / "library.csv"
        _write(library, ["smiles"], [[text] for text in texts])
        contestants = self._contestants(library)
        turns: list[dict[str, Turn]] = []
        for _ in range(self.rounds):
            turns.append({name: self._timed(line) for name, line in contestants.items()})
            print("predict", ", ".join(f"{name} {turn['wall']:.1f} s" for name, turn in turns[-1].items()), flush=True)
        return {"molecules": len(texts), "rounds": turns}

    def _contestants(self, library: Path) -> dict[str, Sequence[str]]:
        """Train one model on each side (how well does not matter) and return the command lines to be timed."""
        table, mine, theirs = self.folder / f"{SERIES}.csv", self.folder / "mine", self.folder / "theirs"
        molgraph = [sys.executable, "-m", "molgraph"]
        short = ["--set", "train.epochs=2", "--set", "comparator=none"]
        self._call([*molgraph, "train", str(table), "--target", "value", *short, "--out", str(mine)])
        into = ["-o", str(self.folder / "mine.csv")]
        found = {OURS: [*molgraph, "predict", str(library), "--model", str(mine), *into]}
        if self.with_peer:
            self._call(command("train", "-i", str(table), "--epochs", "3", "-o", str(theirs), "--accelerator", "cpu"))
            model = str(theirs / "model_0" / "best.pt")
            found[PEER] = command("predict", "-i", str(library), "--model-paths", model)
            found[PEER] += ["-o", str(self.folder / "theirs.csv"), "--accelerator", "cpu"]
        return found

    def _script(self, name: str, arguments: Sequence[str], *, threads: int) -> dict[str, Any]:
        """Run a script of this folder where both sides can be imported, and return what it measured."""
        print(f"\n{name} {Path(arguments[0]).name}", flush=True)
        result = self.folder / f"{name}.json"
        line = [self.both, str(HERE / name), *arguments, "--json", str(result)]
        print(self._call(line, threads), end="", flush=True)
        return json.loads(result.read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    def _timed(self, line: Sequence[str]) -> Turn:
        before, began = os.times(), time.perf_counter()
        self._call(line)
        wall, after = time.perf_counter() - began, os.times()
        processor = after.children_user + after.children_system - before.children_user - before.children_system
        return {"wall": wall, "processor": processor}

    def _call(self, line: Sequence[str], threads: int | None = None) -> str:
        return call(line, environment=threaded(threads or self.threads, PYTHONPATH=str(ROOT)))


def page(found: dict[str, Any]) -> str:
    """Return the table as Markdown."""
    about, lines = found["about"], ["| contest | ratio: median (lowest to highest) | target |", "|---|---|---|"]
    graphs = found["graphs"]["rounds"]
    rivals = {
        YARDSTICK: ("RDKit's bare `MolFromSmiles`", 0.9),
        "Chemprop, default": ("chemprop's default featuriser", 3),
    }
    for rival, (words, target) in rivals.items():
        for way, wanted in (("as written", target), ("standardised", None)) if rival in graphs else ():
            title = f"SMILES to packed graphs, {way}, one core, times {words}"
            lines += [_line(title, _over(graphs[rival], graphs[f"graphs, {way}"]), wanted)]
    for name, race in found["training"].items():
        title = f"training the same D-MPNN, molecules/s, times chemprop ({race['molecules']} molecules of {name})"
        lines += _speeds(title, race, lambda turn: sum(wall for wall, _ in turn) / len(turn), 1.5)
    count = found["predict"]["molecules"]
    title = f"`predict` CSV to CSV, {count:,} molecules, whole process, times `chemprop predict`"
    lines += _speeds(title, found["predict"], lambda turn: turn["wall"], 2)
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    load = "" if about["load"] is None else f", load at the start {about['load']}"
    lines += ["", f"{about['date']}, {about['machine']}, {about['threads']} threads{load}; {versions}."]
    if not about["peer"]:
        lines.append("Chemprop could not be installed: ours alone was measured.")
    return "\n".join(lines)


def _over(theirs: Sequence[Sequence[float]], mine: Sequence[Sequence[float]]) -> list[float]:
    return [their / our for (_, their), (_, our) in zip(theirs, mine, strict=True)]


def _speeds(title: str, race: dict[str, Any], seconds: Callable[[Any], float], target: float) -> list[str]:
    """Return the line of a contest; without the peer, molecules per second of ours."""
    mine = [seconds(turn[OURS]) for turn in race["rounds"]]
    if PEER not in race["rounds"][0]:
        return [f"| {title} | ours alone: {race['molecules'] / statistics.median(mine):,.0f} molecules/s | |"]
    theirs = [seconds(turn[PEER]) for turn in race["rounds"]]
    rates = [f"{race['molecules'] / statistics.median(s):,.0f}" for s in (mine, theirs)]
    ratios = [their / our for our, their in zip(mine, theirs, strict=True)]
    return [_line(f"{title}: {rates[0]} against {rates[1]} molecules/s", ratios, target)]


def _line(title: str, ratios: Sequence[float], target: float | None) -> str:
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"| {title} | {spread} | {'' if target is None else f'{target:g}'} |"


def _library() -> Path:
    """Return a file of many molecules: PubChem's where the data are here, else the one in RDKit's wheel."""
    shelf = mirror()
    big = shelf / "library" / "pubchem_100k.smi.gz" if shelf else None
    return big if big and big.exists() else Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def _load() -> float | None:
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


if __name__ == "__main__":
    sys.exit(main())
