from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from molgraph.rooms.protein.groups import THRESHOLD, family
from molgraph.rooms.protein.prepare import prepare
from molgraph.rooms.protein.similarity import Nearest

Aligned = tuple[list[str], NDArray[np.float64]]


def similarity(sequences: list[str]) -> NDArray[np.float32]:
    parts = prepare(sequences, ("kmers",)).parts
    return Nearest(parts).similarity(parts)


def test_relatives_are_one_family_and_numbered_as_they_appear() -> None:
    keys = [
        "MKTAYIAKQRQISFVKSHFSRQ",
        "GGGGGGGGGGGG",
        "MKTAYIAKQRQISFVKSHFSRA",
        "no sequence",
        "0.1 0.2",
        "XXXXXXX",
        "X",
    ]
    assert family(keys).tolist() == [0, 1, 0, 2, 3, 4, 5]
    assert family([]).tolist() == [] and family(["?"]).tolist() == [0]


def test_a_chain_of_relatives_is_one_family() -> None:
    chain = ["ACDEFGHIKLMNPQ", "GHIKLMNPQRSTVWYACD", "STVWYACDCCCCCCHHHH"]
    near = similarity(chain) >= THRESHOLD
    assert near[0, 1] and near[1, 2] and not near[0, 2]
    assert len(set(family(chain).tolist())) == 1


def test_families_of_kinases(alignment: Aligned) -> None:
    sequences, score = alignment
    found = family(sequences)
    assert found.max() + 1 == 182 and np.bincount(found).max() == 13
    apart = found[:, None] != found
    assert similarity(sequences)[apart].max() < THRESHOLD
    pair = np.triu_indices(len(sequences), 1)
    alike = score[pair] >= 0.4
    assert np.mean(~apart[pair][alike]) > 0.95, "of pairs with a score of 0.4 and more, those in one family"


def test_the_threshold_is_the_best_of_its_neighbours(alignment: Aligned) -> None:
    sequences, score = alignment
    pair = np.triu_indices(len(sequences), 1)
    found, alike = similarity(sequences)[pair], score[pair] >= 0.4

    def f1(threshold: float) -> float:
        return float(2 * (alike & (found >= threshold)).sum() / (alike.sum() + (found >= threshold).sum()))

    tried = [round(0.01 * step, 2) for step in range(1, 16)]
    assert max(tried, key=f1) == pytest.approx(THRESHOLD)
    assert f1(THRESHOLD) > 0.85
