"""Rows that are the same thing: dealt to folds as one, merged by a rule where they train, and counted.

What tests stands as it was measured, row by row: docs/decisions/0025.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from molgraph import split as splits
from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT, Targets
from molgraph.kinds import Kind
from molgraph.predictor.inputs import slots
from molgraph.split import IDENTITY, Split

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Of = Callable[[str], Kind | type[Kind]]  # of which kind a target column is


@dataclass
class Merged:
    """Hold the rows kept (one per thing), their merged values, and what happened to the others.

    Shapes: `keep` int64 [K]; `values` [K, T], NaN where not measured or in conflict; `bound` int8 [K, T]; `weight`
    [K, T], the mean of the rows of a thing, or their sum.
    `into` maps a merged row to the row that stands for it. `conflicts` counts, per target, the things whose rows
    disagree; `spread` has, per regression target, the pooled standard deviation of repeated measurements and the
    number of things measured more than once.
    """

    keep: NDArray[np.int64]
    values: Array
    bound: NDArray[np.int8]
    weight: Array
    into: dict[int, int] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    spread: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Tell which of the rows kept have no value left, because the rows of that thing disagree, [K]."""
        return np.asarray(np.isnan(self.values).all(axis=1))


KEEP = "keep"  # the rule that merges nothing


def merged(data: Dataset, kind: Of, rule: str, adds: bool = False) -> Dataset:
    """Return rows to train on, one per thing; a thing whose rows disagree and leave no value is left out."""
    found = merging(data, kind, rule, adds=adds)
    if found is None:
        return data
    some = data.subset(found.keep[~found.lost])
    values, bound, weight = (torch.from_numpy(t[~found.lost]) for t in (found.values, found.bound, found.weight))
    return replace(some, targets=replace(Targets.of(data.targets.names, values, bound), weight=weight.float()))


def merging(data: Dataset, kind: Of, rule: str, cut: Split | None = None, adds: bool = False) -> Merged | None:
    """Return what merging makes of the rows of a dataset; None where no two are the same thing, or all are kept.

    With `cut`, rows of different folds stay apart; `adds`: see `merge`.
    """
    same = data.groups.get(IDENTITY)
    if rule == KEEP or not data.targets.names or same is None or not repeats(data).any():
        return None
    fold = np.zeros(len(data), dtype=np.int64)
    for number, rows in enumerate((cut.train, cut.valid, cut.calibration, cut.test) if cut else (), start=1):
        fold[rows] = number
    targets = data.targets
    values = torch.where(targets.observed, targets.values.double(), torch.nan).numpy()
    apart = list(zip(same.tolist(), fold.tolist(), strict=True))
    kinds = {name: kind(name) for name in targets.names}
    return merge(apart, values, targets.bound.numpy(), kinds, rule, targets.weight.double().numpy(), adds)


def replicates(data: Dataset, kind: Of, cut: Split) -> dict[str, dict[str, Any]]:
    """Return how well measurements of the same thing repeat, in any fold, by regression target (`Merged.spread`)."""
    found = merging(data, kind, "mean", cut)
    return {} if found is None else found.spread


def repeats(data: Dataset) -> NDArray[np.bool_]:
    """Tell which rows are the same thing as an earlier one, [N]."""
    same = data.groups.get(IDENTITY)
    return np.zeros(len(data), dtype=bool) if same is None else pd.Series(same).duplicated().to_numpy()


