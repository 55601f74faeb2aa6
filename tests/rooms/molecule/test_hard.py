import itertools

import numpy as np
import pytest
from rdkit import Chem

from molgraph.data import endable
from molgraph.rooms.molecule import hard as hards
from molgraph.rooms.molecule.draw import draw
from molgraph.rooms.molecule.groups import cluster, scaffold
from molgraph.rooms.molecule.hard import hard, hard_block
from molgraph.rooms.molecule.identity import identity
from molgraph.rooms.molecule.prepare import prepare
from molgraph.rooms.molecule.properties import properties
from molgraph.rooms.molecule.read import read
from molgraph.rooms.molecule.write import mol_block

NEEDS = ("graph", "fingerprint", "descriptors", "avalon")


def smiles(atoms, bonds, element="U"):
    made = Chem.RWMol()
    for _ in range(atoms):
        made.AddAtom(Chem.Atom(element))
    for begin, end in bonds:
        made.AddBond(begin, end, Chem.BondType.SINGLE)
    return Chem.MolToSmiles(made.GetMol(), canonical=False)


def complete(count):
    return smiles(count, itertools.combinations(range(count), 2))


def lattice(size):
    places = list(itertools.product(range(size), repeat=3))
    near = [(a, b) for a, b in itertools.combinations(range(len(places)), 2)
            if sum(abs(x - y) for x, y in zip(places[a], places[b], strict=True)) == 1]  # fmt: skip
    return smiles(len(places), near)


def never(*_):
    """Take a native call that does not come to an end."""
    return sum(range(10**12))


K6, K8, K12, CUBE = complete(6), complete(8), complete(12), lattice(5)
TAXOL = (
    "CC1=C2[C@H](C(=O)[C@@]3([C@H](C[C@@H]4[C@]([C@H]3[C@@H]([C@@](C2(C)C)(C[C@@H]1OC(=O)[C@@H]([C@H](C5=CC=CC=C5)NC(=O)"
    "C6=CC=CC=C6)O)O)OC(=O)C7=CC=CC=C7)(CO4)OC(=O)C)O)C)OC(=O)C"
)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setenv(endable.VARIABLE, "3")
    hards._given_up.clear()
    yield
    endable.stop()


def test_hard_are_cages_and_lattices_and_no_drugs(nci):
    assert [hard(text) for text in (K6, K8, K12, CUBE)] == [False, True, True, True]
    assert hard("C" * 301) and not hard("C" * 300)
    assert not hard(TAXOL)
    assert not hard(K6) and hard(K6 + "(F)" * 31)  # 10 rings, and 10 with many branches
    assert not hard("[13CH3][2H]" * 20 + "[Fe+3]")  # digits in brackets close no ring
    assert not hard("CCO |" + "1" * 90 + "|")
    assert sum(map(hard, nci)) < 10


def test_an_easy_molecule_starts_no_process(monkeypatch, nci):
    monkeypatch.setattr(endable, "call", never)
    few = [text for text in nci[:50] if not hard(text)]
    assert len(prepare(few, ("graph",)).keys) > 40


def test_a_molecule_without_end_is_a_reject_and_the_others_are_done():
    found = prepare(["CCO", K12, "CCN", K12, "no", "OCC"], NEEDS)
    assert found.index.tolist() == [0, -1, 1, -1, -1, 0]
    assert found.keys == ("CCO", "CCN")
    assert [found.rejects[i].reason for i in (1, 3, 4)] == ["timeout", "timeout", "invalid_smiles"]
    assert found.rejects[1].message == (
        "not done within 3 s (descriptors): too many rings or atoms; --limit gives it more time"
    )


def test_a_hard_molecule_that_ends_is_as_any_other(monkeypatch):
    monkeypatch.setenv(endable.VARIABLE, "60")
    apart = prepare(["CCO", K8, "CCN"], NEEDS)
    monkeypatch.setattr(hards, "hard", lambda text: False)
    monkeypatch.setattr("molgraph.rooms.molecule.prepare.hard", lambda text: False)
    here = prepare(["CCO", K8, "CCN"], NEEDS)
    assert apart.keys == here.keys and apart.index.tolist() == [0, 1, 2]
    for name, values in here.parts.values.items():
        np.testing.assert_array_equal(values.numpy(), apart.parts.values[name].numpy())


def test_nothing_else_that_is_made_of_a_hard_molecule_holds_up_either(monkeypatch):
    for name in ("molgraph.rooms.molecule.hard.endable.call",):
        monkeypatch.setattr(name, _too_long)
    assert "takes too long to draw" in draw(K12)
    assert identity([K12, "CCO"])[0] == K12
    assert scaffold([K12, "CCO"]).tolist() == [0, 1]
    assert cluster([K12, "CCO", "CCO"]).tolist() == [0, 1, 1]
    found = properties([K12, "CCO"], ["mw", "pains"])
    assert found["mw"].isna().tolist() == [True, False]


def _too_long(*_):
    raise endable.TooLong("descriptors")


def test_what_took_too_long_is_not_tried_again(monkeypatch):
    asked = []

    def noted(*arguments):
        asked.append(arguments)
        raise endable.TooLong("")

    monkeypatch.setattr(endable, "call", noted)
    assert identity([K12, K12]) == [K12, K12]
    assert len(asked) == 1


def test_a_mol_block_is_told_by_its_counts():
    easy, large = (mol_block(text) for text in ("c1ccccc1", K8))
    assert not hard_block(easy) and hard_block(large)
    assert hard_block("x\n\n\n  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\nM  V30 COUNTS 12 66 0 0 0\n")
    assert not hard_block("no block")


def test_a_hard_record_of_an_sdf_is_read_apart(tmp_path):
    path = tmp_path / "a.sdf"
    path.write_text("".join(f"{mol_block(text)}$$$$\n" for text in ("CCO", K8, "CCN")), encoding="utf-8")
    (table,) = read(path, None, block=100)
    assert table.frame[table.column].tolist()[::2] == ["CCO", "CCN"]
    assert Chem.MolFromSmiles(table.frame[table.column][1]).GetNumBonds() == 28
