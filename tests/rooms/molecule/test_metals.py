"""Salts drawn with bonds and in pieces are one compound, complexes keep their bonds, reagents are refused."""

from __future__ import annotations

import pytest
from rdkit import Chem

from molgraph.rooms.molecule.standardise import Refusal, standardise, standardised

CISPLATIN = "[NH3]->[Pt](Cl)(Cl)<-[NH3]"
METHYLVALERATE = "CCCC(C)C(=O)[O-]"  # no listed ion
OXALIPLATIN = "O=C1O[Pt]2(<-[NH2][C@@H]3CCCC[C@H]3[NH2]->2)OC1=O"


@pytest.mark.parametrize(
    ("key", "writings"),
    [
        (
            CISPLATIN,
            [
                *("N[Pt](N)(Cl)Cl", "[NH3][Pt]([NH3])(Cl)Cl", "[NH3+][Pt-2]([NH3+])(Cl)Cl"),
                *("[NH3]->[Pt+2](<-[Cl-])(<-[Cl-])<-[NH3]", "[H][N]([H])([H])[Pt](Cl)(Cl)[N]([H])([H])[H]"),
            ],
        ),
        (
            "[NH3]->[Pt]1(<-[NH3])OC(=O)C2(CCC2)C(=O)O1",
            ["N[Pt]1(N)OC(=O)C2(CCC2)C(=O)O1", "[NH3+][Pt-2]1([NH3+])OC(=O)C2(CCC2)C(=O)O1"],
        ),
        (
            OXALIPLATIN,
            ["O=C1O[Pt]2(N[C@@H]3CCCC[C@H]3N2)OC1=O", "O=C1O[Pt-2]2([NH2+][C@@H]3CCCC[C@H]3[NH2+]2)OC1=O"],
        ),
        ("Cl[Pt](Cl)(<-n1ccccc1)<-n1ccccc1", ["c1cc[n+]([Pt-2]([n+]2ccccc2)(Cl)Cl)cc1"]),
        (
            "CCP(CC)(CC)->[Au]SC",
            ["CCP(CC)(CC)=[Au]SC", "CC[P+](CC)(CC)[Au-]SC", "CC[P](CC)(CC)[Au]SC", "CC[PH](CC)(CC)[Au]SC"],
        ),
        ("CCS(CC)->[Pt](Cl)(Cl)<-S(CC)CC", ["CC[S+](CC)[Pt-2](Cl)(Cl)[S+](CC)CC"]),
    ],
)
def test_a_complex_is_one_compound_however_its_donors_are_drawn(key: str, writings: list[str]) -> None:
    assert standardise(key) == Chem.CanonSmiles(key)
    assert {standardise(text) for text in writings} == {Chem.CanonSmiles(key)}


@pytest.mark.parametrize(
    "text",
    [
        "Cl[V](Cl)(C1C=CC=C1)C1C=CC=C1",
        "CC1=CC(C)=[O][Cu]O1",
        "CCCCN(CCCC)C(=S)S[Ni]SC(=S)N(CCCC)CCCC",
        "C[Co]",
        "CCCC[Sn](CCCC)(CCCC)OC(C)=O",
        "CC[Hg]Sc1ccccc1C(=O)O",
        "c1ccc([Bi](c2ccccc2)c2ccccc2)cc1",
        "CC(=O)N[Pt](Cl)Cl",  # an amide is no amine
    ],
)
def test_complexes_and_organometallics_keep_their_bonds(text: str) -> None:
    assert standardise(text) == Chem.CanonSmiles(text)


@pytest.mark.parametrize(
    ("bonds", "pieces", "key", "metal"),
    [
        ("CCCC(C)C(=O)O[Cu]OC(=O)C(C)CCC", f"[Cu+2].{METHYLVALERATE}.{METHYLVALERATE}", "CCCC(C)C(=O)O", "copper"),
        (
            f"CCCC(C)C(=O)O[Cu+].{METHYLVALERATE}",
            f"[Cu+2].{METHYLVALERATE}.{METHYLVALERATE}",
            "CCCC(C)C(=O)O",
            "copper",
        ),
        ("CCCC(C)C(=O)O[Fe](Cl)Cl", f"[Fe+3].[Cl-].[Cl-].{METHYLVALERATE}", "CCCC(C)C(=O)O", "iron"),
        ("CCCC(C)C(=O)O[Mn]OC(=O)C(C)CCC", f"[Mn+2].{METHYLVALERATE}.{METHYLVALERATE}", "CCCC(C)C(=O)O", "manganese"),
        ("CN(C)C(=S)S[Fe](SC(=S)N(C)C)SC(=S)N(C)C", "[Fe+3].CN(C)C(=S)[S-]", "CN(C)C(=S)S", "iron"),
        ("S=C1NCCNC(=S)S[Mn]S1", "[Mn+2].S=C([S-])NCCNC(=S)[S-]", "S=C(S)NCCNC(=S)S", "manganese"),
        ("FCCS(=O)(=O)O[Ce](Cl)Cl", "[Ce+3].[Cl-].[Cl-].FCCS(=O)(=O)[O-]", "O=S(=O)(O)CCF", "cerium"),
        ("CCCC(C)C(=O)O[Hg]OC(=O)C(C)CCC", f"[Hg+2].{METHYLVALERATE}.{METHYLVALERATE}", "CCCC(C)C(=O)O", "mercury"),
        ("[Na]Oc1ccccc1", "[Na+].[O-]c1ccccc1", "Oc1ccccc1", "sodium"),
        ("[Na]C(C(=O)OCC)C(=O)OCC", "[Na+].[CH-](C(=O)OCC)C(=O)OCC", "CCOC(=O)CC(=O)OCC", "sodium"),
        ("CC(C)(F)O[Mg]OC(C)(C)F", "[Mg+2].CC(C)(F)[O-].CC(C)(F)[O-]", "CC(C)(O)F", "magnesium"),
    ],
)
def test_a_salt_is_one_compound_with_its_bonds_and_in_pieces(bonds: str, pieces: str, key: str, metal: str) -> None:
    for text in (bonds, pieces):
        made = standardised(text)
        assert not isinstance(made, Refusal)
        assert made.key == key and metal in made.said.partition("left out ")[2]


