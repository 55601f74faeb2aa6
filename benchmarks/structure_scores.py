"""From finished folds of complexes to scores, and how near the test rows are to the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ledger import Cell, Ledger
from numpy.typing import NDArray
from structure_sets import SETS, TARGET, Complexes
from table import replace_block

from molgraph.data.cells import Cells
from molgraph.data.room import Room
from molgraph.kinds import Number
from molgraph.metrics import score
from molgraph.rooms.molecule.room import ROOM as MOLECULES
from molgraph.rooms.protein.groups import THRESHOLD as FAMILY
from molgraph.rooms.protein.room import ROOM as PROTEINS

LEAST = 5  # ligands of a series whose ranking says something
SEEDS = range(10)


def write(ledger: Ledger, readme: Path) -> None:
    """Score what is finished and write the tables into the page."""
    from structures import MODELS, complexes

    begun = {cell.data.partition(".")[0] for cell in ledger.finished()}
    parts = [table(complexes(name), ledger, list(MODELS)) for name in SETS if name in begun]
    replace_block(readme, "structures", "\n\n".join(parts) or "No set is finished yet.")


def table(complexes: Complexes, ledger: Ledger, models: Sequence[str]) -> str:
    """Return the scores of every contestant that has finished all folds of a seed, as Markdown."""
    ranked = complexes.name == "fep"
    scored = _ranked if ranked else _pooled
    lines = []
    for model in models:
        seeds = [s for s in SEEDS if all(ledger.has(Cell(f"{complexes.name}.{f}", model, s)) for f in complexes.folds)]
        if seeds:
            runs = [_estimates(complexes, ledger, model, seed) for seed in seeds]
            lines.append(f"| {model} | {len(seeds)} | {scored(complexes, runs)} |")
    if ranked:
        lines.append(f"| FEP+, published | | {scored(complexes, [complexes.frame['physics'].to_numpy()])} |")
    columns = ["model", "seeds", *(_RANKED if ranked else _POOLED)]
    title = f"**{complexes.name}**: {len(complexes.frame)} complexes, {len(complexes.folds)} folds"
    head = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join([title, "", *head, *lines, "", leakage(complexes)])


_POOLED = ("RMSE", "Pearson", "Spearman")
_RANKED = ("RMSE", "Spearman in a series", "Kendall in a series")


def _estimates(complexes: Complexes, ledger: Ledger, model: str, seed: int) -> NDArray[np.float64]:
    found = np.full(len(complexes.frame), np.nan)
    for fold in complexes.folds:
        entry = ledger.read(Cell(f"{complexes.name}.{fold}", model, seed))
        found[entry.rows] = np.array(entry.estimates)[:, 0]
    return found


def _pooled(complexes: Complexes, runs: Sequence[NDArray[np.float64]]) -> str:
    """Score all test rows together; whole groups are drawn for the intervals, for all seeds at once."""
    truth = np.column_stack([complexes.frame[TARGET].astype(float)] * len(runs))
    groups = complexes.frame["group"].astype("category").cat.codes
    scores = score(Number.family, truth, np.column_stack(runs), metrics=["rmse", "pearson", "spearman"], groups=groups)
    return " | ".join(
        "none" if s.value is None else f"{s.value:.2f} ({s.low:.2f} to {s.high:.2f})" for s in scores.values()
    )


def _ranked(complexes: Complexes, runs: Sequence[NDArray[np.float64]]) -> str:
    """Rank the ligands of each series as users of free-energy calculations do; means over series, then over seeds."""
    made = pd.concat([_series(complexes, run) for run in runs]).groupby(level=0).mean()
    error = np.mean([_error(complexes, run) for run in runs])
    return " | ".join([f"{error:.2f}", *(_over_series(made[name].to_numpy()) for name in made)])


def _error(complexes: Complexes, run: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.nanmean((complexes.frame[TARGET].astype(float) - run) ** 2)))


def _series(complexes: Complexes, run: NDArray[np.float64]) -> pd.DataFrame:
    """Return Spearman and Kendall of each series, 0 where all estimates are equal and so rank nothing.

    Of several states of one ligand the one that binds best counts.
    """
    rows = complexes.frame[["series", "one"]].assign(truth=complexes.frame[TARGET].astype(float), estimate=run)
    best = rows.dropna().groupby(["series", "one"], as_index=False).max()
    found = {}
    for series, each in best.groupby("series"):
        if len(each) >= LEAST:
            scores = score(Number.family, each["truth"], each["estimate"], metrics=["spearman", "kendall"], bootstrap=0)
            found[series] = {name: s.value or 0.0 for name, s in scores.items()}
    return pd.DataFrame.from_dict(found, orient="index")


def leakage(complexes: Complexes) -> str:
    """Say how near the test rows of each fold are to its training rows: ligand and receptor."""
    ligands = _similarity(MOLECULES, complexes.frame["smiles"])
    receptors = _similarity(PROTEINS, complexes.frame["sequence"])
    near, kin = np.zeros(len(complexes.frame)), np.zeros(len(complexes.frame))
    for test in complexes.folds.values():
        near[test] = ligands[np.ix_(test, ~test)].max(axis=1)
        kin[test] = receptors[np.ix_(test, ~test)].max(axis=1)
    return (
        f"Leakage: the nearest training ligand has a Tanimoto similarity of {np.median(near):.2f} (median), 0.7 or "
        f"more for {(near >= 0.7).mean():.0%} and 1 for {(near >= 0.999).mean():.0%} of the test rows; the nearest "
        f"training receptor shares {np.median(kin):.2f} of its words (median), {FAMILY:.2f} or more, the sign of a "
        f"family, for {(kin >= FAMILY).mean():.0%}."
    )


def _similarity(room: Room, texts: pd.Series) -> NDArray[np.float32]:
    """Return the similarity of every row to every row, as the room measures it."""
    made = room.reading.prepare(Cells.of(texts.tolist()), (room.likeness.fingerprint,))
    return room.likeness.index(made.parts).similarity(made.parts)[np.ix_(made.index, made.index)]


def _over_series(known: NDArray[np.float64]) -> str:
    """Return the mean over series with its 95 % bootstrap interval, series drawn."""
    draw = np.random.default_rng(0).integers(0, len(known), (1000, len(known)))
    low, high = np.quantile(known[draw].mean(axis=1), [0.025, 0.975])
    return f"{known.mean():.2f} ({low:.2f} to {high:.2f}; {len(known)} series)"
