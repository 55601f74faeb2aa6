"""From the finished cells of the pretraining benchmark to differences over seeds, and the table in README.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from imaging_sets import table
from ledger import Cell, Entry, Ledger
from numpy.typing import NDArray
from pretraining import MODELS, SEEDS, SIZES
from scipy.stats import t
from table import replace_block

from molgraph.kinds import YesNo
from molgraph.metrics import score

RIVALS = ("scratch", "forest")


class Gap(NamedTuple):
    """Hold the mean of a paired difference over seeds and its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        return "pays" if self.low > 0 else "harms" if self.high < 0 else "not shown to pay"


def gap(mine: Sequence[float], theirs: Sequence[float]) -> Gap:
    """Return the mean difference of pairs and the 95 % interval of Student's t; one pair has none.

    See: Student 1908, doi 10.1093/biomet/6.1.1
    """
    differences = np.subtract(mine, theirs)
    mean, count = float(differences.mean()), len(differences)
    far = math.inf if count < 2 else t.ppf(0.975, count - 1) * float(differences.std(ddof=1)) / math.sqrt(count)
    return Gap(mean, mean - far, mean + far)


def auroc(entry: Entry) -> float:
    """Return the AUROC of a cell on the official test rows."""
    truth = table("pneumoniamnist")["label"].astype(float).to_numpy()[np.array(entry.rows) - 1]
    found = score(YesNo.family, truth, np.array(entry.estimates)[:, 0], metrics=["auroc"], bootstrap=0)["auroc"].value
    assert found is not None  # the official test rows have both classes
    return found


def scores(ledger: Ledger, size: str) -> dict[str, NDArray[np.float64]]:
    """Return the AUROC of every contestant for the seeds that all of them have finished."""
    seeds = [seed for seed in SEEDS if all(ledger.has(Cell(size, model, seed)) for model in MODELS)]
    return {m: np.array([auroc(ledger.read(Cell(size, m, seed))) for seed in seeds]) for m in MODELS}


def write(ledger: Ledger, readme: Path) -> None:
    """Score what is finished and write the table into the page."""
    found = {size: mine for size in SIZES if len((mine := scores(ledger, size))["pretrained"])}
    replace_block(readme, "pretraining", page(found) if found else "No number of labels is finished yet.")


def page(found: dict[str, dict[str, NDArray[np.float64]]]) -> str:
    """Return the table and what it says as Markdown."""
    head = ["labels", "seeds", *(f"{model}" for model in MODELS), *(f"pretrained less {rival}" for rival in RIVALS)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    verdicts: dict[str, list[str]] = {}
    for size, mine in found.items():
        cells = [size, str(len(mine["pretrained"]))]
        cells += [f"{mine[m].mean():.3f} ({mine[m].min():.3f} to {mine[m].max():.3f})" for m in MODELS]
        gaps = {rival: gap(mine["pretrained"], mine[rival]) for rival in RIVALS}
        cells += [_said(each) for each in gaps.values()]
        verdicts.setdefault(gaps["scratch"].verdict, []).append(size)
        lines.append(f"| {' | '.join(cells)} |")
    told = "; ".join(f"{verdict} at {', '.join(sizes)} labels" for verdict, sizes in verdicts.items())
    return "\n".join([*lines, "", f"Pretraining, beside the same network from scratch: {told}."])


def _said(found: Gap) -> str:
    if math.isinf(found.low):
        return f"{found.mean:+.3f}"
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
