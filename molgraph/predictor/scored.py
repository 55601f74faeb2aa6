"""From a table to its scores: the steps shared by one predictor and by several."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data import endable
from molgraph.data import pool as processes
from molgraph.data.dataset import Dataset
from molgraph.data.room import Room
from molgraph.data.table import BLOCK, MEMORY, Table, column_names, free_names, nonempty
from molgraph.errors import ConfigError
from molgraph.kinds import Kind
from molgraph.predictor.domain import Domain
from molgraph.predictor.given import resolve
from molgraph.predictor.inputs import Inputs
from molgraph.predictor.known import Known
from molgraph.predictor.neighbours import DOUBT, Neighbours, flag_columns, neighbours
from molgraph.predictor.predictions import Predictions
from molgraph.predictor.ready import Ready, unlabelled
from molgraph.predictor.recipe import versions

OK, NOT_FINITE = "ok", "not_finite"
UNSAID = "the model gives no finite number for {}, so no number is given"
KEY = "key of the first input"
AHEAD = 3  # blocks prepared while one is scored


@dataclass(frozen=True)
class Scored:
    """Hold what is said of the rows of one table.

    `frame` has one row per table row, in order, with the prediction columns only. `keys` names the thing that was
    scored (a standardised SMILES; of several inputs the first), "" where the row was rejected.
    """

    frame: pd.DataFrame
    keys: list[str]


class Scorer:
    """Score a stranger's rows: a number with its interval, neighbour and domain flag, or the reason for none."""

    inputs: Inputs
    task: Kind  # of one predictor; several have several
    targets: tuple[str, ...]
    domain: Domain | None = None

    @property
    def predictors(self) -> Sequence[Scorer]:
        """Return the predictors, one or several."""
        raise NotImplementedError

    @property
    def known(self) -> Known:
        """Return what it was trained on."""
        raise NotImplementedError

    @property
    def room(self) -> Room:
        """Return the room of the first input: it reads files, draws and knows the extra columns of a screen."""
        return self.inputs.lead.room

    @property
    def numbers(self) -> tuple[str, ...]:
        """Name the columns that rows can be ranked by (see `Kind.ranked_by`)."""
        raise NotImplementedError

    @property
    def versions(self) -> dict[str, str]:
        """Return the versions of what decides the numbers here and now."""
        return versions()

    def columns_of(self, things: Dataset) -> pd.DataFrame:
        """Return the prediction columns of distinct things, one row each."""
        raise NotImplementedError

    def vectors_of(self, things: Dataset) -> pd.DataFrame:
        """Return the vectors of distinct things, one row each.

        Raises: ConfigError where there are none.
        """
        raise ConfigError("several models as one have no vectors in common; embed with each of them.")

    def give(self, given: Mapping[str, str], join: Sequence[str] = ()) -> Self:
        """Set inputs that are the same for every row and stand in no column (see `given.resolve`), and files whose
        columns are added to every table (see `join.joined`)."""
        if join:
            self.inputs = replace(self.inputs, join=tuple(join))
        if given:
            self.inputs = replace(self.inputs, given=resolve(self.inputs.slots, given), made={})
        return self

    def read(self, source: Any, column: str | None = None, *, block: int = BLOCK) -> Iterator[Table]:
        """Stream a file or a table as the room of the first input reads it."""
        return self.inputs.read(source, column, block=block)

    def nearest(self, keys: Sequence[str], frame: pd.DataFrame) -> Neighbours | None:
        """Return the neighbours of scored rows again; None where no model knows its training rows.

        `keys` are those of the first input; `frame` has the columns of the others.
        """
        prints = {slot.name: slot.prints for slot in self.inputs.slots}
        several = len(prints) > 1
        inputs = replace(self.inputs, needs=prints, standardize=several and self.inputs.standardize, made={})
        table = Table(frame.assign(**{KEY: list(keys)}), KEY, np.arange(1, len(keys) + 1), {}, MEMORY)
        things = unlabelled(inputs.prepare(table).inputs, len(keys))
        return neighbours(self.predictors, things)

    def score(self, table: Table, prepared: Ready | None = None, workers: int = 1) -> Scored:
        """Score every row of a table; a row that cannot be scored carries its reason and no number."""
        ready = prepared or self.inputs.prepare(table, workers)
        things, index = ready.things()
        frame = self.columns_of(things)
        odd = np.append(_not_finite(frame, self.numbers), "")[index]  # of a rejected row, the last: ""
        frame = frame.take(np.maximum(index, 0)) if len(frame) else frame.reindex(np.arange(len(index)))
        frame = frame.reset_index(drop=True)
        frame.loc[(index < 0) | (odd != "")] = None
        flags = [name for name in flag_columns(self.targets) if name in frame]
        frame[flags] = frame[flags].astype("boolean")
        doubts = [each if isinstance(each, str) else "" for each in frame.pop(DOUBT)] if DOUBT in frame else None
        rejects, said = ready.rejects, ready.messages()
        frame["status"] = [
            rejects[i].reason if i in rejects else NOT_FINITE if name else OK for i, name in enumerate(odd)
        ]
        said = said if doubts is None else ["; ".join(filter(None, each)) for each in zip(said, doubts, strict=True)]
        frame["message"] = [UNSAID.format(name) if name else text for name, text in zip(odd, said, strict=True)]
        return Scored(frame, ready.keys())

    def score_all(self, tables: Iterable[Table], workers: int = 1) -> Iterator[tuple[Table, Scored]]:
        """Score block after block; the next blocks are prepared in a thread while one is scored."""
        ended = Event()
        with ThreadPoolExecutor(1, initializer=endable.until, initargs=(ended,)) as pool, _ended_with(pool, ended):
            waiting: deque[tuple[Table, Future[Ready]]] = deque()
            for table in tables:
                waiting.append((table, pool.submit(self.inputs.prepare, table, workers)))
                if len(waiting) > AHEAD:
                    first, ready = waiting.popleft()
                    yield first, self.score(first, ready.result())
            for first, ready in waiting:
                yield first, self.score(first, ready.result())

    def embed(self, source: Any, column: str | None = None, *, given: Mapping[str, str] | None = None) -> pd.DataFrame:
        """Return a vector for each row of a file, a DataFrame, a list of texts: what the encoder makes of it.

        It is what the head takes: features after pooling, of several inputs the fused vector of the pair. The columns
        are `vector_0`, `vector_1`, ...; of an ensemble each member has its own (`member_0_vector_0`), as their spaces
        have nothing in common, and a mean over them would mean nothing. `status` and `message` say why a row that
        cannot be read has none. Rows keep their order, and those of a DataFrame or Series their index.

        Raises: ConfigError for trees, which make no vectors, and for several models as one.
        """
        before = self.inputs
        try:
            self.give(given or {})
            tables = nonempty(self.read(source, column), "the table given")
            found = pd.concat([self._embedded(self.inputs.prepare(table)) for table in tables], ignore_index=True)
        finally:
            self.inputs = before
        return found.set_axis(source.index) if isinstance(source, pd.DataFrame | pd.Series) else found

    def _embedded(self, ready: Ready) -> pd.DataFrame:
        things, index = ready.things()
        frame = self.vectors_of(things)
        frame = frame.take(np.maximum(index, 0)) if len(frame) else frame.reindex(np.arange(len(index)))
        frame = frame.reset_index(drop=True)
        frame.loc[index < 0] = np.nan
        rejects = ready.rejects
        said = {"status": [rejects[i].reason if i in rejects else OK for i in range(len(index))]}
        return pd.concat([frame, pd.DataFrame({**said, "message": ready.messages()})], axis="columns")

    def predict(self, source: Any, column: str | None = None, *, given: Mapping[str, str] | None = None) -> Predictions:
        """Predict a file, a DataFrame, a list of texts: the user's own columns, then the prediction columns.

        `given` holds inputs that are the same for every row of this call: `given={"target": "MKV..."}`. The rows of a
        DataFrame or Series keep their index, and their own columns their values.
        """
        before = self.inputs
        try:
            self.give(given or {})
            tables = nonempty(self.read(source, column), "the table given")
            found = [(table.column, beside(table, scored)) for table, scored in self.score_all(tables)]
        finally:
            self.inputs = before
        whole, name = pd.concat([f for _, f in found], ignore_index=True), found[0][0]
        return Predictions.of(_as_given(whole, name, source), name, self.room.face.draw)


