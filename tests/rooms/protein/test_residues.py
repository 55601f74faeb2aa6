from __future__ import annotations

import numpy as np
import pytest

from molgraph.rooms.protein.residues import (
    EMPTY,
    LETTERS,
    READ_AS,
    STANDARD,
    Refusal,
    as_written,
    codes_of,
    shares,
    standardised,
)


@pytest.mark.parametrize(
    ("text", "sequence"),
    [
        ("MKTAYIA", "MKTAYIA"),
        (" mk t\nay\tia \r\n", "MKTAYIA"),
        ("--MKT.AY-IA--", "MKTAYIA"),
        ("MKTAYIA*", "MKTAYIA"),
        ("MKTAYIA**\n", "MKTAYIA"),
        ("UOBZJX", "UOBZJX"),
    ],
)
def test_one_protein_however_it_is_written(text: str, sequence: str) -> None:
    assert standardised(text) == sequence


@pytest.mark.parametrize(
    ("text", "character", "place"),
    [("MKT1AY", "'1'", 4), ("MK*T", "'*'", 3), (">sp|P0", "'>'", 1), ("mktéa", "'é'", 4), ("MK T?A", "'?'", 5)],
)
def test_a_refusal_names_character_and_place(text: str, character: str, place: int) -> None:
    refusal = standardised(text)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "invalid_sequence"
    assert refusal.message.startswith(f"character {character} at place {place} is no residue")


@pytest.mark.parametrize("text", ["", "   ", "*", "---", "\n"])
def test_nothing_is_empty(text: str) -> None:
    assert standardised(text) == EMPTY


def test_as_written_takes_capitals_only() -> None:
    assert as_written(" MKT ") == "MKT"
    assert as_written("") == EMPTY
    assert [as_written(text).reason for text in ("mkt", "M-K", "MK*")] == ["invalid_sequence"] * 3


def test_codes_are_places_in_the_alphabet() -> None:
    assert codes_of(LETTERS).tolist() == list(range(26))
    assert len(set(LETTERS)) == 26 == len(STANDARD) + len(READ_AS)


def test_shares_of_what_a_letter_stands_for() -> None:
    table = shares()
    np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(table[:20], np.eye(20))
    assert table[LETTERS.index("Z"), STANDARD.index("E")] == table[LETTERS.index("Z"), STANDARD.index("Q")] == 0.5
    assert table[LETTERS.index("U"), STANDARD.index("C")] == 1
    np.testing.assert_allclose(table[LETTERS.index("X")], 0.05)
