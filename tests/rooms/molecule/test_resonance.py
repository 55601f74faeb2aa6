"""Each resonance form of a cation is one compound; what is none stays two."""

from __future__ import annotations

import pytest
from rdkit import Chem

from molgraph.rooms.molecule.resonance import settled
from molgraph.rooms.molecule.standardise import Refusal, standardise, standardised

METHYLENE_BLUE = "CN(C)c1ccc2nc3ccc(=[N+](C)C)cc-3sc2c1"
RHODAMINE = "CCN(CC)c1ccc2c(-c3ccccc3C(=O)[O-])c3ccc(=[N+](CC)CC)cc-3oc2c1"
PPN = "(=[N+]=P(c1ccccc1)(c1ccccc1)c1ccccc1)(c1ccccc1)(c1ccccc1)c1ccccc1"


@pytest.mark.parametrize(
    ("key", "writings"),
    [
        ("CC(=N)N", ["C[C+](N)N", "CC(N)=[NH2+]", "C[C+](N)N.[Cl-]"]),
        ("N=C(N)N", ["N[C+](N)N", "NC(N)=[NH2+]", "N[C+](N)N.[Cl-]"]),
        ("CN(C)C(=N)N=C(N)N", ["C[N+](C)=C(N)N=C(N)N.[Cl-]", "CN(C)C(=N)N=C(N)N"]),
        ("CSC(=N)N", ["CSC(N)=[NH2+]", "C[S+]=C(N)N", "CS[C+](N)N"]),
        ("CC(C)=[N+](C)C", ["C[C+](C)N(C)C", "CN(C)[C+](C)C.[I-]"]),
        ("C[O+]=C(C)C", ["C[C+](C)OC", "CC(C)=[O+]C"]),
        ("CCn1cc[n+](C)c1", ["CC[n+]1ccn(C)c1", "C[n+]1ccn(CC)c1", "CN1C=C[N+](CC)=C1"]),
        (
            METHYLENE_BLUE,
            ["CN(C)c1ccc2nc3ccc(cc3[s+]c2c1)N(C)C.[Cl-]", "CN(C)C1=CC2=[S+]C3=CC(=CC=C3N=C2C=C1)N(C)C"],
        ),
        (
            RHODAMINE,
            [
                "CCN(CC)c1ccc2c(-c3ccccc3C(=O)O)c3ccc(N(CC)CC)cc3[o+]c2c1.[Cl-]",
                "CCN(CC)c1ccc2c(c1)OC1=CC(=[N+](CC)CC)C=CC1=C2c1ccccc1C([O-])=O",
            ],
        ),
        (
            "CN(C)c1ccc(C(=C2C=CC(=[N+](C)C)C=C2)c2ccc(N(C)C)cc2)cc1",
            ["[C+](c1ccc(N(C)C)cc1)(c1ccc(N(C)C)cc1)c1ccc(N(C)C)cc1"],
        ),
        ("CN(C)C=CC=[N+](C)C", ["CN(C)/C=C/C=[N+](C)C", "CN(C)C=C[CH+]N(C)C"]),
        (  # a cyanine of two different ends; E and Z belong to no double bond in particular
            "CCC[n+]1c(C=CC=C2Sc3ccccc3N2CC)sc2ccccc21",
            [
                "CC[N+]1=C(/C=C/C=C2\\Sc3ccccc3N2CCC)Sc2ccccc12",
                "CCCN1/C(=C/C=C/c2sc3ccccc3[n+]2CC)Sc2ccccc12",
                "CCC[n+]1c(C=CC=C2Sc3ccccc3N2CC)sc2ccccc12",
            ],
        ),
        ("CN(C)c1ccc(C=Cc2cc[n+](C)cc2)cc1", ["C[N+](C)=C1C=CC(=CC=C2C=CN(C)C=C2)C=C1"]),
        ("CN(C)C(On1nnc2cccnc21)=[N+](C)C", ["C[N+](C)=C(N(C)C)On1nnc2cccnc21", "CN(C)[C+](On1nnc2cccnc21)N(C)C"]),
        ("CN(C)[P+](Cl)(N(C)C)N(C)C", ["CN(C)P(Cl)(=[N+](C)C)N(C)C"]),
        ("Cn1ccc(=O)cc1", ["[O-]c1cc[n+](C)cc1", "O=C1C=CN(C)C=C1"]),
        ("CN(C)C=CC=O", ["C[N+](C)=CC=C[O-]"]),
        ("CC(C)=O", ["C[C+](C)[O-]"]),
        ("[N-]=[N+]=C1C=CC=C1", ["N#[N+][c-]1cccc1", "N#[N+]C1=CC=C[CH-]1"]),
        ("[N-]=[N+]=C1C=CC(=O)C=C1", ["N#[N+]c1ccc([O-])cc1"]),
        ("[N-]=[N+]=CC(C)=O", ["CC([O-])=C[N+]#N", "CC(=O)[CH-][N+]#N", "CC(=O)C=[N+]=[N-]"]),
        ("O=[N+]([O-])c1ccccc1", ["[O-][N+2]([O-])c1ccccc1", "O=N(=O)c1ccccc1"]),
        ("CO[N+](=O)[O-]", ["CO[N+2]([O-])[O-]"]),
    ],
)
def test_resonance_forms_are_one_compound(key: str, writings: list[str]) -> None:
    assert standardise(key) == Chem.CanonSmiles(key)
    assert {standardise(text) for text in writings} == {Chem.CanonSmiles(key)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CSC#N", "CN=C=S"),  # thiocyanate, isothiocyanate
        ("CC#N", "C[N+]#[C-]"),
        ("CC#[N+][O-]", "CN=C=O"),
        ("CNC(C)=N", "CN=C(C)N"),  # tautomers stay as drawn, their salts as well
        ("CNC(C)=[NH2+]", "C[NH+]=C(C)N"),
        ("Nc1cccc[n+]1C", "Cn1ccccc1=N"),  # an acid and its base far off
        ("CN(C)c1ccc(/C=C/c2cc[n+](C)cc2)cc1", "CN(C)c1ccc(/C=C\\c2cc[n+](C)cc2)cc1"),
        ("C[n+]1ccccc1", "c1cc[nH+]cc1"),
    ],
)
def test_two_compounds_stay_two(one: str, other: str) -> None:
    assert standardise(one) != standardise(other)