@contextmanager
def _ended_with(pool: ThreadPoolExecutor, ended: Event) -> Iterator[None]:
    """Let Ctrl-C, or who wants no more rows, not wait for what is being prepared."""
    try:
        yield
    except BaseException:
        ended.set()
        pool.shutdown(wait=False, cancel_futures=True)
        processes.stop()
        endable.stop()
        raise


def _not_finite(frame: pd.DataFrame, numbers: Sequence[str]) -> NDArray[np.object_]:
    """Name for each row a column in which a number should stand and stands none, "" where all do.

    A deviation or an end of an interval may be blank, but never infinite.
    """
    found = np.full(len(frame), "", dtype=object)
    for name in frame.columns:
        if pd.api.types.is_float_dtype(frame[name].dtype):
            values = frame[name].to_numpy(np.float64)
            found[~np.isfinite(values) if name in numbers else np.isinf(values)] = name
    return found


def beside(table: Table, scored: Scored) -> pd.DataFrame:
    """Return the user's own columns with the prediction columns to their right (named by `free_names`)."""
    own = table.frame.reset_index(drop=True)
    ours = scored.frame.rename(columns=free_names(list(own.columns), list(scored.frame.columns)))
    return pd.concat([own, ours], axis="columns")


def _as_given(found: pd.DataFrame, column: str, source: Any) -> pd.DataFrame:
    """Return predictions with the index of a table in memory, so that they can be assigned to it, and its own values,
    which were read as text."""
    if isinstance(source, pd.DataFrame):
        for at, name in enumerate(column_names([str(c) for c in source.columns], MEMORY)):
            if name != column:
                found[name] = source.iloc[:, at].array
    return found.set_axis(source.index) if isinstance(source, pd.DataFrame | pd.Series) else found
