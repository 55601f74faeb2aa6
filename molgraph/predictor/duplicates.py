"""Rows that are the same thing: merged by a rule, counted, and used to say how well measurements repeat."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.data.targets import ABOVE, BELOW, EXACT

Array = NDArray[np.float64]
Cell = tuple[float, int] | None  # value and bound; None: in conflict


@dataclass
class Merged:
    """Hold the rows kept (one per thing), their merged values, and what happened to the others.

    Shapes: `keep` int64 [K]; `values` [K, T], NaN where not measured or in conflict; `bound` int8 [K, T].
    `into` maps a merged row to the row that stands for it. `conflicts` counts, per target, the things whose rows
    disagree; `spread` has, per regression target, the pooled standard deviation of repeated measurements and the
    number of things measured more than once.
    """

    keep: NDArray[np.int64]
    values: Array
    bound: NDArray[np.int8]
    into: dict[int, int] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    spread: dict[str, dict[str, Any]] = field(default_factory=dict)


def merge(
    same: Sequence[Hashable], values: Array, bound: NDArray[np.int8], kinds: Mapping[str, str], rule: str
) -> Merged:
    """Merge rows with the same identity by rule: "mean", "median", or "drop" where they disagree.

    Classes that disagree become the majority ("mean", "median"), or nothing where there is none. Where exact
    values exist, bounds are ignored; bounds of one direction become the tightest; of both, nothing.

    See: pooled standard deviation, ISO 5725-2:2019, 7.4 (repeatability)
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for row, key in enumerate(same):
        groups[key].append(row)
    keep = np.array([rows[0] for rows in groups.values()], dtype=np.int64)
    made = Merged(keep, values[keep].copy(), bound[keep].copy())
    squares: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for at, rows in enumerate(groups.values()):
        made.into |= dict.fromkeys(rows[1:], rows[0])
        for t, (name, kind) in enumerate(kinds.items() if len(rows) > 1 else ()):
            known = [r for r in rows if not math.isnan(values[r, t])]
            exact = values[[r for r in known if bound[r, t] == EXACT], t]
            if len(exact) > 1 and kind == "regression":
                squares[name].append((float(np.square(exact - exact.mean()).sum()), len(exact) - 1))
            if not known:
                continue
            if len(set(exact.tolist())) > 1:
                made.conflicts[name] = made.conflicts.get(name, 0) + 1
            cell = _number(values[known, t], bound[known, t], rule) if kind == "regression" else _label(exact, rule)
            made.values[at, t], made.bound[at, t] = cell or (math.nan, EXACT)
    for name, found in squares.items():
        freedom = sum(n for _, n in found)
        made.spread[name] = {"sd": math.sqrt(sum(s for s, _ in found) / freedom), "things": len(found)}
    return made


def _number(values: Array, bound: NDArray[np.int8], rule: str) -> Cell:
    exact = values[bound == EXACT]
    if len(exact):
        if rule == "drop" and len(set(exact.tolist())) > 1:
            return None
        return float(np.median(exact) if rule == "median" else exact.mean()), EXACT
    if (bound == ABOVE).all():
        return float(values.max()), ABOVE
    return (float(values.min()), BELOW) if (bound == BELOW).all() else None


def _label(labels: Array, rule: str) -> Cell:
    found, counts = np.unique(labels, return_counts=True)
    tied = (counts == counts.max()).sum() > 1
    if len(found) > 1 and (rule == "drop" or tied):
        return None
    return float(found[counts.argmax()]), EXACT
