"""Measure how fast SMILES become packed graphs, beside RDKit's bare parser and Chemprop's featuriser.

Every contestant takes its turn on the same molecules, round after round, and is compared with the parser in the same
round: ratios, by the processor's clock, because seconds say more about the machine and its other users.

    python benchmarks/featurise.py LIBRARY.smi.gz [--molecules 1000] [--rounds 15] [--json FILE]

Chemprop joins in where it can be imported (its own environment, with this checkout on PYTHONPATH). Without a library
the 4,999 NCI molecules of RDKit's wheel are used.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rdkit import Chem, RDConfig, rdBase

from molgraph.rooms.molecule import graphs
from molgraph.rooms.molecule.prepare import prepare

YARDSTICK = "RDKit MolFromSmiles"


def main() -> None:
    """Print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", nargs="?", type=Path, help="SMILES first on each line, may be gzip")
    parser.add_argument("--molecules", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="also write (ratio, seconds) per contestant and round")
    given = parser.parse_args()
    with rdBase.BlockLogs():
        texts = molecules(given.library or Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi", given.molecules)
        print(
            f"{len(texts)} molecules, {given.rounds} rounds; times the speed of {YARDSTICK} (median, lowest, highest)"
        )
        results = race(contestants(), texts, given.rounds)
    show(results, len(texts))
    if given.json:
        given.json.write_text(json.dumps({"molecules": len(texts), "rounds": results}), encoding="utf-8")


def molecules(library: Path, count: int) -> list[str]:
    """Return a random sample, the same each time, of the molecules that RDKit reads."""
    with (gzip.open if library.suffix == ".gz" else open)(library, "rt", encoding="utf-8") as lines:
        texts = [line.split()[0] for line in lines if line.strip()]
    sample = random.Random(0).sample(texts, min(count, len(texts)))
    return [text for text in sample if Chem.MolFromSmiles(text) is not None]


def contestants() -> dict[str, Callable[[list[str]], Any]]:
    """Return what runs, the yardstick first."""
    found: dict[str, Callable[[list[str]], Any]] = {
        YARDSTICK: lambda texts: [Chem.MolFromSmiles(text) for text in texts],
        "graphs, as written": lambda texts: prepare(texts, ["graph"], standardise=False),
        "graphs, as written, RDKit alone": _graphs_by_rdkit,
        "graphs, standardised": lambda texts: prepare(texts, ["graph"]),
        "graphs and fingerprint, as written": lambda texts: prepare(texts, ["graph", "fingerprint"], standardise=False),
        "graphs and fingerprint, standardised": lambda texts: prepare(texts, ["graph", "fingerprint"]),
    }
    try:
        from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
    except ImportError:
        return found
    featurise = SimpleMoleculeMolGraphFeaturizer()
    found["Chemprop, default"] = lambda texts: [featurise(Chem.MolFromSmiles(text)) for text in texts]
    return found


def _graphs_by_rdkit(texts: list[str]) -> Any:
    kept, graphs.cuik_molmaker = graphs.cuik_molmaker, None
    try:
        return prepare(texts, ["graph"], standardise=False)
    finally:
        graphs.cuik_molmaker = kept


def race(
    runners: dict[str, Callable[[list[str]], Any]], texts: list[str], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Return (ratio to the yardstick of the same round, seconds) per contestant and round."""
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in runners}
    for number in range(rounds + 1):
        taken = {}
        for name, run in runners.items():
            start = time.process_time()
            run(texts)
            taken[name] = time.process_time() - start
        if number:  # the first round warms caches
            for name, seconds in taken.items():
                results[name].append((taken[YARDSTICK] / seconds, seconds))
    return results


def show(results: dict[str, list[tuple[float, float]]], count: int) -> None:
    """Print one line per contestant."""
    for name, measured in results.items():
        ratios, seconds = zip(*measured, strict=True)
        each = statistics.median(seconds) / count * 1e6
        print(
            f"{name:38s} {statistics.median(ratios):5.2f}  {min(ratios):5.2f} {max(ratios):5.2f}  {each:7.0f} us each"
        )


if __name__ == "__main__":
    main()
