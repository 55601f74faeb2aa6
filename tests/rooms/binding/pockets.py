"""A made-up complex, a peptide of twelve residues and a small ligand beside it, and ways to write it to files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from rdkit.Geometry import Point3D

SEQUENCE = "GASDEHRKFYWC"
LIGAND = "CC(=O)Nc1ccc(O)cc1"
GAP = 3.2  # angstrom between the nearest heavy atoms of peptide and ligand

Unzip = Callable[[str, Sequence[str] | None], Path]


@dataclass(frozen=True)
class Made:
    """Hold a peptide and a ligand, both with hydrogens and coordinates."""

    peptide: Chem.Mol
    ligand: Chem.Mol

    @property
    def pdb(self) -> str:
        return Chem.MolToPDBBlock(self.peptide, flavor=4 | 8)  # neither CONECT nor MASTER records

    @property
    def sdf(self) -> str:
        return Chem.MolToMolBlock(self.ligand) + "$$$$\n"


def embedded(mol: Chem.Mol) -> Chem.Mol:
    """Return a molecule with hydrogens and coordinates, the same at every call."""
    mol = Chem.AddHs(mol, addResidueInfo=True)
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=7) == 0
    return mol


def moved(mol: Chem.Mol, xyz: NDArray[np.float64]) -> Chem.Mol:
    """Return a molecule at other places."""
    mol = Chem.Mol(mol)
    for number, place in enumerate(xyz):
        mol.GetConformer().SetAtomPosition(number, Point3D(*map(float, place)))
    return mol


def places(mol: Chem.Mol) -> NDArray[np.float64]:
    """Return the coordinates of all atoms."""
    return np.array(mol.GetConformer().GetPositions())


def beside(peptide: Chem.Mol, ligand: Chem.Mol) -> Chem.Mol:
    """Return the ligand pulled out of the peptide until no two heavy atoms are nearer than the gap."""
    protein, small = places(Chem.RemoveHs(peptide)), places(ligand)
    heavy = [atom.GetIdx() for atom in ligand.GetAtoms() if atom.GetAtomicNum() > 1]
    small = small - small.mean(axis=0) + protein.mean(axis=0)
    while np.linalg.norm(small[heavy][:, None] - protein, axis=2).min() < GAP:
        small = small + np.array([0.1, 0.0, 0.0])
    return moved(ligand, small.round(3))


def atom_line(
    serial: int,
    name: str,
    residue: str,
    place: Sequence[float],
    *,
    number: int = 1,
    chain: str = "A",
    alternate: str = " ",
    insertion: str = " ",
    occupancy: float = 1.0,
    element: str = "",
    record: str = "ATOM",
) -> str:
    """Return one PDB record."""
    padded = name if len(name) == 4 else f" {name:<3}"
    x, y, z = place
    return (
        f"{record:<6}{serial:>5} {padded}{alternate}{residue:>3} {chain}{number:>4}{insertion}   "
        f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{0:6.2f}          {element:>2}\n"
    )
