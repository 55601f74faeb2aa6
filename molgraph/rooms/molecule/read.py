"""Molecules out of a user's file or memory: tables with a SMILES column, SMILES files, SDF."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase

from molgraph.data.delimited import records
from molgraph.data.stream import STDIN, Broken, Lines, Row, name_of, open_bytes, suffixes
from molgraph.data.table import (
    BLOCK,
    MEMORY,
    Table,
    cell_texts,
    column_names,
    find_column,
    is_usual,
    read_tables,
    tables,
)
from molgraph.errors import DataError
from molgraph.rooms.molecule import sdf

SMILES = "smiles"
NAME = "_Name"  # what RDKit calls the first line of a mol block
COLUMNS = (
    "smiles",
    "canonical_smiles",
    "isomeric_smiles",
    "cxsmiles",
    "smi",
    "drug",
    "structure",
    "molecule",
    "mol",
    "compound_smiles",
)
SMILES_FILES = (".smi", ".ism", ".smiles", ".cxsmiles", ".cxsmi")
SDF_FILES = (".sdf", ".sd", ".mol")
_MOST_TAGS = 10_000
_SMILES_LINE = re.compile(r"(\S+)(?:\s+(\|[^|]*\|))?\s*(.*)", re.DOTALL)  # SMILES, CXSMILES extension, name


def read(source: Any, column: str | None = None, *, block: int = BLOCK) -> Iterator[Table]:
    """Stream molecules in blocks of `block` records, one row per record, every cell the user's own text.

    `source` is a path, "-" for standard input (a table, or SMILES lines where it has no header), a DataFrame, or a
    list or Series of SMILES or RDKit molecules. `column` names the SMILES column where it has no usual name. From
    SDF come `smiles` (made by RDKit), `_Name` and every tag of any record.

    Raises: DataError for a missing or damaged file, an unknown format, duplicate columns and a SMILES column that
    is not there; ResourceError where there is no permission.
    """
    if not isinstance(source, str | os.PathLike):
        yield from _chosen(read_tables(_frame(source), block=block), column)
        return
    suffix, _ = suffixes(source)
    if suffix in SDF_FILES:
        yield from _sdf(source, column, block)
    elif suffix in SMILES_FILES or str(source) == STDIN:
        yield from _lines(source, column, block)
    else:
        yield from _chosen(read_tables(source, block=block), column)


def _chosen(given: Iterable[Table], column: str | None) -> Iterator[Table]:
    """Choose the SMILES column of every block; where a file has no header, say so."""
    for table in given:
        columns = list(table.frame.columns)
        try:
            name = find_column(columns, column, COLUMNS, table.origin)
        except DataError as error:
            if column is None and any(len(c) > 2 and _is_smiles(c) for c in columns):
                raise DataError(f"{error} If there is no header line, add one or name the file .smi.") from error
            raise
        yield replace(table, column=name)


def _is_smiles(text: str) -> bool:
    with rdBase.BlockLogs():
        return bool(text) and Chem.MolFromSmiles(text) is not None


# --- memory ----------------------------------------------------------------------------------------------------------


def _frame(source: Any) -> pd.DataFrame:
    """Return a table of cells that are no molecules any more."""
    if isinstance(source, pd.DataFrame):
        objects = [c for c in source.columns if source[c].dtype == object]
        return source.assign(**{c: _smiles_of(source[c]) for c in objects if _has_molecules(source[c])})
    if not isinstance(source, Sequence | pd.Series | np.ndarray):
        raise DataError(f"{MEMORY}: a {type(source).__name__}; give a path, a DataFrame or a list of SMILES")
    cells = list(source)
    frame = pd.DataFrame({SMILES: _smiles_of(cells)}, dtype=object)
    if not _has_molecules(cells):
        return frame
    tags = [_properties(m) if isinstance(m, Chem.Mol) else {} for m in cells]
    names = dict.fromkeys(name for tag in tags for name in tag if name != SMILES)
    named = [m.GetProp(NAME) if isinstance(m, Chem.Mol) and m.HasProp(NAME) else "" for m in cells]
    extra = {NAME: named} if any(named) else {}
    return frame.assign(**extra, **{name: cell_texts(tag.get(name) for tag in tags) for name in names})


def _properties(molecule: Chem.Mol) -> dict[str, Any]:
    """Return the properties as they were set: a text "000123" is no number."""
    return dict(molecule.GetPropsAsDict(includePrivate=False, autoConvertStrings=False))


def _has_molecules(cells: Any) -> bool:
    return any(isinstance(c, Chem.Mol) for c in cells)


def _smiles_of(cells: Any) -> list[Any]:
    return [sdf.smiles_of(c) if isinstance(c, Chem.Mol) else c for c in cells]


# --- SMILES files ----------------------------------------------------------------------------------------------------


def _lines(source: str | os.PathLike[str], column: str | None, block: int) -> Iterator[Table]:
    """Read SMILES lines, or a table where the first line is the header of one."""
    name, piped = name_of(source), str(source) == STDIN
    with open_bytes(source) as stream:
        lines = Lines(stream, name)
        try:
            first = "".join(islice(lines, 1))
            lines.give_back([first] if first else [])
            if _heads_table(first, piped):
                rows = records(lines, None if piped else "\t")
                header = next((row for row in rows if row), [])
                if isinstance(header, Broken):
                    raise DataError(f"{name}: the header cannot be read: {header.message}")
                yield from _chosen(tables(rows, column_names(header, name), name, block=block), column)
            else:
                words = first.split()
                named = bool(words) and is_usual(words[0], COLUMNS)
                header = [words[0], " ".join(words[1:]) or "name"] if named else [SMILES, "name"]
                rows = _smiles_rows(islice(lines, 1, None) if named else lines, lines.broken)
                yield from tables(rows, header, name, column=find_column(header, column, COLUMNS, name), block=block)
        finally:
            lines.detach()


def _heads_table(line: str, piped: bool) -> bool:
    """Tell whether a first line is the header of a delimited table: on a pipe, anything but a SMILES is."""
    if piped:
        return bool(line.strip()) and not _is_smiles(line.split()[0])
    cells = line.split("\t")
    return len(cells) > 1 and any(is_usual(cell, COLUMNS) for cell in cells)


def _smiles_rows(lines: Iterable[str], broken: dict[int, Broken]) -> Iterator[Row]:
    """Yield [SMILES with its CXSMILES extension, the rest of the line]; a line that starts with # is a comment."""
    for line in lines:
        if broken:
            yield broken.popitem()[1]
        elif not line.strip():
            yield []
        elif not line.startswith("#"):
            smiles, extension, name = _SMILES_LINE.fullmatch(line.strip()).groups()  # type: ignore[union-attr]
            yield [f"{smiles} {extension}" if extension else smiles, name]


# --- SDF -------------------------------------------------------------------------------------------------------------


def _sdf(source: str | os.PathLike[str], column: str | None, block: int) -> Iterator[Table]:
    """Read an SDF twice: once for the names of all tags, so that every block has every column, then for the rows."""
    name = name_of(source)
    tags: dict[str, None] = {}
    for record in sdf.records(source):
        tags.update(dict.fromkeys(record.tags))
        if len(tags) > _MOST_TAGS:
            raise DataError(f"{name}: more than {_MOST_TAGS:,} different tags; is this an SDF?")
    made, title = _free(SMILES, tags), _free(NAME, tags)
    columns = [made, title, *tags]
    chosen = made if column is None else find_column(columns, column, COLUMNS, name)
    yield from tables((sdf.row(r, tags) for r in sdf.records(source)), columns, name, column=chosen, block=block)


def _free(name: str, taken: Iterable[str]) -> str:
    return name if name not in taken else _free(name + "_", taken)
