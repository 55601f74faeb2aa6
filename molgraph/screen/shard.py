"""Score one shard of a library: the one function that a pool, a scheduler's job or a cluster calls."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from molgraph import registry
from molgraph.data.files import atomic
from molgraph.data.table import free_names
from molgraph.errors import ConfigError, ResourceError

LOADER = "molgraph.predictor:load"
SELECTIVE = "molgraph.predictor.selective:Selective"  # imported only when it is asked for, as the loader is
ROW, KEY = "row", "standard"  # what a shard holds besides the columns of the scores
INPUT = "input"  # how the names call the user's own input column
ADDED = "input that was added"  # and the same, where it is a room's: paths of this machine, for no file but a shard
DOMAIN = "in_domain"  # there unless the model was shared without its training rows
META = b"molgraph"
MISSING, WHOLE, DAMAGED = "missing", "whole", "damaged"


@dataclass(frozen=True)
class Models:
    """Say which models score: `loader` is the `module:attribute` that opens `folders`; `given` are inputs that are the
    same for every row; `against` are the targets to avoid (see `predictor.selective`), `join` files whose columns are
    added (see `predictor.join`)."""

    loader: str
    folders: tuple[str, ...]
    given: tuple[tuple[str, str], ...] = ()
    against: tuple[str, ...] = ()
    join: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """Hold one shard's work, small enough to send to another process; `properties` asks for the room's columns.

    Without a path nothing is written. `lost` has status and message, by position, of rows that are not to be tried.
    """

    number: int
    table: Any
    path: Path | None
    models: Models
    properties: bool = False
    lost: Mapping[int, tuple[str, str]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def opened(models: Models) -> Any:
    """Return the predictor of the folders, loaded once per process.

    Raises: ConfigError for one whose rows see others: a shard has not all of them.
    """
    made = registry.load(models.loader)(list(models.folders)).give(dict(models.given), models.join)
    if any(slot.records for slot in made.inputs.slots):
        raise ConfigError("a model of visits is not screened with: `molgraph predict` scores every row beside them.")
    return registry.load(SELECTIVE)(made, models.against) if models.against else made


def score_shard(job: Job) -> int:
    """Score a shard, write it as Parquet under its final name and return its number of rows.

    Doing it again writes the same bytes.

    Raises: ResourceError for a full disk, a missing permission or too little memory.
    """
    predictor = opened(job.models)
    try:
        write(job, predictor, predictor.score(job.table.blank(job.lost) if job.lost else job.table))
    except MemoryError as error:
        raise ResourceError(f"shard {job.number}: out of memory; give a smaller shard or fewer workers") from error
    return len(job.table)


def write(job: Job, predictor: Any, scored: Any) -> None:
    """Write the user's own columns, the predictions and the standardised inputs of one shard."""
    added = scored.frame.reset_index(drop=True)
    if job.properties:
        added = pd.concat([added, properties(predictor.room, scored.keys)], axis=1)
    added = added.assign(**{ROW: job.table.rows, KEY: scored.keys})
    own = job.table.frame.reset_index(drop=True)
    names = free_names(list(own.columns), list(added.columns))
    frame = pd.concat([own, added.rename(columns=names)], axis=1)
    if job.path is None:
        return
    hidden = {ADDED: job.table.column} if job.table.column in job.table.added else {}
    meta = {META: json.dumps({**names, INPUT: job.table.column, **hidden}).encode()}
    store(job.path, pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(meta))


def store(path: Path, shard: pa.Table) -> None:
    """Write a shard and its seal."""
    with atomic(path) as file:
        whole = io.BytesIO()
        pq.write_table(shard, whole, compression="zstd")
        file.write(whole.getbuffer())
    with atomic(seal_of(path)) as file:  # last: a shard without its seal is not finished
        file.write(hashlib.sha256(whole.getbuffer()).hexdigest().encode())


def properties(room: Any, keys: Sequence[str]) -> pd.DataFrame:
    """Return the room's extra columns, one row per key, blank where the key is."""
    known = [position for position, key in enumerate(keys) if key]
    found = room.face.columns_of([keys[position] for position in known], room.face.properties)
    found.index = pd.Index(known, dtype="int64")
    return pd.DataFrame(found.reindex(range(len(keys))))


def seal_of(path: Path) -> Path:
    """Return the file that holds the sha256 of a shard."""
    return path.with_suffix(".sha256")


def state_of(path: Path, rows: int | None = None) -> str:
    """Tell whether a shard (of so many rows) is there: MISSING, WHOLE, or DAMAGED (not the file that was written)."""
    try:
        wanted = seal_of(path).read_bytes()
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest().encode()
        fits = rows is None or pq.read_metadata(path).num_rows == rows
        return WHOLE if found == wanted and fits else DAMAGED
    except FileNotFoundError:
        return MISSING
    except (OSError, pa.ArrowInvalid):
        return DAMAGED


def start_worker(models: Models) -> None:
    """Make a worker process ready, with one thread."""
    opened(models)
    threads(1)


def threads(count: int) -> int:
    """Set the number of torch's threads, where torch is loaded, and return the number before.

    A shard is scored with one thread: sums in another order would be other bytes.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return count
    before = int(torch.get_num_threads())
    torch.set_num_threads(count)
    return before
