"""Parquet files as text, a row group at a time; and files that are read from their end."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from molgraph.data.stream import STDIN, Row, name_of, open_bytes, suffixes
from molgraph.errors import DataError

_COPY = 1 << 20


def parquet(source: str | os.PathLike[str], block: int) -> Iterator[Row]:
    """Yield the header and then every row of a Parquet file; null is an empty cell, nested values are JSON.

    Raises: DataError for a damaged file.
    """
    name = name_of(source)
    with seekable(source) as stream:
        try:
            file = pq.ParquetFile(stream)
            yield list(file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=block):
                yield from map(list, zip(*(_column(c) for c in batch.columns), strict=True))
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{name}: not a readable Parquet file ({error}); write it again") from error


def _column(values: pa.Array) -> list[str]:
    try:
        texts = values.cast(pa.string()).to_pylist()
    except pa.ArrowException:
        texts = [None if v is None else json.dumps(v, default=str) for v in values.to_pylist()]
    return ["" if t is None else t for t in texts]


@contextmanager
def seekable(source: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that is read from its end: a compressed one is unpacked to a temporary file first."""
    if str(source) == STDIN:
        raise DataError("standard input is read as text; save the workbook or Parquet file and name it")
    with open_bytes(source) as stream:
        if not suffixes(source)[1]:
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            while piece := stream.read(_COPY):
                copy.write(piece)
            copy.seek(0)
            yield copy
