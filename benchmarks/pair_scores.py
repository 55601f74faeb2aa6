"""From the finished cells of drug-target pairs to scores, intervals, and the table in README.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ledger import Cell, Entry, Ledger
from numpy.typing import NDArray
from pairs import DATA, MODELS, settings, table
from table import replace_block

from molgraph.kinds import NAMED, YesNo
from molgraph.metrics import score

METRICS = {"regression": ("mse", "ci", "rm2", "pearson"), "binary": ("auroc", "auprc")}
TITLES = {
    "ours": "`fusion/concat` of `molecule/feedforward` and `protein/feedforward`",
    "graph": "the same with `molecule/gin`",
    "graphdta": "GraphDTA's architecture",
    "forest": "`fusion/forest`",
    "drug": "forest, drug alone",
    "target": "forest, target alone",
    "neighbour": "nearest measured pair",
}
# From where on a pair counts as a hit, for the AUPRC: Öztürk et al. 2018, doi 10.1093/bioinformatics/bty593
ACTIVE = {"davis": 7.0, "kiba10": 12.1, "kiba": 12.1}
MEANS = {"mean of ours and forest": ("ours", "forest"), "mean of ours, graph and forest": ("ours", "graph", "forest")}
NETWORKS = ("ours", "graph")
SEEDS = range(10)


def write(ledger: Ledger, readme: Path) -> None:
    """Score what is finished and write the table into the page."""
    parts = [text for data in DATA if (text := section(ledger, data))]
    replace_block(readme, "pairs", "\n\n".join(parts) or "No data set is finished yet.")


def section(ledger: Ledger, data: str) -> str:
    """Return the scores of every contestant on one data set as Markdown, "" where no cell is finished."""
    run = settings(data, "ours")
    truth_of = table(data)[run.targets[0]].astype(float).to_numpy()
    asked = Asked(str(run.task), truth_of, ACTIVE.get(data.partition("_cold_")[0]))
    found = {m: [ledger.read(Cell(data, m, s)) for s in SEEDS if ledger.has(Cell(data, m, s))] for m in MODELS}
    lines = [_line(TITLES[m], asked, entries) for m, entries in found.items() if entries]
    if not lines:
        return ""
    for model in NETWORKS:
        if len(found[model]) > 1:
            lines.append(_line(f"{TITLES[model]}: ensemble of its seeds", asked, [_mean(found[model])]))
    for title, models in MEANS.items():
        common = [s for s in SEEDS if all(any(e.seed == s for e in found[m]) for m in models)]
        each = [[e for model in models for e in found[model] if e.seed == s] for s in common]
        if each:
            lines.append(_line(title, asked, list(map(_mean, each))))
    first = next(entries[0] for entries in found.values() if entries)
    epochs = sorted({e.epochs for m in ("ours", "graph", "graphdta") for e in found[m]})
    hits = [f"auprc of {asked.active:g} or more"] if asked.active else []
    head = ["contestant", "seeds", *METRICS[asked.kind], *hits]
    title = f"**{data}** ({len(first.rows)} test rows, split {first.split}, networks {epochs} epochs)"
    return "\n".join([title, "", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines])


@dataclass(frozen=True)
class Asked:
    """Hold the kind of task, the truth of every row of a set, and from where on a number counts as a hit."""

    kind: str
    truth: NDArray[np.float64]
    active: float | None


def _line(title: str, asked: Asked, entries: Sequence[Entry]) -> str:
    """Score the seeds side by side: the mean over seeds, the interval that of the test rows."""
    rows = np.array(entries[0].rows) - 1
    estimates = np.hstack([np.array(entry.estimates) for entry in entries])
    several = np.repeat(asked.truth[rows, None], len(entries), axis=1)
    family, metrics = NAMED[asked.kind].family, list(METRICS[asked.kind])
    scores = [*score(family, several, estimates, metrics=metrics, bootstrap=200).values()]
    if asked.active:
        hits = (several >= asked.active).astype(np.float64)
        scores += score(YesNo.family, hits, estimates, metrics=["auprc"], bootstrap=200).values()
    cells = ["none" if s.value is None else f"{s.value:.3f} ({s.low:.3f} to {s.high:.3f})" for s in scores]
    return f"| {title} | {len(entries)} | {' | '.join(cells)} |"


def _mean(entries: Sequence[Entry]) -> Entry:
    """Return the mean of several estimates of the same rows."""
    mean = np.mean([np.array(e.estimates) for e in entries], axis=0)
    return replace(entries[0], model="mean", estimates=mean.tolist())
