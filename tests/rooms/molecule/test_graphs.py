from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
from rdkit import Chem, rdBase

from molgraph.rooms.molecule import graphs as module
from molgraph.rooms.molecule.graphs import ATOM, ATOM_CODES, BOND, BOND_CODES, Graphs, from_mols, from_texts
from molgraph.rooms.molecule.standardise import parse

fast = pytest.mark.skipif(module.cuik_molmaker is None, reason="cuik-molmaker has no wheel here")


def by_rdkit(texts: list[str]) -> Graphs:
    with rdBase.BlockLogs():
        return from_mols([parse(text) for text in texts])


def assert_same(one: Graphs, two: Graphs) -> None:
    for field in fields(Graphs):
        left, right = getattr(one, field.name), getattr(two, field.name)
        assert left.dtype == right.dtype, field.name
        np.testing.assert_array_equal(left, right, err_msg=field.name)


@fast
def test_fast_path_is_the_plain_path_nci(nci: list[str], nasty: list[str]) -> None:
    texts = [*nci, *nasty]
    assert_same(from_texts(texts), by_rdkit(texts))


@fast
def test_fast_path_is_the_plain_path(real: Callable[[int], list[str]], rdkit_nasty: list[str]) -> None:
    texts = real(30) + rdkit_nasty
    assert len(texts) > 10_000
    made = from_texts(texts)
    assert_same(made, by_rdkit(texts))
    assert 0 < (made.atoms == 0).sum() < 200  # invalid ones are among them


@fast
@pytest.mark.parametrize("bad", ["C(C)(C)(C)(C)C", "c1cccc1", "junk", "#CC", ""])
@pytest.mark.parametrize("at", [0, 17, 255, 256, 299])
def test_a_bad_text_takes_no_other_with_it(nci: list[str], bad: str, at: int) -> None:
    texts = nci[:300]
    texts[at] = bad  # "junk" and "#CC" reach cuik-molmaker's feature code as no molecule, which must not crash it
    made = from_texts(texts)
    assert made.atoms[at] == 0
    assert_same(made, by_rdkit(texts))


def test_without_cuik_molmaker(nci: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = from_texts(nci[:300])
    monkeypatch.setattr(module, "cuik_molmaker", None)
    assert_same(from_texts(nci[:300]), expected)


def test_codes_say_what_rdkit_says(nci: list[str]) -> None:
    """Decode every column and ask RDKit again, one atom and one bond at a time."""
    texts = [*nci[::25], "[Pt](Cl)(Cl)(N)N", "[NH3]->[Fe]", "C$C", "[O-4]", "[Fe+6]", "C[C@H](N)O", "F/C=C\\F"]
    made = from_texts(texts)
    mols = [Chem.MolFromSmiles(text) for text in texts]
    atoms = [atom for mol in mols for atom in mol.GetAtoms()]
    rings = [mol.GetRingInfo() for mol in mols for _ in mol.GetAtoms()]
    said = {
        "element": [a.GetAtomicNum() for a in atoms],
        "degree": [a.GetTotalDegree() for a in atoms],
        "charge": [a.GetFormalCharge() for a in atoms],
        "chirality": [int(a.GetChiralTag()) for a in atoms],
        "hydrogens": [a.GetTotalNumHs() for a in atoms],
        "hybridisation": [int(a.GetHybridization()) for a in atoms],
        "aromatic": [int(a.GetIsAromatic()) for a in atoms],
        "smallest_ring": [r.MinAtomRingSize(a.GetIdx()) for a, r in zip(atoms, rings, strict=True)],
    }
    bonds = [bond for mol in mols for bond in mol.GetBonds()]
    said_of_bonds = {
        "type": [int(b.GetBondType()) for b in bonds],
        "conjugated": [int(b.GetIsConjugated()) for b in bonds],
        "in_ring": [int(b.IsInRing()) for b in bonds],
        "stereo": [int(b.GetStereo()) for b in bonds],
    }
    for columns, codes, values in ((ATOM, made.atom, said), (BOND, made.bond, said_of_bonds)):
        assert [c.name for c in columns] == list(values)
        for number, column in enumerate(columns):
            known = column.values
            expected = [known.index(v) if v in known else len(known) for v in values[column.name]]
            assert codes[:, number].tolist() == expected, column.name
    assert made.ends.tolist() == [[b.GetBeginAtomIdx(), b.GetEndAtomIdx()] for b in bonds]
    assert made.atoms.tolist() == [mol.GetNumAtoms() for mol in mols]
    assert made.bonds.tolist() == [mol.GetNumBonds() for mol in mols]


def test_codes_stay_below_their_number(nci: list[str], nasty: list[str]) -> None:
    made = from_texts([*nci, *nasty])
    assert (made.atom.max(axis=0) < ATOM_CODES).all()
    assert (made.bond.max(axis=0) < BOND_CODES).all()


def test_unknown_values_have_a_code_of_their_own() -> None:
    platinum, carbon = from_texts(["[Pt+4]"]).atom[0], from_texts(["C"]).atom[0]
    element, charge = (next(i for i, c in enumerate(ATOM) if c.name == name) for name in ("element", "charge"))
    assert platinum[element] == ATOM_CODES[element] - 1 != carbon[element]
    assert platinum[charge] == ATOM_CODES[charge] - 1 != carbon[charge]
    dative, single = from_texts(["[NH3]->[Fe]", "CC"]).bond[:, 0]
    assert dative != single


def test_placeholder_and_take() -> None:
    made = from_texts(["CC", "*CO", "CCC"])
    assert made.placeholder.tolist() == [False, True, False]
    kept = made.take(~made.placeholder)
    assert_same(kept, from_texts(["CC", "CCC"]))


def test_nothing() -> None:
    made = from_texts([])
    assert made.atom.shape == (0, len(ATOM))
    assert made.bond.shape == (0, len(BOND))
    assert made.ends.shape == (0, 2)
    assert len(made.atoms) == 0
