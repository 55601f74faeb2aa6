"""What a medicinal chemist wants to know about a pose besides its score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.binding.features import read_all
from molgraph.rooms.binding.groups import ligand_of
from molgraph.rooms.binding.pocket import cut
from molgraph.rooms.binding.residues import ION, POLYMER_LAST, WATER
from molgraph.rooms.binding.structure import structure
from molgraph.rooms.molecule import properties as molecules
from molgraph.rooms.molecule.standardise import Refusal

CONTACT, POLAR, BESIDE = 4.0, 3.5, 5.0  # angstrom
CLASH = 0.75  # of the sum of the van der Waals radii, as PoseBusters has it
_VDW = np.array([0.0, *(Chem.GetPeriodicTable().GetRvdw(number) for number in range(1, 119))])
_POLAR = (7, 8)


@dataclass(frozen=True)
class Placed:
    """Hold a pose and what stands within 8 angstrom of it.

    Shapes: `distance` float64 [L, Q]; `ligand` and `pocket` int16, the elements; `kind` int64 [Q] of each pocket
    atom's residue; `near` float64 [Q], how near that residue comes; `residue` int64 [Q]; `missing` int64 [R].
    """

    distance: NDArray[np.float64]
    ligand: NDArray[np.int16]
    pocket: NDArray[np.int16]
    kind: NDArray[np.int64]
    near: NDArray[np.float64]
    residue: NDArray[np.int64]
    missing: NDArray[np.int64]


def contacts(placed: Placed) -> int:
    """Count pairs of heavy atoms of ligand and protein within 4 angstrom."""
    return int((placed.distance[:, placed.kind <= POLYMER_LAST] <= CONTACT).sum())


def polar_contacts(placed: Placed) -> int:
    """Count pairs of N or O of ligand and protein within 3.5 angstrom, the length of a weak hydrogen bond."""
    of_protein = np.isin(placed.pocket, _POLAR) & (placed.kind <= POLYMER_LAST)
    return int((placed.distance[np.isin(placed.ligand, _POLAR)][:, of_protein] <= POLAR).sum())


def buried(placed: Placed) -> float:
    """Return the share of the ligand's atoms that have a protein atom within 4 angstrom."""
    return float((placed.distance[:, placed.kind <= POLYMER_LAST] <= CONTACT).any(axis=1).mean())


def clashes(placed: Placed) -> int:
    """Count pairs of heavy atoms of ligand and protein nearer than 0.75 times the sum of their radii."""
    least = CLASH * (_VDW[placed.ligand][:, None] + _VDW[placed.pocket])
    return int((placed.distance < least)[:, placed.kind <= POLYMER_LAST].sum())


def pocket_residues(placed: Placed) -> int:
    """Count the amino acids and nucleotides that come within 5 angstrom of the ligand."""
    return _residues(placed, placed.kind <= POLYMER_LAST)


def pocket_waters(placed: Placed) -> int:
    """Count the waters within 5 angstrom of the ligand."""
    return _residues(placed, placed.kind == WATER)


def pocket_ions(placed: Placed) -> int:
    """Count the ions (metals too) within 5 angstrom of the ligand."""
    return _residues(placed, placed.kind == ION)


def missing_atoms(placed: Placed) -> int:
    """Count heavy atoms that amino acids within 8 angstrom of the ligand should have and the file lacks.

    What is lacking may be what would reach the ligand: the longest side chain, of arginine, is 7 angstrom long.
    """
    return int(placed.missing[np.unique(placed.residue)].sum())


def _residues(placed: Placed, wanted: NDArray[np.bool_]) -> int:
    return len(np.unique(placed.residue[wanted & (placed.near <= BESIDE)]))


@dataclass(frozen=True)
class Property:
    """Describe one column: what makes it, and the type of its cells."""

    of: Callable[[Placed], float | int]
    dtype: str = "Int64"

    @property
    def about(self) -> str:
        """Say in a line what the column is."""
        return (self.of.__doc__ or "").partition("\n")[0]


OF_POSE = {
    "contacts": Property(contacts),
    "polar_contacts": Property(polar_contacts),
    "buried": Property(buried, "Float64"),
    "clashes": Property(clashes),
    "pocket_residues": Property(pocket_residues),
    "pocket_waters": Property(pocket_waters),
    "pocket_ions": Property(pocket_ions),
    "missing_atoms": Property(missing_atoms),
}
PROPERTIES = (*OF_POSE, *molecules.PROPERTIES)


def properties(keys: Sequence[str], names: Sequence[str] = PROPERTIES) -> pd.DataFrame:
    """Compute the named properties of poses and their ligands, one row per key, blank where the files are gone.

    Raises: ConfigError for an unknown name.

    See: PoseBusters, Buttenschoen et al. 2024, doi 10.1039/D3SC04185A (clashes).
    """
    for name in names:
        if name not in PROPERTIES:
            raise ConfigError(f"unknown property '{name}'{did_you_mean(name, PROPERTIES)}")
    mine = [name for name in names if name in OF_POSE]
    rows: list[list[Any]] = [[None] * len(mine) for _ in keys]
    if mine:
        with rdBase.BlockLogs():
            for at, placed in _placed(keys):
                rows[at] = [OF_POSE[name].of(placed) for name in mine]
    cells = dict(zip(mine, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(mine, ())
    found = {name: pd.Series(cells[name], dtype=OF_POSE[name].dtype) for name in mine}
    ligands = [ligand_of(key) for key in keys]
    each = {ligand: at for at, ligand in enumerate(dict.fromkeys(ligands))}  # a ligand has several poses, as a rule
    theirs = molecules.properties(list(each), [name for name in names if name not in OF_POSE])
    theirs = theirs.reindex([each[ligand] for ligand in ligands]).reset_index(drop=True)
    return pd.DataFrame({name: found[name] if name in found else theirs[name] for name in names})


def _placed(keys: Sequence[str]) -> Iterator[tuple[int, Placed]]:
    """Yield (position, pose) for the keys whose files can still be read."""
    for at, pose, given in read_all(keys):
        protein = structure(pose.protein)
        if isinstance(given, Refusal) or isinstance(protein, Refusal):
            continue
        pocket = cut(protein, given.xyz, numbers=given.numbers)
        molecule = Chem.MolFromSmiles(given.smiles)
        if isinstance(pocket, Refusal) or molecule is None:
            continue
        residue = protein.residue[pocket.atoms]
        yield (
            at,
            Placed(
                np.linalg.norm(given.xyz[:, None] - protein.xyz[pocket.atoms], axis=2),
                np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()], np.int16),
                protein.element[pocket.atoms],
                protein.kind[residue],
                pocket.near,
                residue,
                protein.missing,
            ),
        )