@pytest.mark.parametrize(
    "key",
    [
        "Cc1c2cc[n+](C)cc2c(C)c2c1[nH]c1ccccc12",  # ellipticinium keeps the NH of its carbazole
        "CSc1cc(C)[o+]c(C)c1",  # a pyrylium is none of sulfur
        "C[n+]1ccc(N)cc1",
        "C[N+](C)(C)C",
        "CC[S+](C)C",
        "N#[N+]c1ccccc1",
        "c1ccc[cH+]cc1",
        "[O-][n+]1ccccc1",
        "C[n+]1ccc(-c2cc[n+](C)cc2)cc1",
    ],
)
def test_what_most_people_draw_stays(key: str) -> None:
    assert standardise(key) == Chem.CanonSmiles(key)


def test_a_counter_ion_is_known_in_any_form() -> None:
    for writing in (f"P{PPN}", f"[P+]{PPN.replace('=[N+]', 'N', 1)}"):
        made = standardised(f"{writing}.CCCCOc1ccccc1C(=O)[O-]")
        assert not isinstance(made, Refusal) and made.said.endswith("left out bis(triphenylphosphine)iminium")


def test_many_rings_come_to_an_end() -> None:
    sheet = "C[N+](C)=C1C=Cc2cc3cc4cc5cc6cc7cc8ccccc8cc7cc6cc5cc4cc3cc2C1"
    mol = Chem.MolFromSmiles(sheet)
    assert Chem.MolToSmiles(settled(mol)) == Chem.CanonSmiles(sheet)
