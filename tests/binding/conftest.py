"""A made-up complex: a peptide of twelve residues and a small ligand beside it, and ways to write it to files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from rdkit.Geometry import Point3D

SEQUENCE = "GASDEHRKFYWC"
LIGAND = "CC(=O)Nc1ccc(O)cc1"
GAP = 3.2  # angstrom between the nearest atoms of peptide and ligand


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


@pytest.fixture(scope="session")
def complex_made() -> Made:
    peptide, ligand = embedded(Chem.MolFromSequence(SEQUENCE)), embedded(Chem.MolFromSmiles(LIGAND))
    protein, small = places(peptide), places(ligand)
    centre = protein.mean(axis=0)
    small = small - small.mean(axis=0) + centre
    way = np.array([1.0, 0.0, 0.0])
    while np.linalg.norm(small[:, None] - protein, axis=2).min() < GAP:  # pulled out until nothing touches
        small = small + 0.1 * way
    return Made(peptide, moved(ligand, small.round(3)))


@pytest.fixture
def files(complex_made: Made, tmp_path: Path) -> Path:
    """Return a folder with `receptor.pdb` and `ligand.sdf`."""
    (tmp_path / "receptor.pdb").write_text(complex_made.pdb, encoding="utf-8")
    (tmp_path / "ligand.sdf").write_text(complex_made.sdf, encoding="utf-8")
    return tmp_path


Unzip = Callable[[str, Sequence[str] | None], Path]


@pytest.fixture(scope="session")
def unzipped(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Unzip:
    """Return what unpacks an archive of structures, or the named members of it, once."""
    done: dict[tuple[str, ...], Path] = {}

    def unzip(name: str, members: Sequence[str] | None = None) -> Path:
        key = (name, *(members or ()))
        if key not in done:
            done[key] = tmp_path_factory.mktemp(name)
            with zipfile.ZipFile(shared_data / "structures" / f"{name}.zip") as archive:
                archive.extractall(done[key], members)
        return done[key]

    return unzip


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
