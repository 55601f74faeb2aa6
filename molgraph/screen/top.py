"""The best rows with all that a chemist wants beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molgraph.data.table import free_names
from molgraph.screen.merge import Ranking, within
from molgraph.screen.rank import DESIRABILITY, Goal, overall
from molgraph.screen.shard import ADDED, DOMAIN, INPUT, KEY, ROW, properties

SET, DECIDED = "set90", ("yes", "no")  # the column of a target of two classes, and what decides
RANK, DIVERSE, DOUBT = "rank", "diverse", "doubt"
RESERVED = frozenset({RANK, DIVERSE, DESIRABILITY, DOUBT, ROW, KEY, INPUT, ADDED})  # no target can be called so


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
    if not set(room.face.properties) <= set(names):
        added = pd.concat([added, properties(room, keys)], axis=1)
    if ranking.weighed:
        added[DOUBT] = doubts(best, names, ranking)
    worth = [key if inside else "" for key, inside in zip(keys, within(best, names, ranking), strict=True)]
    added[DIVERSE] = picked(room, worth, best, diverse)  # most different of all are those the model knows least
    standard = f"standard_{room.reading.columns[0] if room.reading.columns else room.noun.one}"
    named = free_names([*best.columns, standard], list(added.columns))
    names = {**names, **named}
    frame = pd.concat([best.reset_index(drop=True), added.rename(columns=named)], axis=1)
    first = [names[RANK], names[ROW]]
    order = first + [name for name in frame.columns if name not in (*first, names[KEY])] + [names[KEY]]
    if standard not in frame.columns:
        frame, order = frame.rename(columns={names[KEY]: standard}), [*order[:-1], standard]
        names[KEY] = standard
    return frame[order], names


def picked(room: Any, keys: Sequence[str], rows: pd.DataFrame, count: int) -> list[bool]:
    """Return for each row whether it belongs to the `count` most different ones; equal keys count once, "" never."""
    first = {key: at for at, key in reversed([*enumerate(keys)]) if key}
    distinct = list(dict.fromkeys(key for key in keys if key))
    if not distinct or count < 1 or room.likeness.diverse is None:
        return [False] * len(keys)
    cells = room.reading.again(distinct, rows.iloc[[first[key] for key in distinct]])
    prepared = room.reading.prepare(cells, room.likeness.features, standardise=False)
    chosen = set(room.likeness.diverse(prepared.parts, min(count, len(prepared.parts))))
    wanted = {key for key, part in zip(distinct, prepared.index.tolist(), strict=True) if part in chosen}
    flags = []
    for key in keys:
        flags.append(key in wanted)
        wanted.discard(key)
    return flags


def doubts(rows: pd.DataFrame, names: Mapping[str, str], ranking: Ranking) -> list[str]:
    """Say of each row for which of the targets that decide its rank the estimate may mean nothing: outside of their
    domain, or a set of classes that does not decide."""
    found: list[list[str]] = [[] for _ in range(len(rows))]
    far = {
        t: ~rows[names[f"{t}_{DOMAIN}"]].fillna(False).to_numpy(bool) for t in ranking.asked if f"{t}_{DOMAIN}" in names
    }
    if not far and DOMAIN in names:
        far = {"the model": ~within(rows, names, ranking)}
    open_ = {t: ~rows[names[f"{t}_{SET}"]].isin(DECIDED).to_numpy(bool) for t in ranking.asked if f"{t}_{SET}" in names}
    for said, which in (("outside the domain of", far), ("undecided:", open_)):
        for at in range(len(rows)):
            some = [target for target, flags in which.items() if flags[at]]
            if some:
                every = len(which) > 1 and len(some) == len(which)
                found[at].append(f"{said} {'all targets' if every else ', '.join(some)}")
    return ["; ".join(each) for each in found]


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
