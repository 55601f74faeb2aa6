"""The best rows with all that a chemist wants beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molgraph.data.table import free_names
from molgraph.screen.merge import Ranking
from molgraph.screen.rank import DESIRABILITY, Goal, overall
from molgraph.screen.shard import DOMAIN, INPUT, KEY, ROW, properties

RANK, DIVERSE = "rank", "diverse"
RESERVED = frozenset({RANK, DIVERSE, DESIRABILITY, ROW, KEY, INPUT})  # no target can be called so


def complete(
    best: pd.DataFrame, names: dict[str, str], room: Any, ranking: Ranking, goals: Sequence[Goal], diverse: int
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Add rank, desirability where it was asked for, the room's properties and the diverse pick to the best rows.

    Returns the table, in the order rank, row, the user's columns, predictions, what is added, standardised
    input; and the names that our columns have in it.
    """
    keys = [str(key) for key in best[names[KEY]]]
    added = pd.DataFrame({RANK: np.arange(1, len(best) + 1)})
    if ranking.weighed:
        values = {t: best[names[t]].to_numpy(np.float64) for t in ranking.targets}
        added[DESIRABILITY] = overall(goals, values).astype(np.float32)
    if not set(room.properties) <= set(names):
        added = pd.concat([added, properties(room, keys)], axis=1)
    added[DIVERSE] = picked(room, _worth_picking(best, names, keys), diverse)
    standard = f"standard_{room.columns[0]}"
    named = free_names([*best.columns, standard], list(added.columns))
    names = {**names, **named}
    frame = pd.concat([best.reset_index(drop=True), added.rename(columns=named)], axis=1)
    first = [names[RANK], names[ROW]]
    order = first + [name for name in frame.columns if name not in (*first, names[KEY])] + [names[KEY]]
    if standard not in frame.columns:
        frame, order = frame.rename(columns={names[KEY]: standard}), [*order[:-1], standard]
        names[KEY] = standard
    return frame[order], names


def picked(room: Any, keys: Sequence[str], count: int) -> list[bool]:
    """Return for each row whether it belongs to the `count` most different ones; equal keys count once, "" never."""
    distinct = list(dict.fromkeys(key for key in keys if key))
    if not distinct or count < 1:
        return [False] * len(keys)
    prepared = room.prepare(distinct, (room.fingerprint,), standardise=False)
    chosen = set(room.diverse(prepared.parts, min(count, len(prepared.parts))))
    wanted = {key for key, part in zip(distinct, prepared.index.tolist(), strict=True) if part in chosen}
    flags = []
    for key in keys:
        flags.append(key in wanted)
        wanted.discard(key)
    return flags


def _worth_picking(best: pd.DataFrame, names: dict[str, str], keys: Sequence[str]) -> list[str]:
    """Blank the keys that are out of domain: the most different rows would be those the model knows least."""
    if DOMAIN not in names:
        return list(keys)
    inside = best[names[DOMAIN]].fillna(False).astype(bool)
    return [key if here else "" for key, here in zip(keys, inside, strict=True)]


def read_top(path: Path, types: Mapping[str, str]) -> pd.DataFrame:
    """Read the best rows of a finished screen; `types` are numpy's letters (`f`, `i`, ...) by column, in order."""
    # The header is not asked: a name that a spreadsheet would run as a formula (`=x`) stands there with an apostrophe.
    cells = pd.read_csv(
        path, header=0, names=list(types), index_col=False, dtype=str, keep_default_na=False, encoding="utf-8"
    )
    return pd.DataFrame({name: _typed(cells[name], kind) for name, kind in types.items()})


def _typed(cells: pd.Series, kind: str) -> pd.Series:
    if kind == "b":
        return cells.map({"true": True, "false": False}).astype("boolean")
    return pd.to_numeric(cells.replace("", np.nan)) if kind in "fiu" else cells
