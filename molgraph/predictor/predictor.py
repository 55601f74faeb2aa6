"""A `Predictor`: reader, standardiser, members, calibration and domain; what a model folder on disk is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph import registry
from molgraph.calibrate import Interval
from molgraph.data.dataset import Dataset
from molgraph.data.packed import Packed
from molgraph.data.room import Prepared, Room
from molgraph.data.table import Table
from molgraph.errors import CheckpointError
from molgraph.predictor import member as members_of
from molgraph.predictor.domain import Domain
from molgraph.predictor.member import Member
from molgraph.predictor.recipe import Recipe, sha256
from molgraph.task import Task, block, restore

Array = NDArray[np.float32]
OK = "ok"


@dataclass(frozen=True)
class Scored:
    """Hold what a predictor says of the rows of one table.

    `frame` has one row per table row, in order, with the prediction columns only. `keys` names the thing that was
    scored (a standardised SMILES), "" where the row was rejected. `parts` are the distinct things, `index` int64 [n]
    says which row is which, -1 where rejected.
    """

    frame: pd.DataFrame
    keys: list[str]
    parts: Packed
    index: NDArray[np.int64]


class Predictor:
    """Score a stranger's rows: a number with its interval, neighbour and domain flag, or the reason for none."""

    def __init__(self, recipe: Recipe, members: Sequence[Member], domain: Domain | None, digest: str = "") -> None:
        self.recipe, self.members, self.domain, self.digest = recipe, list(members), domain, digest
        self.room: Room = registry.room(recipe.run.model)
        self.task: Task = restore(recipe.task)
        self.intervals = {name: Interval.from_json(given) for name, given in recipe.intervals.items()}

    @property
    def targets(self) -> tuple[str, ...]:
        return self.task.names

    @property
    def facts(self) -> dict[str, Any]:
        return self.recipe.facts

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*members_of.needs(self.recipe.run), self.room.fingerprint)))

    def estimate(self, data: Dataset) -> tuple[Array, Array]:
        """Return the members' mean estimate and their standard deviation, both [N, columns of the task]."""
        found = np.stack([m.estimate(data) for m in self.members])
        spread = found.std(axis=0, ddof=1) if len(found) > 1 else np.full(found.shape[1:], np.nan)
        return found.mean(axis=0), spread.astype(np.float32)

    def prepare(self, table: Table, needs: Sequence[str] = (), workers: int = 1) -> Prepared:
        """Turn a table's input column into parts."""
        return self.room.prepare(
            table.frame[table.column].tolist(),
            tuple(dict.fromkeys((*self.needs, *needs))),
            standardise=self.recipe.run.standardize,
            workers=workers,
        )

    def score(self, table: Table, prepared: Prepared | None = None, workers: int = 1) -> Scored:
        """Score every row of a table; rows that cannot be scored carry their reason and no number."""
        ready = prepared or self.prepare(table, workers=workers)
        found = self.columns_of(ready.parts)
        index = ready.index.copy()
        index[list(table.broken)] = -1
        frame = found.take(np.maximum(index, 0)).reset_index(drop=True) if len(found) else found.reindex(range(len(index)))
        frame.loc[index < 0] = None
        rejects = ready.rejects | table.broken
        frame["status"] = [rejects[i].reason if i in rejects else OK for i in range(len(index))]
        frame["message"] = [rejects[i].message if i in rejects else "" for i in range(len(index))]
        keys = [ready.keys[i] if i >= 0 else "" for i in index]
        return Scored(frame, keys, ready.parts, index)

    def columns_of(self, parts: Packed) -> pd.DataFrame:
        """Return the prediction columns of P distinct parts."""
        estimates, spread = self.estimate(members_of.unlabelled(parts))
        columns: dict[str, Any] = {}
        for name in self.targets:
            where = block(self.task, name)
            columns |= self._target(name, estimates[:, where], spread[:, where])
        if self.domain is not None:
            at, similarity = self.domain.nearest(parts)
            columns["nn_id"] = [self.domain.ids[i] for i in at]
            columns["nn_similarity"] = similarity
            columns["in_domain"] = (similarity >= self.domain.threshold).astype(object)
        return pd.DataFrame(columns)
