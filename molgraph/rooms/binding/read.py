"""Poses out of a user's file: a table that names protein and ligand files, or a file of poses with one protein."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from molgraph.data.stream import STDIN, Row, read_errors, suffixes
from molgraph.data.table import BLOCK, MEMORY, Table, find_column, is_usual, read_tables, tables
from molgraph.errors import DataError
from molgraph.rooms.binding.ligand import MOL2_FILES, pose_starts, read_poses
from molgraph.rooms.binding.pose import BAR, Pose
from molgraph.rooms.binding.residues import POLYMER_LAST
from molgraph.rooms.binding.structure import STRUCTURE_FILES, structure
from molgraph.rooms.molecule import read as molecules
from molgraph.rooms.molecule.standardise import Refusal

COMPLEX = "complex"
PROTEIN = ("protein", "receptor", "protein_file", "protein_path", "receptor_file", "pocket", "protein_pdb")
LIGAND = ("ligand", "ligand_file", "ligand_path", "ligand_sdf", "poses")
POSE = ("pose", "pose_number")
SMILES = ("smiles", "ligand_smiles", "canonical_smiles", "isomeric_smiles")
COLUMNS = (COMPLEX, *LIGAND)
NAME = molecules.NAME
UNPLACED = (
    "molecules without poses; dock them first (`molgraph dock`, or elsewhere) and give the SDF, or name a file of "
    "poses per row in a column `ligand`"
)


def read(
    source: Any, column: str | None = None, *, block: int = BLOCK, protein: str | os.PathLike[str] | None = None
) -> Iterator[Table]:
    """Stream poses in blocks of `block`, one row per row of the table or pose of the file, with a column `complex`.

    A table (file or DataFrame) names the files of each row in the columns `protein` and `ligand`, if need be the number
    of the pose in `pose` and the ligand's SMILES in `smiles`; paths count from the table's folder. `column` is the
    ligand's where it has no usual name. An SDF, MOL2, PDB or PDBQT of poses needs `protein`, which also serves a table
    without that column. A list holds texts as `complex` has them (see `pose.Pose`).

    Raises: DataError for a missing or damaged file, an unknown format, a column or a protein that is not named.
    """
    receptor = None if protein is None else _existing(protein)
    if not isinstance(source, str | os.PathLike):
        yield from _named(read_tables(_frame(source), block=block), column, receptor, Path())
        return
    suffix, _ = suffixes(source)
    if suffix in molecules.SMILES_FILES:
        raise DataError(f"{source}: {UNPLACED}")
    if suffix not in (*molecules.SDF_FILES, *MOL2_FILES, *STRUCTURE_FILES):
        folder = Path() if str(source) == STDIN else Path(source).parent
        yield from _named(read_tables(source, block=block), column, receptor, folder)
        return
    if receptor is None:
        raise DataError(f"{source}: these are poses; name the protein they were placed in with --protein FILE")
    if suffix in molecules.SDF_FILES:
        yield from _sdf(source, receptor, block)
    else:
        yield from _poses(str(source), receptor, block)


def _frame(given: Any) -> pd.DataFrame:
    if isinstance(given, pd.DataFrame):
        return given
    if not isinstance(given, Sequence | pd.Series):
        raise DataError(f"{MEMORY}: a {type(given).__name__}; give a path, a DataFrame or a list of poses")
    return pd.DataFrame({COMPLEX: list(given)}, dtype=object)


def _existing(path: str | os.PathLike[str]) -> str:
    """Return the path of a protein that can be read: one for all rows is looked at before the first of them.

    Raises: DataError where it is not there, or holds no chain.
    """
    with read_errors(str(path)), Path(path).open("rb"):
        found = structure(str(path))
    if isinstance(found, Refusal):
        raise DataError(f"--protein: {found.message}.")
    if not (found.kind[found.residue] <= POLYMER_LAST).any():
        raise DataError(f"--protein: {path} holds no amino acid and no nucleotide; is it the ligand?")
    return str(path)


def _named(given: Iterable[Table], column: str | None, receptor: str | None, folder: Path) -> Iterator[Table]:
    """Add the column `complex`, unless the table has it."""
    for table in given:
        columns = list(table.frame.columns)
        if column in (None, COMPLEX) and COMPLEX in columns:
            yield replace(table, column=COMPLEX)
            continue
        ligand = _ligand(columns, None if column == COMPLEX else column, table.origin)
        ligands = _paths(table, ligand, folder)
        if receptor is None:
            proteins = _paths(table, find_column(columns, None, PROTEIN, table.origin), folder)
        else:
            proteins = [receptor] * len(table)
        table = replace(table, folder="" if folder == Path() else f"{folder}{os.sep}")
        numbers, smiles = _optional(table, POSE, "0"), _optional(table, SMILES, "")
        yield _with_texts(table, [BAR.join(row) for row in zip(proteins, ligands, numbers, smiles, strict=True)])


def _ligand(columns: Sequence[str], wanted: str | None, origin: str) -> str:
    """Return the column of ligand files.

    Raises: DataError where there is none, and what to do where there are molecules instead.
    """
    try:
        return find_column(columns, wanted, LIGAND, origin)
    except DataError as error:
        if wanted is None and any(is_usual(name, SMILES) for name in columns):
            raise DataError(f"{origin}: {UNPLACED}. Columns: {', '.join(columns)}.") from error
        raise


def _paths(table: Table, column: str, folder: Path) -> list[str]:
    return [str(folder / cell) if cell else "" for cell in map(str.strip, table.frame[column])]


def _optional(table: Table, usual: Sequence[str], blank: str) -> list[str]:
    """Return the cells of a column that need not be there."""
    name = next((name for name in map(str, table.frame.columns) if is_usual(name, usual)), None)
    return [blank] * len(table) if name is None else [cell.strip() or blank for cell in table.frame[name]]


def _with_texts(table: Table, texts: list[str]) -> Table:
    name = COMPLEX
    while name in table.frame:
        name += "_"
    return replace(table, frame=table.frame.assign(**{name: texts}), column=name, added=(name,))


def _sdf(source: str | os.PathLike[str], receptor: str, block: int) -> Iterator[Table]:
    """Read an SDF as the room of molecules does, tags and all; what RDKit cannot read is a reject."""
    for table in molecules.read(source, None, block=block):
        texts = [Pose(receptor, str(source), int(row)).text for row in table.rows]
        yield _with_texts(table, texts)


def _poses(source: str, receptor: str, block: int) -> Iterator[Table]:
    """Read MOL2, PDB, PDBQT or mmCIF poses: their name and number; MOL2 names are on the line after the mark."""
    total = len(pose_starts(source)) - 1

    def rows() -> Iterator[Row]:
        for number, record in zip(count(1), read_poses(source, range(1, total + 1))):
            yield [_title(str(record)), Pose(receptor, source, number).text]

    for table in tables(rows(), [NAME, COMPLEX], source, column=COMPLEX, block=block):
        yield replace(table, added=(COMPLEX,))


def _title(record: str) -> str:
    first, _, rest = record.partition("\n")
    return rest.partition("\n")[0].strip() if first.startswith("@<TRIPOS>MOLECULE") else ""
