"""Measure the memory of a screen of a million rows with a tiny network (`python benchmarks/memory.py`).

The library is RDKit's NCI file over and over, under new names. The screen runs as the command does, in a process of
its own; the peaks are the kernel's (parent, and the largest of its workers). Results go to results/memory-DATE.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from accuracy import circumstances

from molgraph import datasets
from molgraph.data.write import open_writer

HERE = Path(__file__).resolve().parent
SERIES, LIBRARY, TARGET = "chembl2321810", "nci_5k", "pAct"
TINY = ("--set", "encoder.hidden=32", "--set", "encoder.depth=2", "--set", "train.epochs=2")
COMMAND = """
import json, resource, sys, time
from molgraph.cli import main
if __name__ == "__main__":
    began = time.perf_counter()
    code = main(sys.argv[1:])
    peaks = [resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps([code, round(time.perf_counter() - began, 1), *peaks]))
"""


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="50000,1000000", help="sizes of the library (50000,1000000)")
    parser.add_argument("--workers", type=int, default=2, help="processes that score (2)")
    given = parser.parse_args()
    about: dict[str, Any] = circumstances()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = train(folder)
        sizes = [int(size) for size in given.rows.split(",")]
        found = [measure(folder, model, size, given.workers) for size in sizes]
    path = HERE / "results" / f"memory-{about['date']}.json"
    path.write_text(json.dumps({"about": about, "screens": found}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {path}")
    return 0


def train(folder: Path) -> Path:
    """Train a tiny network on the series in RDKit's wheel; return its folder."""
    with open_writer(folder / "series.csv") as writer:
        writer.write(datasets.load(SERIES))
    command(folder, "train", str(folder / "series.csv"), "--target", TARGET, *TINY, "--out", str(folder / "model"))
    return folder / "model"


def command(folder: Path, *words: str) -> list[float]:
    """Run `molgraph WORDS` in a process of its own; return exit code, seconds, and both peaks in MB.

    This process stays small: a new one starts with the peak of the one that made it (`getrusage`).
    """
    script = folder / "command.py"
    script.write_text(COMMAND, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script), *words], stdout=subprocess.PIPE, text=True, check=True)
    found: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    if found[0]:
        raise SystemExit(f"molgraph {' '.join(words)} ended with exit code {found[0]}")
    return found


def measure(folder: Path, model: Path, rows: int, workers: int) -> dict[str, Any]:
    """Screen a library of so many rows; return seconds and peaks in MB."""
    library, out = folder / f"library-{rows}.csv", folder / f"screen-{rows}"
    molecules = itertools.islice(itertools.cycle(datasets.load(LIBRARY)["smiles"]), rows)
    with library.open("w", encoding="utf-8", newline="") as file:
        file.write("smiles,id\n")
        file.writelines(f"{smiles},Z{number:09d}\n" for number, smiles in enumerate(molecules, 1))
    words = ["screen", str(library), "--model", str(model), "--out", str(out), "--workers", str(workers)]
    _, seconds, parent, worker = command(folder, *words)
    found = {"rows": rows, "workers": workers, "seconds": seconds, "parent_mb": parent, "largest_worker_mb": worker}
    print(found, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
