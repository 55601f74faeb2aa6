"""Kinds of residues and the codes of their atoms."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from molgraph.rooms.binding.residues import (
    AMINO,
    COFACTOR,
    ION,
    MODIFIED,
    NUCLEOTIDE,
    WATER,
    atom_codes,
    kind_of,
    letter_of,
    templates,
)
from molgraph.rooms.molecule.graphs import ATOM, from_mols

BACKBONE = frozenset({"N", "CA", "C", "O"})
COLUMN = {column.name: at for at, column in enumerate(ATOM)}


def code(residue: str, atom: str, column: str, element: int = 6) -> int:
    """Return the value that a code stands for."""
    return ATOM[COLUMN[column]].values[int(atom_codes(residue, atom, element)[COLUMN[column]])]


@pytest.mark.parametrize(
    ("name", "atoms", "elements", "kind"),
    [
        ("HIS", BACKBONE, [7, 6, 6, 8], AMINO["HIS"]),
        ("HIE", BACKBONE, [7, 6, 6, 8], AMINO["HIS"]),
        ("CYX", BACKBONE, [7, 6, 6, 8], AMINO["CYS"]),
        ("DA", frozenset({"P"}), [15], NUCLEOTIDE),
        ("MSE", BACKBONE | {"SE"}, [7, 6, 6, 8, 34], MODIFIED),
        ("HOH", frozenset({"O"}), [8], WATER),
        ("ZN", frozenset({"ZN"}), [30], ION),
        ("NAD", frozenset({"PA", "O3", "C1"}), [15, 8, 6], COFACTOR),
    ],
)
def test_kinds(name: str, atoms: frozenset[str], elements: list[int], kind: int) -> None:
    assert kind_of(name, atoms, np.array(elements, np.int16)) == kind


def test_letters() -> None:
    assert [letter_of(n, AMINO["GLY"]) for n in ("GLY", "HID", "ASH")] == ["G", "H", "D"]
    assert (letter_of("MSE", MODIFIED), letter_of("XYZ", MODIFIED), letter_of("HOH", WATER)) == ("M", "X", "")


def test_every_amino_acid_has_all_its_heavy_atoms() -> None:
    """Twenty residues, 167 heavy atoms inside a chain: N, CA, C and O of each and 87 of side chains."""
    found = {name: atoms for name, atoms in templates().items() if name in AMINO}
    assert len(found) == 20 and sum(map(len, found.values())) == 167
    assert all(atoms.keys() >= BACKBONE for atoms in found.values())


@pytest.mark.parametrize(
    ("residue", "atom", "charge", "hydrogens"),
    [
        ("ASP", "OD1", -1, 0),
        ("ASP", "OD2", -1, 0),
        ("GLU", "OE1", -1, 0),
        ("LYS", "NZ", 1, 3),
        ("ARG", "NH1", 1, 2),
        ("ARG", "NH2", 1, 2),
        ("ARG", "NE", 0, 1),
        ("SER", "OG", 0, 1),
        ("DA", "OP1", -1, 0),
    ],
)
def test_charges_are_those_at_ph_7(residue: str, atom: str, charge: int, hydrogens: int) -> None:
    assert (code(residue, atom, "charge"), code(residue, atom, "hydrogens")) == (charge, hydrogens)


def test_aromatic_side_chains() -> None:
    aromatic = ATOM[COLUMN["aromatic"]].values.index(0)
    for residue, atoms in {"PHE": "CG CD1 CE2 CZ", "TRP": "NE1 CE2 CH2", "HIS": "ND1 NE2"}.items():
        assert all(atom_codes(residue, atom, 6)[COLUMN["aromatic"]] != aromatic for atom in atoms.split())
    assert atom_codes("LEU", "CG", 6)[COLUMN["aromatic"]] == aromatic


def test_codes_mean_the_same_as_those_of_a_molecule() -> None:
    """The carbonyl oxygen of a chain has the codes of that of N-methylacetamide."""
    amide = from_mols([Chem.MolFromSmiles("CC(=O)NC")]).atom
    np.testing.assert_array_equal(atom_codes("ALA", "O", 8), amide[2])
    np.testing.assert_array_equal(atom_codes("ALA", "N", 7), amide[3])


def test_of_an_unknown_atom_only_the_element_is_known() -> None:
    zinc, odd = atom_codes("ZN", "ZN", 30), atom_codes("ALA", "QX", 6)
    assert ATOM[0].values[zinc[0]] == 30 and ATOM[0].values[odd[0]] == 6
    assert [int(c) for c in zinc[1:]] == [column.size - 1 for column in ATOM[1:]]
    assert atom_codes("UNK", "RU", 44)[0] == ATOM[0].size - 1
