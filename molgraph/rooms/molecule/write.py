"""Molecules and their scores as SDF: one record per row, drawn in two dimensions, every column a tag."""

from __future__ import annotations

from typing import IO

import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor

from molgraph.data.cells import column_texts
from molgraph.errors import DataError
from molgraph.rooms.molecule.hard import within
from molgraph.rooms.molecule.read import SMILES
from molgraph.rooms.molecule.sdf import is_tag

TITLE = "_Name"
DRAWN = 300  # atoms of the largest molecule that is drawn: RDKit needs 0.02 s for 150, 0.1 s for 300, 6 s for 1200
_EMPTY = "\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"


class SDF:
    """Write SDF; a row whose SMILES cannot be read becomes a record without atoms, with its columns kept.

    Poses are rows of complexes, and drawn as the molecules of their column of SMILES.
    """

    guarded = 0

    def __init__(self, handle: IO[bytes], *, column: str) -> None:
        self._handle, self._column = handle, column

    def write(self, frame: pd.DataFrame) -> None:
        drawn = next((name for name in (self._column, SMILES) if name in frame), None)
        if drawn is None:
            asked = f" '{self._column}'" if self._column else ""
            raise DataError(f"no SMILES column{asked} to draw in the SDF; write .csv, .xlsx or .parquet")
        columns = {str(name): column_texts(frame.iloc[:, at]) for at, name in enumerate(frame.columns)}
        titles = columns.pop(TITLE, [""] * len(frame))
        names = [_tag(name) for name in columns]
        records = zip(titles, column_texts(frame[drawn]), zip(*columns.values(), strict=True), strict=True)
        text = "".join(_record(title, smiles, names, values) for title, smiles, values in records)
        self._handle.write(text.encode("utf-8", "replace"))

    def close(self) -> None:
        """Nothing is left to write."""


def _record(title: str, smiles: str, names: list[str], values: tuple[str, ...]) -> str:
    block = within(mol_block, smiles, instead=_EMPTY).partition("\n")[2]
    tags = "".join(f">  <{name}>\n{_value(value)}\n\n" for name, value in zip(names, values, strict=True) if value)
    return f"{' '.join(title.split())}\n{block}{tags}$$$$\n"


def mol_block(smiles: str) -> str:
    """Return the mol block of a SMILES, drawn up to `DRAWN` atoms, without atoms where it cannot be read."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
        if molecule is None:
            return _EMPTY
        drawn = molecule.GetNumAtoms() <= DRAWN
        if drawn:
            rdDepictor.Compute2DCoords(molecule)
        groups = any(g.GetGroupType() != Chem.StereoGroupType.STEREO_ABSOLUTE for g in molecule.GetStereoGroups())
        write = Chem.MolToV3KMolBlock if groups else Chem.MolToMolBlock  # V2000 has no word for racemic
        return str(write(molecule, includeStereo=drawn))  # stereo would need a drawing


def _tag(name: str) -> str:
    """Return a column name that cannot end its own tag line."""
    return " ".join(name.split()).strip("<>")


def _value(text: str) -> str:
    """Return a value that ends neither its tag (blank lines are left out, what looks like a tag is indented) nor its
    record (`$$$$` is indented)."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f" {line}" if line.startswith("$$$$") or is_tag(line) else line for line in lines)
