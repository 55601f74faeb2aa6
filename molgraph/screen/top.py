"""The best rows with all that a chemist wants beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from molgraph.screen.merge import Ranking
from molgraph.screen.rank import DESIRABILITY, Goal, overall
from molgraph.screen.shard import INPUT, KEY, ROW, free_names, properties

RANK, DIVERSE = "rank", "diverse"
RESERVED = frozenset({RANK, DIVERSE, DESIRABILITY, ROW, KEY, INPUT})  # no target can be called so


def complete(
    best: pd.DataFrame, names: dict[str, str], room: Any, ranking: Ranking, goals: Sequence[Goal], diverse: int
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Add rank, desirability, the room's properties and the diverse pick to the best rows.

    Returns the table, in the order rank, row, the user's columns, predictions, what is added, standardised
    input; and the names that our columns have in it.
    """
    keys = [str(key) for key in best[names[KEY]]]
    added = pd.DataFrame({RANK: np.arange(1, len(best) + 1)})
    if len(ranking.targets) > 1:
        values = {t: best[names[t]].to_numpy(np.float64) for t in ranking.targets}
        added[DESIRABILITY] = overall(goals, values)
    if not set(room.properties) <= set(names):
        added = pd.concat([added, properties(room, keys)], axis=1)
    added[DIVERSE] = picked(room, keys, diverse)
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
    """Return for each row whether it belongs to the `count` most different ones; equal inputs count once."""
    if not keys or count < 1:
        return [False] * len(keys)
    prepared = room.prepare(list(keys), (room.fingerprint,), standardise=False)
    wanted = set(room.diverse(prepared.parts, min(count, len(prepared.parts))))
    flags = []
    for part in prepared.index.tolist():
        flags.append(part in wanted)
        wanted.discard(part)
    return flags
