"""The pocket of a pose: whole residues near the ligand, and what it costs to read a pose there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from molgraph.rooms.binding.residues import POLYMER_LAST
from molgraph.rooms.binding.structure import Structure
from molgraph.rooms.molecule.standardise import Refusal

REACH = 8.0  # angstrom; an encoder cuts a smaller pocket out of this one
OUTSIDE = 5.0  # angstrom; a ligand whose nearest protein atom is farther is in no pocket
SAME_PLACE = 0.5  # angstrom, a third of a C-C bond; modelled poses come as near as 0.9 to a side chain


@dataclass(frozen=True)
class Pocket:
    """Hold which heavy atoms of a structure lie in whole residues near a ligand.

    Shapes: `atoms` int64 [Q] in the structure; `near` float64 [Q], how near the residue of each comes to the ligand,
    angstrom.
    """

    atoms: NDArray[np.int64]
    near: NDArray[np.float64]


def cut(
    protein: Structure,
    ligand: NDArray[np.float64],
    reach: float = REACH,
    *,
    numbers: NDArray[np.int64] | None = None,
) -> Pocket | Refusal:
    """Cut the pocket of a ligand [L, 3] out of a protein; `numbers` [L] are what its file calls the atoms.

    What is no part of a chain (a cofactor, a water, an ion) and stands where the ligand stands is taken for what the
    ligand replaces, and left out; an amino acid or nucleotide there is a clash.
    """
    tree = cKDTree(ligand)
    low, high = ligand.min(axis=0) - reach, ligand.max(axis=0) + reach
    beside = np.flatnonzero(((protein.xyz >= low) & (protein.xyz <= high)).all(axis=1))
    distance, at = tree.query(protein.xyz[beside])
    polymer = protein.kind[protein.residue[beside]] <= POLYMER_LAST
    if not (distance[polymer] <= OUTSIDE).any():
        return Refusal("outside_pocket", _how_far(protein, tree))
    overlapping = distance < SAME_PLACE
    if (overlapping & polymer).any():
        worst = int(np.where(polymer, distance, np.inf).argmin())
        called = at[worst] + 1 if numbers is None else numbers[at[worst]]
        where = f"atom {called} of the ligand lies {distance[worst]:.2f} A from an atom of"
        return Refusal("clash", f"{where} {protein.label[protein.residue[beside[worst]]]}: two atoms in one place")
    near = np.full(len(protein.kind), np.inf)
    np.minimum.at(near, protein.residue[beside], distance)
    near[protein.residue[beside[overlapping]]] = np.inf
    atoms = np.flatnonzero(near[protein.residue] <= reach)
    return Pocket(atoms, near[protein.residue[atoms]])


def _how_far(protein: Structure, tree: cKDTree) -> str:
    chain = protein.kind[protein.residue] <= POLYMER_LAST
    if not chain.any():
        return "the file of the receptor holds no amino acid and no nucleotide"
    nearest = float(tree.query(protein.xyz[chain])[0].min())
    return (
        f"the nearest atom of the receptor is {nearest:.1f} A away, more than {OUTSIDE:g}; "
        "are pose and receptor in the same frame?"
    )
