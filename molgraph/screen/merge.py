"""Finished shards to final files: two passes, one shard in memory at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from molgraph.data.write import open_writer
from molgraph.errors import CheckpointError
from molgraph.screen.rank import DESIRABILITY, Goal, best, overall
from molgraph.screen.shard import ADDED, DOMAIN, KEY, META, ROW, WHOLE, state_of
from molgraph.screen.summary import Histogram, Summary, nice_edges

SAMPLE = 1_000_000  # rows that settle bin edges and the 5 % and 95 % points; evenly spaced where there are more
WANTED = (0.05, 0.95)  # quantiles between which a target's desirability runs when nothing is stated

Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Shards:
    """Hold the finished shards in order, their common schema and the names our columns have there."""

    paths: tuple[Path, ...]
    schema: pa.Schema
    names: dict[str, str]
    rows: int

    @classmethod
    def open(cls, paths: Sequence[Path]) -> Shards:
        """Check that shards are as they were written, and read their footers.

        Raises: CheckpointError where one is not.
        """
        for path in paths:
            if state_of(path) != WHOLE:
                raise CheckpointError(
                    f"{path}: was damaged since it was scored. Go on with --resume: it is scored again."
                )
        footers = [pq.read_metadata(path) for path in paths]
        schemas = [footer.schema.to_arrow_schema().remove_metadata() for footer in footers]
        names = json.loads(footers[0].metadata[META])
        # A column that is blank in one shard and filled in another has another type there.
        schema = pa.unify_schemas(schemas, promote_options="permissive")
        return cls(tuple(paths), schema, names, sum(footer.num_rows for footer in footers))

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield the shards in order, all of one schema."""
        names = list(columns) if columns is not None else self.schema.names
        wanted = pa.schema([self.schema.field(name) for name in names])
        for path in self.paths:
            yield pq.read_table(path, columns=names).replace_schema_metadata(None).cast(wanted)

    @property
    def shown(self) -> list[str]:
        """Name the columns of the scores: all but our row numbers, standardised inputs and what a room added."""
        hidden = {self.names[ROW], self.names[KEY], self.names.get(ADDED, "")}
        return [name for name in self.schema.names if name not in hidden]


@dataclass(frozen=True)
class Ranking:
    """Say how rows are ranked: `by` a target or `desirability`; `domain` is one of `DOMAINS`; `bounds` as stated."""

    targets: tuple[str, ...]
    by: str
    directions: dict[str, str]
    top: int
    domain: str
    bounds: Bounds

    @property
    def asked(self) -> tuple[str, ...]:
        """Name the targets that decide the rank."""
        return (self.by,) if self.by in self.targets else self.targets

    @property
    def weighed(self) -> bool:
        """Whether desirability was asked for: unasked, it would take all targets for better when higher."""
        return len(self.targets) > 1 and (self.by == DESIRABILITY or bool(self.bounds))


def merge(shards: Shards, ranking: Ranking, scores: Path) -> tuple[pd.DataFrame, Summary]:
    """Write the scores of all rows in input order and return the best rows, best first, and the summary."""
    edges, goals = survey(shards, ranking)
    summary = Summary(histograms={t: Histogram(e) for t, e in edges.items()}, goals=[asdict(goal) for goal in goals])
    top = shards.schema.empty_table()
    merits: NDArray[np.float64] = np.empty((0, 2))
    with open_writer(scores) as writer:
        for table in shards.tables():
            writer.write(frame_of(table.select(shards.shown)))
            columns = _columns(table, shards, ranking)
            _count(summary, table, columns, shards.names)
            merits = np.concatenate([merits, _merit(columns, ranking, goals)])
            kept = best(merits, ranking.top)
            top, merits = pa.concat_tables([top, table]).take(kept), merits[kept]
    return frame_of(top), summary


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return a table in memory; whole numbers and flags stay what they are where some are blank."""
    types = {pa.bool_(): pd.BooleanDtype(), pa.int64(): pd.Int64Dtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=types.get)
    return frame


@dataclass(frozen=True)
class Columns:
    """Hold a shard's numbers as arrays; without a domain every row counts as inside."""

    values: dict[str, NDArray[np.float64]]
    in_domain: NDArray[np.bool_]


