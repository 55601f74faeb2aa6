"""Ring systems of drugs that RDKit's usual places draw over themselves."""

from __future__ import annotations

import pytest
from rdkit import Chem
from rdkit.Chem import rdDepictor

from molgraph.rooms.molecule.draw import draw
from molgraph.rooms.molecule.layout import crowding, laid_out

RIFAMPICIN = (
    "COC1C=COC2(C)Oc3c(C)c(O)c4c(O)c(c(C=NN5CCN(C)CC5)c(O)c4c3C2=O)NC(=O)C(C)=CC=CC(C)C(O)C(C)C(O)C(C)C(OC(C)=O)C1C"
)
TAXOL = (
    "CC(=O)OC1C(=O)C2(C)C(C(OC(=O)c3ccccc3)C3(O)CC(OC(=O)C(O)C(NC(=O)c4ccccc4)c4ccccc4)C(C)=C1C3(C)C)"
    "C1(OC(C)=O)COC1CC2O"
)


def usual(smiles: str) -> int:
    molecule = Chem.MolFromSmiles(smiles)
    rdDepictor.Compute2DCoords(molecule)
    return crowding(molecule)


@pytest.mark.parametrize(
    "smiles",
    [RIFAMPICIN, TAXOL, "CC1CCC2C(C)C(=O)OC3OC4(C)CCC1C23OO4"],
    ids=["macrocycle", "bridged", "cage of a peroxide"],
)
def test_what_was_drawn_over_itself_is_no_longer(smiles: str) -> None:
    assert usual(smiles) > 0
    made = laid_out(Chem.MolFromSmiles(smiles))
    assert made.GetNumConformers() == 1 and crowding(made) < usual(smiles)


@pytest.mark.parametrize(
    "smiles",
    [
        "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",  # morphine
        "NC12CC3CC(CC(C3)C1)C2",
        "C12C3C4C1C5C2C3C45",
        "CC1(C)C2CCC1(C)C(=O)C2",
        "C1COCCOCCN2CCOCCOCCN1CCOCCOCC2",
        "CC1CCC23CCC(=O)C2C1(C)C(CC(C)(C=C)C(O)C3C)OC(=O)CO",
    ],
)
def test_no_cage_is_worse_than_before(smiles: str) -> None:
    assert crowding(laid_out(Chem.MolFromSmiles(smiles))) <= usual(smiles)
    assert draw(smiles).count("<path") > 0


@pytest.mark.parametrize("smiles", ["CCO", "c1ccc2ccccc2c1", "C1CCC2(CC1)CCC1(CC2)OCCO1", "[Na+].[Cl-]"])
def test_what_needs_no_choice_is_left_to_the_drawing(smiles: str) -> None:
    assert laid_out(Chem.MolFromSmiles(smiles)).GetNumConformers() == 0


def test_a_crossing_an_atom_on_another_and_an_atom_on_a_bond_are_counted() -> None:
    def placed(smiles: str, places: list[tuple[float, float]]) -> int:
        molecule = Chem.MolFromSmiles(smiles)
        conformer = Chem.Conformer(molecule.GetNumAtoms())
        for at, (x, y) in enumerate(places):
            conformer.SetAtomPosition(at, (x, y, 0.0))
        molecule.AddConformer(conformer)
        return crowding(molecule)

    assert placed("CCCC", [(0, 0), (1, 0), (2, 0), (3, 0)]) == 0
    assert placed("CC.CC", [(0, 0), (2, 2), (0, 2), (2, 0)]) == 1
    assert placed("CC.CC", [(0, 0), (1, 0), (0.1, 0), (0.1, -1)]) == 2  # on the atom, and on its bond
    assert placed("CC.CC", [(0, 0), (1, 0), (0.5, 0.1), (0.5, 1.1)]) == 1
    assert placed("C.C", [(0, 0), (0, 0)]) == 0  # nothing is bound, so nothing says how near is near


def test_the_choice_is_nobody_elses() -> None:
    before = rdDepictor.GetPreferCoordGen()
    laid_out(Chem.MolFromSmiles(RIFAMPICIN))
    assert rdDepictor.GetPreferCoordGen() is before
