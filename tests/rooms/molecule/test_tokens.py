from __future__ import annotations

import pytest
from rdkit import Chem

from molgraph.rooms.molecule.tokens import OTHER, TOKENS, token_codes, tokens_of


def test_codes_are_fixed() -> None:
    """Codes are part of every model that reads SMILES: a change of one breaks them all."""
    assert len(TOKENS) == len(set(TOKENS)) == 159
    assert [TOKENS.index(token) for token in ("H", "C", "Cl", "Og", "c", "se", "=", "(", "9")] == [
        *(1, 6, 17, 118, 120, 125, 130, 137, 158)
    ]


def test_every_element_is_a_token() -> None:
    table = Chem.GetPeriodicTable()
    assert [table.GetElementSymbol(number) for number in range(1, 119)] == list(TOKENS[1:119])


@pytest.mark.parametrize(
    ("smiles", "tokens"),
    [
        ("CCl", "C Cl"),
        ("Cc1ccccc1Br", "C c 1 c c c c c 1 Br"),
        ("[Cu+2]", "[ Cu + 2 ]"),
        ("[13C@@H](N)O", "[ 1 3 C @@ H ] ( N ) O"),
        ("c1cc[se]c1", "c 1 c c [ se ] c 1"),
        ("C%12CC%12", "C % 1 2 C C % 1 2"),
        ("[NH3]->[Fe]", "[ N H 3 ] -> [ Fe ]"),
        ("C/C=C\\C", "C / C = C \\ C"),
        ("Sc1ccccc1", "S c 1 c c c c c 1"),
        ("[Sc]", "[ Sc ]"),
        ("[C", "[ C"),
    ],
)
def test_tokens(smiles: str, tokens: str) -> None:
    assert tokens_of(smiles) == tokens.split()


def test_tokens_end_to_end_are_the_smiles(nci: list[str]) -> None:
    for smiles in nci[:1000]:
        assert "".join(tokens_of(smiles)) == smiles
    assert not any((codes == OTHER).any() for codes in token_codes(nci))


def test_names_are_no_tokens_and_odd_characters_are_other() -> None:
    short, named, odd = token_codes(["CC", "CC |$a;b$|", "C?"])
    assert named.tolist() == short.tolist() == [6, 6]
    assert odd.tolist() == [6, OTHER]
    assert token_codes([""])[0].shape == (0,)
