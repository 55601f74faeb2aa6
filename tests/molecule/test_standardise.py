from __future__ import annotations

from collections.abc import Callable

import pytest
from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from molgraph.molecule import standardise as module
from molgraph.molecule.standardise import Refusal, standardise, why_refused


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("CC(=O)Oc1ccccc1C(=O)[O-].[Na+]", "CC(=O)Oc1ccccc1C(=O)O"),  # sodium aspirin
        ("OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1C(=O)O"),
        ("C[NH3+].[Cl-]", "CN"),
        ("[O-]C(=O)C[NH3+]", "NCC(=O)O"),
        ("C[N+](C)(C)C.[I-]", "C[N+](C)(C)C"),  # nothing to take a proton from
        ("[O-][N+](=O)c1ccccc1", "O=[N+]([O-])c1ccccc1"),
        ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O"),
        ("F/C=C/Cl", "F/C=C/Cl"),
        ("[2H]C", "[2H]C"),
        ("[CH3:7][OH:1]", "CO"),
        ("Oc1ccccn1", "Oc1ccccn1"),  # tautomers stay as drawn
        ("O=c1cccc[nH]1", "O=c1cccc[nH]1"),
        ("CCO |$a;b;c$|", "CCO"),
        (" CCO\t", "CCO"),
        ("CCCC.[Zn]", "CCCC"),
        ("[Fe]", "[Fe]"),
        ("Cl[Pt](Cl)(N)N", "[NH2][Pt]([NH2])([Cl])[Cl]"),
    ],
)
def test_key(text: str, key: str) -> None:
    assert standardise(text) == key


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("", "empty", "empty"),
        ("  ", "empty", "empty"),
        ("not_a_smiles", "invalid_smiles", "position"),
        ("C(C)(C)(C)(C)C", "invalid_smiles", "valence for atom # 0 C, 5"),
        ("c1cccc1", "invalid_smiles", "kekulize"),
        ("C1CC", "invalid_smiles", "unclosed ring"),
        ("CC>>CO", "invalid_smiles", "position 3"),
        ("Cé", "invalid_smiles", "'é' at position 2"),  # RDKit reads "C" and is content
        ("C\nC", "invalid_smiles", "position 2"),
        ("C\0C", "invalid_smiles", "position 2"),
        ("C\udcffC", "invalid_smiles", "position 2"),
        ("CC ethane", "invalid_smiles", "'ethane' follows"),
        ("CC O", "invalid_smiles", "'O' follows"),
        ("*CC", "dummy_atom", "atom 1"),
        ("CC[*:1]", "dummy_atom", "atom 3"),
        ("C" * 501, "too_large", "501 atoms"),
        ("C" * 60_000, "too_large", "60,000 characters"),
        ("C1CC1" * 2_500, "too_large", "7,500 atoms"),  # its rings would take minutes
    ],
)
def test_refusal(text: str, reason: str, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    refusal = standardise(text)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason
    assert words in refusal.message
    assert len(refusal.message) < 300
    assert capfd.readouterr().err == ""


def test_no_atoms() -> None:
    refusal = module.refused_molecule(Chem.Mol())
    assert refusal is not None
    assert refusal.reason == "no_atoms"


def test_the_largest_allowed_molecule() -> None:
    assert standardise("C" * 500) == "C" * 500
    assert why_refused("C" * 3, max_atoms=2) == Refusal("too_large", "3 atoms, the limit is 2")


def test_many_counter_ions_are_no_large_molecule() -> None:
    assert standardise("CCCCO" + ".[Na+].[Cl-]" * 300) == "CCCCO"
    refusal = standardise("CCCCO" + ".[Na+].[Cl-]" * 1100)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "too_large"


def test_a_neutral_form_that_cannot_be_read_is_not_taken() -> None:
    text = "[OH2+]c1cc2ccccc2ccc1=[O+][BiH3+3]([O+]=c1ccc2ccccc2cc1[OH2+])[O+]=c1ccc2ccccc2cc1[OH2+]"
    key = standardise(text)
    assert isinstance(key, str)
    assert Chem.MolFromSmiles(key) is not None


def test_log_is_as_before() -> None:
    before = rdBase.LogStatus()
    standardise("junk")
    assert rdBase.LogStatus() == before


def without_short_cuts(mol: Chem.Mol) -> str:
    """Apply every step, needed or not."""
    whole = rdMolStandardize.LargestFragmentChooser(preferOrganic=True).choose(mol)
    neutral = rdMolStandardize.Uncharger().uncharge(whole)
    for atom in neutral.GetAtoms():
        atom.SetAtomMapNum(0)
    key = Chem.MolToSmiles(neutral)
    if key == Chem.MolToSmiles(mol):
        return key
    again = Chem.MolFromSmiles(key)
    return Chem.MolToSmiles(again) if again is not None else Chem.MolToSmiles(whole)


def compare_with_the_long_way(texts: list[str]) -> int:
    same = 0
    with rdBase.BlockLogs():
        for text in texts:
            key = standardise(text)
            if isinstance(key, str):
                assert key == without_short_cuts(Chem.MolFromSmiles(text)), text
                same += 1
    return same


def test_short_cuts_change_nothing_nci(nci: list[str], nasty: list[str]) -> None:
    assert compare_with_the_long_way([*nci, *nasty]) > 4900


def test_short_cuts_change_nothing(real: Callable[[int], list[str]], rdkit_nasty: list[str]) -> None:
    assert compare_with_the_long_way(real(16) + rdkit_nasty) > 15_000


def test_a_key_is_its_own_key(real: Callable[[int], list[str]]) -> None:
    keys = [key for text in real(40) if isinstance(key := standardise(text), str)]
    assert len(keys) > 3900
    assert [standardise(key) for key in keys] == keys
