"""A finished screen ranked in another way: its scores as shards again, so that nothing is scored twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from molgraph.data.table import MEMORY, Table, free_names
from molgraph.errors import ConfigError
from molgraph.screen.shard import ADDED, INPUT, KEY, META, ROW, store


def restored(scores: Path, names: Mapping[str, str], tables: Iterator[Any], folder: Path) -> Iterator[Any]:
    """Yield the tables of the library, and write the shard of each from the scores before.

    Of standardised inputs the scores know nothing; `with_keys` makes those that are ranked again.

    Raises: ConfigError where the scores are in a format that does not keep types.
    """
    if scores.suffix != ".parquet":
        raise ConfigError(
            f"{scores}: to rank in another way it takes scores in Parquet, which keep their types. Remedy: screen into "
            "another output folder, with --format parquet."
        )
    folder.mkdir(exist_ok=True)
    with pq.ParquetFile(scores) as file:
        whole = _Rows(file)
        for number, table in enumerate(tables):
            own = whole.take(len(table))
            extra = free_names([*own.column_names, names[ROW]], [KEY])[KEY]
            known = {ours: name for ours, name in names.items() if name in own.column_names and ours != INPUT}
            meta = {**known, ROW: names[ROW], KEY: extra, INPUT: table.column}
            if table.column in table.added:
                meta[ADDED] = table.column
                own = own.append_column(table.column, pa.array(table.texts, pa.string()))
            own = own.append_column(names[ROW], pa.array(np.asarray(table.rows, dtype=np.int64)))
            own = own.append_column(extra, pa.array([""] * len(table), pa.string()))
            store(folder / f"{number:08d}.parquet", own.replace_schema_metadata({META: json.dumps(meta).encode()}))
            yield table


class _Rows:
    """Take rows of a file from its start on, as many as are asked for."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self.batches, self.left = file.iter_batches(), file.schema_arrow.empty_table()

    def take(self, count: int) -> pa.Table:
        while len(self.left) < count:
            self.left = pa.concat_tables([self.left, pa.Table.from_batches([next(self.batches)])])
        taken, self.left = self.left.slice(0, count), self.left.slice(count)
        return taken


def with_keys(best: pd.DataFrame, names: Mapping[str, str], predictor: Any) -> pd.DataFrame:
    """Return the best rows with their standardised inputs, made again where they were not kept."""
    blank = (best[names[KEY]].fillna("") == "") & (best[names["status"]] == "ok")
    if not blank.any():
        return best
    ours = set(names.values()) - {names[INPUT]}
    own = best.loc[blank, [name for name in best.columns if name not in ours]].reset_index(drop=True)
    table = Table(own, names[INPUT], np.arange(1, len(own) + 1), {}, MEMORY)
    best.loc[blank, names[KEY]] = predictor.score(table).keys
    return best
