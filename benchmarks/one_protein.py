"""Measure what one protein costs in a screen: a pair model beside its molecule side alone, and beside encoding the
protein anew for every pair (`python benchmarks/one_protein.py`).

The contestants take turns on the same molecules in one process; ratios are medians over rounds, by the processor's
clock. Results go to results/one-protein-DATE.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from accuracy import circumstances

from molgraph import datasets, registry
from molgraph.data.cells import Cells
from molgraph.data.dataset import Batch, Input
from molgraph.kinds.number import Number
from molgraph.model.model import Model
from molgraph.predictor.ready import unlabelled

HERE = Path(__file__).resolve().parent
LIBRARY, BATCH, ANEW = "nci_5k", 512, "the protein for each pair"
# Eleven times the first 110 residues of EGFR (UniProt P00533), which make the length of the whole, 1,210 residues.
KINASE = 11 * (
    "MRPSGTAGAALLALLAALCPASRALEEKKVCQGTSNKLTQLGTFEDHFLSLQRMFNNCEVVLGNLEITYVQRNYDLSFLKTIQEVAGYVLIALNTVERIPLENLQIIRGN"
)


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=int, default=4096, help="molecules of the library (4096)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the contest (5)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = race(contestants(given.molecules), given.rounds, given.molecules)
    path = HERE / "results" / f"one-protein-{circumstances()['date']}.json"
    about = circumstances() | {"molecules": given.molecules, "rounds": given.rounds, "residues": len(KINASE)}
    path.write_text(json.dumps({"about": about, "times_molecules_alone": found}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {path}")
    return 0


def contestants(count: int) -> dict[str, Callable[[], object]]:
    """Return what runs: molecules alone, with one protein, and BATCH of them with the protein encoded for each pair."""
    texts = datasets.load(LIBRARY)["smiles"].tolist()[:count]
    molecules = registry.room("molecule/gin").reading.prepare(Cells.of(texts), ("graph",)).parts
    protein = registry.room("protein/cnn").reading.prepare(Cells.of([KINASE]), ("residues",)).parts
    alone, pairs = registry.model("molecule/gin"), registry.model("fusion/concat")
    both = {"drug": alone(molecules.schema), "target": registry.model("protein/cnn")(protein.schema)}
    single = Model(alone(molecules.schema), Number(("y",))).eval()
    fused = Model(pairs(both), Number(("y",))).eval()
    rows = torch.arange(len(molecules))
    drug = Input(molecules, rows)
    data = unlabelled({"drug": drug}, len(rows))
    paired = unlabelled({"drug": drug, "target": Input(protein, torch.zeros_like(rows))}, len(rows))

    def anew(batch: Batch) -> Batch:
        """Return the batch with a copy of the protein for each of its rows."""
        many = protein.gather(torch.zeros(len(batch), dtype=torch.int64))
        return Batch(
            {**batch.parts, "target": many}, {**batch.index, "target": torch.arange(len(batch))}, batch.targets
        )

    def run(model: Model, batches: Callable[[torch.Tensor], Batch], upto: int) -> None:
        with torch.no_grad():
            for at in rows[:upto].split(BATCH):
                model(batches(at))

    return {
        "molecules alone": lambda: run(single, data.batch, len(rows)),
        "one protein": lambda: run(fused, paired.batch, len(rows)),
        ANEW: lambda: run(fused, lambda at: anew(paired.batch(at)), BATCH),
    }


def race(contest: dict[str, Callable[[], object]], rounds: int, count: int) -> dict[str, dict[str, float]]:
    """Run the contestants in turn; return how many times as much as the molecules alone each costs per molecule."""
    ratios: dict[str, list[float]] = {name: [] for name in contest}
    for number in range(rounds + 1):  # the first warms up
        seconds = {}
        for name, run in contest.items():
            began = time.process_time()
            run()
            seconds[name] = time.process_time() - began
        if number:
            for name in contest:
                ratios[name].append(seconds[name] / seconds["molecules alone"])
    ratios[ANEW] = [ratio * count / BATCH for ratio in ratios[ANEW]]
    found = {n: {"median": statistics.median(r), "low": min(r), "high": max(r)} for n, r in ratios.items()}
    for name, ratio in found.items():
        print(f"{name:28}{ratio['median']:8.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})")
    return found


if __name__ == "__main__":
    sys.exit(main())