def dependent(data: Dataset) -> Rows | None:
    """Return groups of rows that are no independent evidence of each other: the same thing, and one patient at several
    moments; None where each row stands for itself. int64 [N]"""
    of = [given.whose.numpy() for given in data.inputs.values() if given.whose is not None]
    if of:
        return np.unique(np.stack(of, axis=1), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return data.groups[splits.IDENTITY] if repeats(data).any() else None


def things(run: RunSettings, data: Dataset, labels: Sequence[str] | None = None) -> Rows:
    """Return numbers of what a split deals as one: rows of the same thing that it has no reason to part.

    A reason are the user's own `labels` (folds, times), and groups that the data tells (a patient, a site). Where
    duplicates are kept, every row counts by itself.

    Shapes: int64 [N].
    """
    if run.duplicates == KEEP:
        return np.arange(len(data))
    held = {name for slot in slots(run) for name in slot.room.likeness.holds}
    columns: list[Sequence[Any]] = [data.groups[IDENTITY].tolist()] + ([labels] if labels is not None else [])
    columns += [own.tolist() for name, own in data.groups.items() if name != IDENTITY and name not in held]
    number: dict[tuple[Any, ...], int] = {}
    return np.array([number.setdefault(row, len(number)) for row in zip(*columns, strict=True)], dtype=np.int64)


def split_things(
    same: Rows,
    *,
    groups: Any = None,
    column: Sequence[str] | None = None,
    time: Sequence[str] | None = None,
    rows: Rows | None = None,
    **how: Any,
) -> Split:
    """Split rows (see `split.split`), those of one number in `same` dealt as one, by what the first of them is.

    So a thing that was measured ten times weighs as one measured once; the folds have all of its rows.
    """
    _, first, unit = np.unique(same, return_index=True, return_inverse=True)
    dealt = splits.split(
        len(first),
        groups=None if groups is None else np.asarray(groups)[..., first],
        column=None if column is None else [column[at] for at in first],
        time=None if time is None else [time[at] for at in first],
        rows=(np.arange(1, len(same) + 1) if rows is None else rows)[first],
        **how,
    )
    train, valid, calibration, test = (np.flatnonzero(np.isin(unit, getattr(dealt, name))) for name in splits.FOLDS)
    kept = first[unit] if groups is None else np.asarray(groups)[..., first[unit]]
    return Split(train, valid, calibration, test, dealt.notes, kept)


def merge(
    same: Sequence[Hashable],
    values: Array,
    bound: NDArray[np.int8],
    kinds: Mapping[str, Kind | type[Kind]],
    rule: str,
    weight: Array | None = None,
    adds: bool = False,
) -> Merged:
    """Merge rows with the same identity by rule: "mean", "median", or "drop" where they disagree.

    A mean and a majority go by the weight [N, T] of the rows, the others do not. A thing has the mean weight of its
    rows, or with `adds` their sum: as many measurements of one thing are worth more than one.
    Classes that disagree become the majority ("mean", "median"), or nothing where there is none. Where exact
    values exist, bounds are ignored; bounds of one direction become the tightest; of both, nothing.

    See: pooled standard deviation, ISO 5725-2:2019, 7.4 (repeatability)
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for row, key in enumerate(same):
        groups[key].append(row)
    keep = np.array([rows[0] for rows in groups.values()], dtype=np.int64)
    weight = np.ones(values.shape) if weight is None else weight
    made = Merged(keep, values[keep].copy(), bound[keep].copy(), weight[keep].copy())
    squares: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for at, rows in enumerate(groups.values()):
        made.into |= dict.fromkeys(rows[1:], rows[0])
        for t, (name, kind) in enumerate(kinds.items() if len(rows) > 1 else ()):
            known = [r for r in rows if not math.isnan(values[r, t])]
            exact = values[[r for r in known if bound[r, t] == EXACT], t]
            if len(exact) > 1 and kind.repeats:
                squares[name].append((float(np.square(exact - exact.mean()).sum()), len(exact) - 1))
            if not known:
                continue
            if len(set(exact.tolist())) > 1:
                made.conflicts[name] = made.conflicts.get(name, 0) + 1
            own = weight[known, t]
            made.weight[at, t] = own.sum() if adds else own.mean()
            cell = kind.merged(values[known, t], bound[known, t], own, rule)
            made.values[at, t], made.bound[at, t] = cell or (math.nan, EXACT)
    for name, found in squares.items():
        freedom = sum(n for _, n in found)
        made.spread[name] = {"sd": math.sqrt(sum(s for s, _ in found) / freedom), "things": len(found)}
    return made
