"""Scans out of a user's file or memory: tables of files, sets of pictures (.npz, HDF5), a scan alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from molgraph.data.regular import is_there
from molgraph.data.stream import STDIN, suffixes
from molgraph.data.table import BLOCK, FORMATS, MEMORY, Table, find_column, read_tables, tables
from molgraph.errors import DataError
from molgraph.rooms.imaging import listing
from molgraph.rooms.imaging.source import BAG, SEQUENCES, SET

SCAN = "scan"
COLUMNS = (
    "image",
    SCAN,
    "path",
    "file",
    "filename",
    "image_path",
    "file_path",
    "image_file",
    "picture",
    "dicom",
    "nifti",
    "volume",
    "series",
    "slice",
)
# Columns whose equal cells say that rows belong together, and so to one side of a split.
BELONGS = {
    "patient": ("patient", "patient_id", "patientid", "subject", "subject_id", "person_id", "case_id"),
    "study": ("study", "study_id", "study_uid", "study_instance_uid", "accession", "accession_number", "exam_id"),
}
# Columns for whose groups a model is judged apart.
SUBGROUPS = {
    "site": ("site", "hospital", "centre", "center", "institution", "institution_name", "location"),
    "sex": ("sex", "gender", "patient_sex"),
    "age": ("age", "patient_age", "age_years"),
    "scanner": ("scanner", "manufacturer", "manufacturer_model_name", "scanner_model", "device", "field_strength"),
    "modality": ("modality", "view", "view_position"),
}


def read(source: Any, column: str | None = None, *, block: int = BLOCK) -> Iterator[Table]:
    """Stream scans in blocks of `block`, one row per row of the table or picture of the set, with a column `scan`.

    A table (file or DataFrame) names the file of each row, or the folder of a series; paths count from the table's
    folder. `;` stands between several scans of one row; `column` may join columns of sequences by `|`
    (`flair|t1c`). Of a set (.npz, HDF5), arrays called `images` hold the rows, arrays of one length beside them their
    columns, and a word before (`train_images`) their fold, which is the split unless another is asked for. Any
    other file, or a folder, is one scan. A list holds texts as `scan` has them.

    Raises: DataError for a missing or damaged file, and a column that is not there.
    """
    if not isinstance(source, str | os.PathLike):
        yield from _named(read_tables(_frame(source), block=block), column, Path())
        return
    path = Path(source)
    if str(source) == STDIN or suffixes(source)[0] in FORMATS:
        yield from _named(read_tables(source, block=block), column, Path() if str(source) == STDIN else path.parent)
    elif path.is_file() and listing.is_set(path):
        yield from _listed(path, block)
    else:
        if not path.exists():
            raise DataError(f"{source}: no such file or folder; check the path.")
        row = [[str(source), str(path.resolve())]]
        for table in tables(row, ["file", SCAN], str(source), column=SCAN, block=block):
            yield replace(table, added=(SCAN,), folder=f"{path.resolve().parent}{os.sep}")


def _frame(source: Any) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source
    if not isinstance(source, Sequence | pd.Series):
        raise DataError(f"{MEMORY}: a {type(source).__name__}; give a path, a DataFrame or a list of paths")
    return pd.DataFrame({SCAN: [str(path) for path in source]}, dtype=object)


def _listed(path: Path, block: int) -> Iterator[Table]:
    found = listing.rows(path)
    frame = found.frame.astype(object)
    for table in tables(frame.to_numpy().tolist(), list(frame.columns), str(path), column=SCAN, block=block):
        folder = f"{path.resolve().parent}{os.sep}"
        frame = table.frame.assign(picture=[name.removeprefix(folder) for name in table.frame[SCAN]])
        yield replace(table, frame=frame, split=found.split, targets=found.targets, added=(SCAN,), folder=folder)


def _named(given: Iterable[Table], column: str | None, folder: Path) -> Iterator[Table]:
    """Add the column `scan`, unless it is the column already and needs no folder."""
    for table in given:
        chosen = column.split(SEQUENCES) if column else [None]
        names = [find_column(list(table.frame.columns), name, COLUMNS, table.origin) for name in chosen]
        cells = zip(*(table.frame[name] for name in names), strict=True)
        texts = [_text([str(cell) for cell in row], folder) for row in cells]
        if names == [SCAN] and texts == table.frame[SCAN].tolist():
            yield replace(table, column=SCAN)
            continue
        added = SCAN
        while added in table.frame:
            added += "_"
        frame = table.frame.assign(**{added: texts})
        yield replace(table, frame=frame, column=added, added=(added,), folder=f"{_resolved(folder)}{os.sep}")


def _text(cells: Sequence[str], folder: Path) -> str:
    """Return what the cells of one row name: scans of several sequences side by side, each with its whole path."""
    if not all(cell.strip() for cell in cells):
        return ""
    bags = [[scan.strip() for scan in cell.split(BAG) if scan.strip()] for cell in cells]
    if len({len(bag) for bag in bags}) > 1:
        return ""
    return BAG.join(SEQUENCES.join(_whole(name, folder) for name in scan) for scan in zip(*bags, strict=True))


def _whole(names: str, folder: Path) -> str:
    """Return the whole path of each sequence; what stands behind a # picks from a file and is no part of its path."""
    whole = []
    for name in names.split(SEQUENCES):
        file, sign, member = name.partition(SET) if not is_there(folder / name) else (name, "", "")
        whole.append(f"{_resolved(folder / file)}{sign}{member}" if file.strip() else name)  # else it names no file
    return SEQUENCES.join(whole)


def _resolved(path: Path) -> Path:
    """Return the whole path, or what was given where no file can be called so: reading it says why."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a name too long, a zero byte, links in a circle
        return path