@pytest.mark.parametrize(
    ("bonds", "pieces", "metal"),
    [
        ("c1ccccc1[Li]", "[Li+].[c-]1ccccc1", "lithium"),
        ("C[Mg]Br", "[CH3-].[Mg+2].[Br-]", "magnesium"),
        ("CC[Mg+].[Br-]", "C[CH2-].[Mg+2].[Br-]", "magnesium"),
        ("[Na]C#CC", "[Na+].[C-]#CC", "sodium"),
        ("CC[Zn]CC", "[Zn+2].C[CH2-].C[CH2-]", "zinc"),
        ("[Na]C1C=CC=C1", "[Na+].c1cc[cH-]c1", "sodium"),
        ("C=C[K]", "[K+].[CH-]=C", "potassium"),
    ],
)
def test_an_organometallic_reagent_is_no_hydrocarbon(bonds: str, pieces: str, metal: str) -> None:
    for text in (bonds, pieces):
        refused = standardised(text)
        assert isinstance(refused, Refusal)
        assert refused.reason == "organometallic" and refused.message.startswith(metal)


@pytest.mark.parametrize(
    ("bonds", "pieces"),
    [
        ("Cl[Cu]Cl", "[Cu+2].[Cl-].[Cl-]"),
        ("CC(=O)O[Cu]OC(C)=O", "[Cu+2].CC(=O)[O-].CC(=O)[O-]"),
        ("[K]C#N", "[K+].[C-]#N"),
    ],
)
def test_a_salt_of_counter_ions_is_no_compound_in_either_form(bonds: str, pieces: str) -> None:
    for text in (bonds, pieces):
        refused = standardised(text)
        assert isinstance(refused, Refusal) and refused.reason == "no_compound"


@pytest.mark.parametrize(
    ("writings", "metal"),
    [
        (
            [
                *("[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1", "[CH-]1C=CC=C1.[CH-]1C=CC=C1.[Fe+2]", "C1=CC([Fe]C2C=CC=C2)C=C1"),
                "[CH]12[CH]3[CH]4[CH]5[CH]1[Fe]23451678[CH]2[CH]1[CH]6[CH]7[CH]28",
                "[CH]1[CH][CH][CH][CH]1.[CH]1[CH][CH][CH][CH]1.[Fe]",
            ],
            "iron",
        ),
        (["[C-]#[O+].[C-]#[O+].[Cr]", "O=C=[Cr]=C=O", "[O+]#[C][Cr-2][C]#[O+]"], "chromium"),
        (["[Ni+2].c1cc[cH-]c1.c1cc[cH-]c1", "C1=CCC([Ni]C2=CC=CC2)=C1"], "nickel"),
        (["C=C.Cl[Pt]Cl", "C1C[Pt]1(Cl)Cl"], "platinum"),
    ],
)
def test_what_a_metal_holds_by_its_electrons_is_refused_however_it_is_drawn(writings: list[str], metal: str) -> None:
    for text in writings:
        refused = standardised(text)
        assert isinstance(refused, Refusal), text
        assert refused.reason == "organometallic" and metal in refused.message


@pytest.mark.parametrize(
    ("bonds", "pieces"),
    [
        ("CC(=O)O[Hg]c1ccccc1", "CC(=O)[O-].[Hg+]c1ccccc1"),
        ("C[Hg]Cl", "C[Hg+].[Cl-]"),
        ("CC[Hg]Sc1ccccc1C(=O)O[Na]", "CC[Hg+].[S-]c1ccccc1C(=O)[O-].[Na+]"),
        ("CCCC[Sn](Cl)(CCCC)CCCC", "[Cl-].CCCC[Sn+](CCCC)CCCC"),
        ("O[Sn](c1ccccc1)(c1ccccc1)c1ccccc1", "[OH-].c1ccc([Sn+](c2ccccc2)c2ccccc2)cc1"),
        ("C[Sn](C)(OC(C)=O)OC(C)=O", "CC(=O)[O-].CC(=O)[O-].C[Sn+2]C"),
        ("O=C(O)c1ccc([Hg]Cl)cc1", "[Hg+]c1ccc(C(=O)O)cc1.[Cl-]"),
    ],
)
def test_a_metal_that_carbon_holds_holds_its_anion(bonds: str, pieces: str) -> None:
    key = standardise(bonds)
    assert isinstance(key, str) and standardise(pieces) == key == standardise(key)
