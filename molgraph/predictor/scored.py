"""From a table to its scores: the steps shared by one predictor and by several."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.packed import Packed
from molgraph.data.room import Prepared, Room
from molgraph.data.table import Table, free_names, nonempty
from molgraph.predictor.domain import Domain
from molgraph.predictor.predictions import Predictions
from molgraph.predictor.recipe import versions

OK = "ok"
AHEAD = 3  # blocks prepared while one is scored


@dataclass(frozen=True)
class Scored:
    """Hold what is said of the rows of one table.

    `frame` has one row per table row, in order, with the prediction columns only. `keys` names the thing that was
    scored (a standardised SMILES), "" where the row was rejected. `parts` are the distinct things, `index` int64 [n]
    says which row is which, -1 where rejected.
    """

    frame: pd.DataFrame
    keys: list[str]
    parts: Packed
    index: NDArray[np.int64]


class Scorer:
    """Score a stranger's rows: a number with its interval, neighbour and domain flag, or the reason for none."""

    room: Room
    needs: tuple[str, ...]
    standardize: bool

    @property
    def numbers(self) -> tuple[str, ...]:
        """Name the columns that rows can be ranked by (see `columns.number_columns`)."""
        raise NotImplementedError

    @property
    def versions(self) -> dict[str, str]:
        """Return the versions of what decides the numbers here and now."""
        return versions()

    def columns_of(self, parts: Packed) -> pd.DataFrame:
        """Return the prediction columns of P distinct parts."""
        raise NotImplementedError

    def prepare(self, table: Table, workers: int = 1) -> Prepared:
        """Turn a table's input column into parts."""
        return self.room.prepare(table.texts, self.needs, standardise=self.standardize, workers=workers)

    def score(self, table: Table, prepared: Prepared | None = None, workers: int = 1) -> Scored:
        """Score every row of a table; a row that cannot be scored carries its reason and no number."""
        ready = prepared or self.prepare(table, workers)
        index = ready.index.copy()
        index[list(table.broken)] = -1
        frame = self.columns_of(ready.parts)
        frame = frame.take(np.maximum(index, 0)) if len(frame) else frame.reindex(np.arange(len(index)))
        frame = frame.reset_index(drop=True)
        frame.loc[index < 0] = None
        rejects = ready.rejects | table.broken
        frame["status"] = [rejects[i].reason if i in rejects else OK for i in range(len(index))]
        frame["message"] = [rejects[i].message if i in rejects else "" for i in range(len(index))]
        return Scored(frame, [ready.keys[i] if i >= 0 else "" for i in index], ready.parts, index)

    def score_all(self, tables: Iterable[Table], workers: int = 1) -> Iterator[tuple[Table, Scored]]:
        """Score block after block; the next blocks are prepared in a thread while one is scored."""
        with ThreadPoolExecutor(1) as pool:
            waiting: deque[tuple[Table, Future[Prepared]]] = deque()
            for table in tables:
                waiting.append((table, pool.submit(self.prepare, table, workers)))
                if len(waiting) > AHEAD:
                    first, ready = waiting.popleft()
                    yield first, self.score(first, ready.result())
            for first, ready in waiting:
                yield first, self.score(first, ready.result())

    def predict(self, source: Any, column: str | None = None) -> Predictions:
        """Predict a file, a DataFrame, a list of texts: the user's own columns, then the prediction columns."""
        tables = nonempty(self.room.read(source, column), "the table given")
        found = [(table.column, beside(table, scored)) for table, scored in self.score_all(tables)]
        return Predictions.of(pd.concat([f for _, f in found], ignore_index=True), found[0][0], self.room.draw)


def beside(table: Table, scored: Scored) -> pd.DataFrame:
    """Return the user's own columns with the prediction columns to their right (named by `free_names`)."""
    own = table.frame.reset_index(drop=True)
    ours = scored.frame.rename(columns=free_names(list(own.columns), list(scored.frame.columns)))
    return pd.concat([own, ours], axis="columns")


def neighbour_columns(domains: Sequence[Domain], parts: Packed) -> dict[str, Any]:
    """Return nearest neighbour and domain flag: the nearest over all domains, inside only where inside of all."""
    found = [domain.nearest(parts) for domain in domains]
    similarity = np.stack([s for _, s in found])
    best = similarity.argmax(axis=0)
    inside = np.stack([s >= d.threshold for (_, s), d in zip(found, domains, strict=True)]).all(axis=0)
    return {
        "nn_id": [domains[b].ids[found[b][0][i]] for i, b in enumerate(best)],
        "nn_similarity": similarity.max(axis=0),
        "in_domain": inside.astype(object),
    }
