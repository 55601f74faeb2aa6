"""From the finished cells of panels of targets to scores, intervals, and the table in README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ledger import Cell, Ledger
from numpy.typing import NDArray
from table import replace_block
from target_sets import DAVIS, INHA, hits, inha
from targets import MODELS

from molgraph.kinds import YesNo
from molgraph.metrics import Score, hit_rate, score

FIRST = (1, 5, 10)
SEEDS = range(10)
DRAWS = 200
Floats = NDArray[np.float64]
SETS = {"davis": DAVIS, "toxcast": ("toxcast",), "muv": ("muv",), "inha": (INHA,)}
ABOUT = {
    "davis": "68 drugs, each tested once in five folds of drugs, against 379 kinases; a hit is a pKd of 7 or more",
    "toxcast": "scaffolds of their own to test, 617 assays",
    "muv": "scaffolds of their own to test, 17 assays; decoys chosen so that similarity to actives does not help",
    "inha": "DUD-E, the best record of each ligand; trained on davis.0, or similar to the crystal ligand",
}


def write(ledger: Ledger, readme: Path) -> None:
    """Score what is finished and write the table into the page."""
    parts = [text for name in SETS if (text := section(ledger, name))]
    replace_block(readme, "targets", "\n\n".join(parts) or "No set is finished yet.")


def section(ledger: Ledger, name: str) -> str:
    """Return the scores of every contestant that has finished all folds of a seed, "" where none has."""
    lines, count, columns = [], 0, [""]
    for model, title in MODELS.items():
        seeds = [s for s in SEEDS if all(ledger.has(Cell(data, model, s)) for data in SETS[name])]
        if not seeds:
            continue
        made = [gathered(ledger, name, model, seed) for seed in seeds]
        scored = [of_ligands(*each) if name == "inha" else of_panel(*each) for each in made]
        columns, count = list(scored[0]), len(made[0][0])
        lines.append(f"| {title} | {len(seeds)} | {' | '.join(shown(scored, column) for column in columns)} |")
    if not lines:
        return ""
    head = ["contestant", "seeds", *columns]
    title = f"**{name}** ({count} {'ligands' if name == 'inha' else 'test molecules'}: {ABOUT[name]})"
    return "\n".join([title, "", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines])


def gathered(ledger: Ledger, name: str, model: str, seed: int) -> tuple[Floats, Floats]:
    """Return truth and estimates [rows, targets] of all folds; of InhA a row is a ligand, by its best record."""
    truths, estimates = [], []
    for data in SETS[name]:
        entry = ledger.read(Cell(data, model, seed))
        rows, found = np.array(entry.rows) - 1, np.array(entry.estimates, dtype=np.float64)
        if name == "inha":
            frame = inha()[0].iloc[rows].assign(estimate=found[:, 0])
            best = frame.groupby("id")[["active", "estimate"]].max()
            return best[["active"]].to_numpy(np.float64), best[["estimate"]].to_numpy(np.float64)
        truths.append(hits(data)[rows])
        estimates.append(found)
    return np.concatenate(truths), np.concatenate(estimates)


def of_panel(truth: Floats, estimate: Floats) -> dict[str, Score]:
    """Rank the targets of each molecule (hit rates), and the molecules of each target (means over targets)."""
    found = {f"hit in the first {k}": hit_rate(truth, estimate, k, bootstrap=DRAWS) for k in FIRST}
    ranked = score(YesNo.family, truth, estimate, metrics=["bedroc", "ef1"], bootstrap=DRAWS)
    return {**found, "BEDROC": ranked["bedroc"], "EF 1 %": ranked["ef1"]}


def of_ligands(truth: Floats, estimate: Floats) -> dict[str, Score]:
    """Rank the ligands of one target."""
    ranked = score(YesNo.family, truth[:, 0], estimate[:, 0], metrics=["auroc", "bedroc", "ef1"], bootstrap=DRAWS)
    return {"AUROC": ranked["auroc"], "BEDROC": ranked["bedroc"], "EF 1 %": ranked["ef1"]}


def shown(seeds: Sequence[Mapping[str, Score]], column: str) -> str:
    """Return the mean over seeds of a score and of the ends of its interval."""
    found = [scores[column] for scores in seeds]
    if any(each.value is None for each in found):
        return "none"
    ends = [[each.value, each.low, each.high] for each in found]
    if any(end is None for each in ends for end in each):
        return f"{np.mean([each.value for each in found]):.2f}"
    value, low, high = np.mean(np.array(ends, dtype=np.float64), axis=0)
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
