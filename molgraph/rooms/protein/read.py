"""Proteins out of a user's file or memory: tables with a sequence column, FASTA."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd

from molgraph.data.stream import LINE, STDIN, Broken, Lines, Row, name_of, open_bytes, suffixes
from molgraph.data.table import BLOCK, MEMORY, Table, find_column, read_tables, tables
from molgraph.errors import DataError

SEQUENCE = "sequence"
COLUMNS = (
    "sequence",
    "target_sequence",
    "protein_sequence",
    "aa_sequence",
    "amino_acid_sequence",
    "protein",
    "seq",
    "target",
    "embedding",
)
FASTA_FILES = (".fasta", ".fa", ".faa", ".fas")
FASTA_COLUMNS = ("id", "description", SEQUENCE)


def read(source: Any, column: str | None = None, *, block: int = BLOCK) -> Iterator[Table]:
    """Stream proteins in blocks of `block` records, one row per record, every cell the user's own text.

    `source` is a path, "-" for standard input (FASTA or a table), a DataFrame, or a list of sequences. `column` names
    the sequence column where it has no usual name. From FASTA come `id` (the first word of the header),
    `description` (the rest) and `sequence` (its lines joined).

    Raises: DataError for a missing or damaged file, an unknown format, duplicate columns and a sequence column that
    is not there; ResourceError where there is no permission.
    """
    if not isinstance(source, str | os.PathLike):
        yield from _chosen(read_tables(_frame(source), block=block), column)
    elif _is_fasta(source):
        yield from _fasta(source, column, block)
    else:
        yield from _chosen(read_tables(source, block=block), column)


def _chosen(given: Iterable[Table], column: str | None) -> Iterator[Table]:
    for table in given:
        yield replace(table, column=find_column(list(table.frame.columns), column, COLUMNS, table.origin))


def _frame(source: Any) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source
    if not isinstance(source, Sequence | pd.Series | np.ndarray):
        raise DataError(f"{MEMORY}: a {type(source).__name__}; give a path, a DataFrame or a list of sequences")
    return pd.DataFrame({SEQUENCE: list(source)}, dtype=object)


def _is_fasta(source: str | os.PathLike[str]) -> bool:
    if str(source) == STDIN:
        return cast(io.BufferedReader, sys.stdin.buffer).peek(1)[:1] == b">"
    return suffixes(source)[0] in FASTA_FILES


def _fasta(source: str | os.PathLike[str], column: str | None, block: int) -> Iterator[Table]:
    name = name_of(source)
    chosen = find_column(FASTA_COLUMNS, column, COLUMNS, name)
    with open_bytes(source) as stream:
        lines = Lines(stream, name)
        try:
            yield from tables(_records(lines), FASTA_COLUMNS, name, column=chosen, block=block)
        finally:
            lines.detach()


def _records(lines: Lines) -> Iterator[Row]:
    """Yield [id, description, sequence] per header line; lines before the first header are a record without a name.

    A line that starts with ; is a comment, as in the first FASTA programs.
    """
    header: str | None = None
    held: list[str] = []
    size = 0
    problem: Broken | None = None
    for line in lines:
        if line.startswith(">"):
            if header is not None or held or problem:
                yield _record(header or "", held, problem)
            header, held, size, problem = line[1:].strip(), [], 0, None
            continue
        size += len(line)
        if lines.broken:
            problem = lines.broken.popitem()[1]
        elif size > LINE:
            problem = Broken("too_large", f"the record at line {lines.number} has over {LINE:,} characters")
        elif not line.startswith(";") and line.strip():
            held.append(line.strip())
    if header is not None or held or problem:
        yield _record(header or "", held, problem)


def _record(header: str, held: Sequence[str], problem: Broken | None) -> Row:
    name, *rest = header.split(maxsplit=1) or [""]
    if problem is None:
        return [name, "".join(rest), "".join(held)]
    return problem._replace(cells=(name, "".join(rest), ""), text=problem.text or header)
