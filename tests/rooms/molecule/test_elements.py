"""Elements of a SMILES, checked against RDKit's own atoms."""

from __future__ import annotations

import pytest
from rdkit import Chem

from molgraph.rooms.molecule.elements import elements

SMILES = (
    "CCO", "N[Pt](N)(Cl)Cl", "c1cc[se]c1", "C[As](C)C", "[13CH4]", "[2H]OC", "[Na+].[Cl-]", "[nH]1cccc1I",
    "F[B-](F)(F)F", "C[Si](C)(C)I", "[Cu+2]", "[Co]", "CC(=O)[O-].[Sc+3]", "c1ccc2[te]ccc2c1", "OP(=O)(O)S",
)  # fmt: skip


@pytest.mark.parametrize("smiles", SMILES)
def test_elements_are_those_of_the_atoms(smiles: str) -> None:
    atoms = {atom.GetSymbol() for atom in Chem.MolFromSmiles(smiles).GetAtoms()} - {"H"}
    assert elements([smiles]) == [frozenset(atoms)]


def test_elements_of_real_molecules(nci: list[str]) -> None:
    molecules = [m for m in map(Chem.MolFromSmiles, nci[:1000]) if m is not None]
    wanted = [frozenset(a.GetSymbol() for a in m.GetAtoms()) - {"H"} for m in molecules]
    assert elements([Chem.MolToSmiles(m) for m in molecules]) == wanted