def _columns(table: pa.Table, shards: Shards, ranking: Ranking) -> Columns:
    values = {t: _numbers(table.column(shards.names[t])) for t in ranking.targets}
    inside = np.ones(table.num_rows, np.bool_)
    for name in flags(shards.names, ranking):
        inside &= pc.fill_null(table.column(name).cast(pa.bool_()), False).to_numpy().astype(np.bool_)
    return Columns(values, inside)


def flags(names: Mapping[str, str], ranking: Ranking) -> list[str]:
    """Return the columns that say whether a row is in the domain of all that decides its rank: where targets have
    domains of their own those, else the one of the model; none where it does not know its domain."""
    own = [names[f"{target}_{DOMAIN}"] for target in ranking.asked if f"{target}_{DOMAIN}" in names]
    return own or ([names[DOMAIN]] if DOMAIN in names else [])


def within(rows: pd.DataFrame, names: Mapping[str, str], ranking: Ranking) -> NDArray[np.bool_]:
    """Tell which rows of a table are in the domain of all that decides their rank, [n]."""
    inside = np.ones(len(rows), np.bool_)
    for name in flags(names, ranking):
        inside &= rows[name].fillna(False).to_numpy(np.bool_)
    return inside


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), math.nan).to_numpy(), np.float64)


def survey(shards: Shards, ranking: Ranking) -> tuple[dict[str, list[float]], list[Goal]]:
    """Read the targets' columns once and return the bin edges and the goal of each target."""
    stride = max(1, math.ceil(shards.rows / SAMPLE))
    chunks: dict[str, list[NDArray[np.float64]]] = {t: [] for t in ranking.targets}
    start = 0
    for table in shards.tables([shards.names[t] for t in ranking.targets]):
        for t in ranking.targets:
            chunks[t].append(_numbers(table.column(shards.names[t]))[-start % stride :: stride])
        start += table.num_rows
    sample = {t: np.concatenate(parts) for t, parts in chunks.items()}
    goals = [_goal(t, sample[t], ranking) for t in ranking.targets]
    return {t: nice_edges(values) for t, values in sample.items()}, goals


def _goal(target: str, values: NDArray[np.float64], ranking: Ranking) -> Goal:
    direction = ranking.directions[target]
    if target in ranking.bounds:
        low, high = ranking.bounds[target]
        return Goal(target, direction, low, high)
    known = values[~np.isnan(values)]
    low, high = (float(v) for v in np.quantile(known, WANTED)) if len(known) else (0.0, 1.0)
    return Goal(target, direction, low, high, "5 % and 95 % points of the scores")


def _merit(columns: Columns, ranking: Ranking, goals: Sequence[Goal]) -> NDArray[np.float64]:
    """Return what rows are ranked by, [n, 2]: whether the domain puts them first, and how good they are."""
    if ranking.by in columns.values:
        merit = columns.values[ranking.by] * (-1.0 if ranking.directions[ranking.by] == "min" else 1.0)
    else:
        merit = overall(goals, columns.values)
    if ranking.domain == "only":
        merit = np.where(columns.in_domain, merit, np.nan)
    first = columns.in_domain & (ranking.domain == "first")
    return np.stack([first, merit], axis=1)


def _count(summary: Summary, table: pa.Table, columns: Columns, names: Mapping[str, str]) -> None:
    statuses = table.column(names["status"])
    for entry in pc.value_counts(statuses.combine_chunks()).to_pylist():
        status = entry["values"]
        summary.statuses[status] = summary.statuses.get(status, 0) + entry["counts"]
        if status != "ok" and status not in summary.messages:
            at = pc.index(statuses, status).as_py()
            summary.messages[status] = table.column(names["message"])[at].as_py() or ""
    summary.rows += table.num_rows
    if DOMAIN in names:
        summary.in_domain = (summary.in_domain or 0) + int(columns.in_domain.sum())
    for target, values in columns.values.items():
        summary.histograms[target].add(values, columns.in_domain)
