from __future__ import annotations

import pytest
from rdkit import Chem, rdBase

from molgraph.rooms.molecule import fragments
from molgraph.rooms.molecule.standardise import Refusal, standardise, standardised

MEGLUMINE = "CNC[C@@H]([C@H]([C@@H]([C@@H](CO)O)O)O)O"
DCHA = "C1CCC(CC1)NC1CCCCC1"
LACTOBIONATE = "OCC(O)C(OC1OC(CO)C(O)C(O)C1O)C(O)C(O)C(=O)[O-]"


@pytest.mark.parametrize(
    ("drug", "beside"),
    [
        ("c1cc2c(cc1C(=O)O)oc(n2)c3cc(cc(c3)Cl)Cl", MEGLUMINE),  # tafamidis
        ("Cc1c(Nc2ncccc2C(=O)O)cccc1C(F)(F)F", MEGLUMINE),  # flunixin
        ("OC(=O)c1ccccc1Nc1cccc(Cl)c1Cl", DCHA),
        ("CC(=O)Oc1ccccc1C(=O)O", "NCCCC[C@H](N)C(=O)O"),  # lysine acetylsalicylate
        ("OC(=O)c1ccccc1", "CCCC[N+](CCCC)(CCCC)CCCC"),
        ("CC(C)NCC(O)c1ccc(O)c(CO)c1", "OC(=O)c1ccc2ccccc2c1O"),
        ("CN1CCN(CC1)C1=Nc2ccccc2Sc2ccccc12", "OC(=O)c1cc2ccccc2c(Cc2c(O)c(cc3ccccc23)C(=O)O)c1O"),
        ("CC(C)Cc1ccc(cc1)C(C)C(=O)O", "NC(CO)(CO)CO"),
        ("CCN(CC)CCNC(=O)c1ccc(N)cc1", LACTOBIONATE),
        ("C1N2CN3CN1CN(C2)C3", "OC(=O)CNC(=O)c1ccccc1"),  # methenamine hippurate
        ("C1CNCCN1", "OC(=O)CC(O)(CC(=O)O)C(=O)O"),  # piperazine citrate
        ("CCCCCC(=O)Nc1ccccc1", "[2H]C([2H])([2H])S(=O)C([2H])([2H])[2H]"),
        ("CCCCCCCCCN", "CCCCCCCCCCCCCCCCCC(=O)O"),
        ("CN(C)CCC=C1c2ccccc2CCc2ccccc12", "[O-]Cl(=O)(=O)=O"),
        ("Nc1ncccc1C", "F[P-](F)(F)(F)(F)F.[H+]"),
        ("CCCCOC(=O)c1ccc(N)cc1", "C1COCCOCCOCCOCCOCCO1.[K+]"),  # a crown ether
        ("CC(C)Cc1ccc(cc1)C(C)C(=O)O", f"O1{'C9C(O)C(O)C(C(CO)O9)O' * 6}C9C(O)C(O)C1C(CO)O9"),  # beta-cyclodextrin
        ("CN1CCC(CC1)OC(c1ccccc1)c1ccccc1", "CC1=CC(=O)[N-]S(=O)(=O)O1"),  # acesulfame, drawn in both ways
        ("CN1CCC(CC1)OC(c1ccccc1)c1ccccc1", "CC1=CC([O-])=NS(=O)(=O)O1"),
        ("CN1CCC(CC1)OC(c1ccccc1)c1ccccc1", "[O-]C1=NS(=O)(=O)c2ccccc12"),  # saccharinate
        ("CN1CCC(CC1)OC(c1ccccc1)c1ccccc1", "CCCCC(CC)COC(=O)CC(C(=O)OCC(CC)CCCC)S([O-])(=O)=O"),  # docusate
        ("CN1CCC(CC1)OC(c1ccccc1)c1ccccc1", "OC(=O)c1ccc(cc1)S(O)(=O)=O"),  # carbesilate
        ("CCCc1ccccc1N", "COc1c(Cc2c(OC)c(cc3ccccc23)C(O)=O)c2ccccc2cc1C(O)=O"),  # metembonate
        ("CCCc1ccccc1N", "N#C[N-]C#N"),
    ],
)
def test_the_drug_is_the_compound(drug: str, beside: str) -> None:
    for text in (f"{drug}.{beside}", f"{beside}.{drug}", f"{drug}.{beside}.O.[Cl-]"):
        assert standardise(text) == standardise(drug)


def test_six_acids_are_six_compounds() -> None:
    acids = [
        *("OC(=O)c1ccccc1", "OC(=O)CC1CCCC1", "CC(C)(C)OC(=O)N[C@@H](C)C(O)=O"),
        *("CC(C)(C)OC(=O)N[C@@H](CO)C(O)=O", "OC(=O)c1cccnc1", "OC(=O)Cc1ccc(F)cc1"),
    ]
    keys = [standardise(f"{DCHA}.{acid}") for acid in acids]
    assert keys == [standardise(acid) for acid in acids]
    assert len(set(keys)) == 6


def test_every_listed_one_is_left_out_beside_a_compound() -> None:
    with rdBase.BlockLogs():
        drug = "Cc1ccc(cc1Nc1nccc(n1)-c1cccnc1)NC(=O)c1ccccc1"
        for smiles, (_, name) in fragments._listed().items():
            found = fragments.parent(Chem.MolFromSmiles(f"{smiles}.{drug}"))
            assert isinstance(found, fragments.Parent), smiles
            assert (found.smiles, found.left_out, found.mixture) == (Chem.CanonSmiles(drug), name, False), smiles


def test_the_order_of_equals_decides_nothing() -> None:
    one, other = "Fc1ccccc1CN", "Fc1ccccc1CO"
    made = {fragments.parent(Chem.MolFromSmiles(text)) for text in (f"{one}.{other}", f"{other}.{one}")}
    assert made == {fragments.Parent("NCc1ccccc1F", "OCc1ccccc1F", True)}


@pytest.mark.parametrize(
    ("text", "metal"),
    [
        ("[NH3].[NH3].[O-]C(=O)C1(C([O-])=O)CCC1.[Pt+2]", "platinum"),  # carboplatin
        ("C1CCC(C(C1)N)N.C(=O)(C(=O)[O-])[O-].[Pt+2]", "platinum"),  # oxaliplatin, as PubChem writes it
        ("N.N.Cl[Pt]Cl", "platinum"),
        ("CCP(CC)CC.CC(=O)OCC1OC([S-])C(OC(C)=O)C(OC(C)=O)C1OC(C)=O.[Au+]", "gold"),  # auranofin
        ("c1ccnc(c1)-c1ccccn1.c1ccnc(c1)-c1ccccn1.c1ccnc(c1)-c1ccccn1.[Ru+2].[Cl-].[Cl-]", "ruthenium"),
    ],
)
def test_a_complex_in_pieces_is_none_of_its_ligands(text: str, metal: str) -> None:
    found = standardised(text)
    assert (
        isinstance(found, Refusal) and found.reason == "organometallic" and found.message.startswith(f"{metal} beside")
    )


@pytest.mark.parametrize("text", ["N[Pt](N)(Cl)Cl", "[K+].[K+].Cl[Pt-2](Cl)(Cl)Cl", "OC(=O)c1ccccc1.[Zn+2]"])
def test_complexes_with_their_bonds_and_salts_are_read(text: str) -> None:
    assert not isinstance(standardised(text), Refusal)
