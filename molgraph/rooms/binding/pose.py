"""What a row names: a receptor, a file of poses, which pose of it, and the ligand's SMILES."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from molgraph.errors import DataError
from molgraph.rooms.molecule.standardise import Refusal

BAR = "|"


@dataclass(frozen=True)
class Pose:
    """Name one pose. `number` counts the poses of the file from 1, 0 is its only one; `smiles` may be empty.

    >>> Pose("receptor.pdb", "poses.sdf", 17, "CCO").text
    'receptor.pdb|poses.sdf|17|CCO'
    """

    protein: str
    ligand: str
    number: int = 0
    smiles: str = ""

    @property
    def text(self) -> str:
        """Return the pose in one line, which `parse` reads again.

        Raises: DataError for a path with a bar in it.
        """
        for path in (self.protein, self.ligand):
            if BAR in path:
                raise DataError(f"{path}: a path with '{BAR}' cannot be named in a row; rename the file or folder")
        return BAR.join((self.protein, self.ligand, str(self.number), self.smiles))

    @classmethod
    def parse(cls, text: str) -> Self | Refusal:
        """Read what `text` wrote; number and SMILES may be missing."""
        if not text.strip():
            return Refusal("empty", "the cell is empty")
        protein, ligand, number, smiles = (*(part.strip() for part in text.split(BAR, 3)), "", "", "", "")[:4]
        if not protein or not ligand:
            missing = "protein" if not protein else "ligand"
            return Refusal(f"no_{missing}", f"no {missing} file is named; a row is protein|ligand|number|SMILES")
        if number and not number.isdecimal():
            what = f"'{number}' is no pose number; poses are counted from 1, and no path may hold a bar"
            return Refusal("invalid_pose", what)
        return cls(protein, ligand, int(number or 0), smiles)
