"""From the finished cells of pictures to scores, intervals, and the table in README.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from imaging import CONTESTANTS, MODELS, settings
from imaging_sets import DATA, table
from ledger import Cell, Entry, Ledger
from table import replace_block

from molgraph.kinds import YesNo
from molgraph.metrics import score

METRICS = ("auroc", "accuracy")
TITLES = {"forest": "`imaging/forest`", "neighbour": "nearest picture of the training rows"}
QUESTIONS = {
    "pneumoniamnist": "pneumonia or normal",
    "lung_ct": "a tumour in the patch",
    "covid_cxr": "ever in intensive care",
}
# See: Yang et al. 2023, doi 10.1038/s41597-022-01721-8 (ResNets)
PUBLISHED = {
    "pneumoniamnist": {
        "published: MedMNIST, ResNet-18, 28 pixels": ("0.944", "0.854"),
        "published: MedMNIST, ResNet-50, 28 pixels": ("0.948", "0.854"),
        "elsewhere: LightGBM on pixels": ("0.946", "0.851"),
        "elsewhere: logistic regression on pixels": ("0.917", "0.822"),
    }
}
SEEDS = range(10)


def write(ledger: Ledger, readme: Path) -> None:
    """Score what is finished and write the table into the page."""
    parts = [text for data in DATA if (text := section(ledger, data))]
    replace_block(readme, "imaging", "\n\n".join(parts) or "No data set is finished yet.")


def section(ledger: Ledger, data: str) -> str:
    """Return the scores of every contestant on one data set as Markdown, "" where no cell is finished."""
    found = {m: [ledger.read(Cell(data, m, s)) for s in SEEDS if ledger.has(Cell(data, m, s))] for m in MODELS}
    lines = [_line(data, model, entries) for model, entries in found.items() if entries]
    if not lines:
        return ""
    first = next(entries[0] for entries in found.values() if entries)
    lines += [f"| {title} | | | {' | '.join(cells)} |" for title, cells in PUBLISHED.get(data, {}).items()]
    frame = table(data).iloc[np.array(first.rows) - 1]
    share = frame[first.targets[0]].astype(float).mean()
    of = f" of {frame['patient'].nunique()} patients" if "patient" in frame else ""
    title = f"**{data}**: {QUESTIONS[data]} ({len(frame)} test rows{of}, {share:.1%} yes, split {first.split})"
    head = ["contestant", "seeds", "epochs at most", *METRICS]
    return "\n".join([title, "", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines])


def _line(data: str, model: str, entries: Sequence[Entry]) -> str:
    """Score the seeds side by side: the mean over seeds; intervals draw patients where they are told, else rows."""
    frame = table(data).iloc[np.array(entries[0].rows) - 1]
    truth = frame[entries[0].targets[0]].astype(float).to_numpy()
    estimates = np.hstack([np.array(entry.estimates)[:, :1] for entry in entries])
    several = np.repeat(truth[:, None], len(entries), axis=1)
    groups = frame["patient"].to_numpy() if "patient" in frame else None
    scores = score(YesNo.family, several, estimates, metrics=list(METRICS), groups=groups)
    cells = ["none" if s.value is None else f"{s.value:.3f} ({s.low:.3f} to {s.high:.3f})" for s in scores.values()]
    epochs = str(entries[0].epochs) if model in CONTESTANTS else ""
    return f"| {_title(data, model)} | {len(entries)} | {epochs} | {' | '.join(cells)} |"


def _title(data: str, model: str) -> str:
    """Name a contestant, and of a network what it sees."""
    if model in TITLES:
        return TITLES[model]
    run = settings(data, model)
    stem = f", {run.encoder['stem']} stem" if "stem" in run.encoder else ""
    return f"`{run.model}` ({run.encoder['size']} pixels{stem})"
