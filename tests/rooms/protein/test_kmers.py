from __future__ import annotations

import numpy as np
import pytest

from molgraph.rooms.protein.kmers import ALPHABET, CLASSES, PLANES, K, kmers, signs
from molgraph.rooms.protein.residues import STANDARD, codes_of


def of(*sequences: str) -> list[list[int]]:
    return [words.tolist() for words in kmers([codes_of(sequence) for sequence in sequences])]


def test_classes_hold_every_residue_once() -> None:
    assert sorted("".join(CLASSES)) == sorted(STANDARD)
    assert len(CLASSES) == 15


def test_residues_that_stand_for_each_other_are_one() -> None:
    first, alike, other = of("MKFLAGW", "VRYIAGW", "MKFLAGH")
    assert first == alike and len(first) == 2
    assert len(set(first) & set(other)) == 1


def test_words_are_distinct_and_rise() -> None:
    (words,) = of("ACDEFGHIKLMNPQRSTVWY" * 3)
    assert words == sorted(set(words)) and len(words) == 20
    assert max(words) < ALPHABET**K


@pytest.mark.parametrize(("sequence", "count"), [("ACDEFXGHIKLM", 1), ("ACBEFZGH", 0), ("ACDEFU", 1), ("ACDEFJ", 1)])
def test_a_word_with_an_ambiguous_letter_is_none(sequence: str, count: int) -> None:
    (words,) = of(sequence)
    assert len(words) == count
    assert of("ACDEFC") == of("ACDEFU") and of("ACDEFL") == of("ACDEFJ")


def test_a_peptide_shorter_than_a_word_is_one_of_its_own() -> None:
    found = of("A", "AA", "AAA", "AAAAAA", "C", "")
    assert [len(words) for words in found] == [1, 1, 1, 1, 1, 0]
    assert len({words[0] for words in found if words}) == 5


def test_signs_follow_the_angle() -> None:
    random = np.random.default_rng(0)
    vector = random.normal(size=64).astype(np.float32)
    across = random.normal(size=64).astype(np.float32)
    across -= vector * (across @ vector) / (vector @ vector)
    mine, same, opposite, other = (
        set(words.tolist()) for words in signs(np.stack([vector, 3 * vector, -vector, across]))
    )
    assert mine == same and not mine & opposite
    assert len(mine & other) == pytest.approx(PLANES / 2, abs=40)  # a right angle: half of the planes, within 3.5 sigma
