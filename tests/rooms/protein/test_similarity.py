from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from molgraph.data.packed import Packed
from molgraph.rooms.protein import similarity as module
from molgraph.rooms.protein.prepare import prepare
from molgraph.rooms.protein.similarity import Nearest, diverse

Aligned = tuple[list[str], NDArray[np.float64]]
SHORT = ["MKTAYIAKQRQISFVKSHFSRQ", "MKTAYIAKQRQISFVKSHFSRA", "HHHHHHHHHH", "MKXMKXMKXMKXMKX", "MKTAYIAKQR"]


def of(sequences: list[str]) -> Packed:
    return prepare(sequences, ("kmers",)).parts


@pytest.fixture(scope="module")
def some(alignment: Aligned) -> Packed:
    return of(alignment[0][::4])


def by_hand(one: Packed, other: Packed) -> NDArray[np.float64]:
    sets = [[set(p.gather(torch.tensor([i])).values["kmers"].tolist()) for i in range(len(p))] for p in (one, other)]
    values = [len(a & b) / max(len(a | b), 1) for a, b in product(*sets)]
    return np.array(values).reshape(len(one), len(other))


def test_similarity_is_tanimoto_of_sets(some: Packed) -> None:
    queries = of(SHORT)
    for known in (some, queries):
        for asked in (some, queries):
            np.testing.assert_allclose(Nearest(known).similarity(asked), by_hand(asked, known), rtol=1e-6)


def test_tiles_do_not_change_the_result(some: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Nearest(some)
    similarity, (position, value), others = whole.similarity(some), whole.nearest(some), whole.leave_one_out()
    monkeypatch.setattr(module, "CELLS", 3 * len(some))
    assert len(list(whole.tiles(some))) > 30
    np.testing.assert_array_equal(whole.similarity(some), similarity)
    np.testing.assert_array_equal(whole.nearest(some)[0], position)
    np.testing.assert_array_equal(whole.leave_one_out(), others)
    np.testing.assert_array_equal(value, 1)


def test_nearest_is_the_best_and_the_first_of_equals() -> None:
    index = Nearest(of(["EEEEEEEEEE", *SHORT]))
    position, value = index.nearest(of([SHORT[1], "WWWWWWWWWW", "DKDKDKDKDK"]))
    assert position.tolist() == [2, 0, 0] and value.tolist() == [1, 0, 0]
    assert index.nearest(of([SHORT[4]]))[0].tolist() == [5]


def test_leave_one_out_looks_at_others() -> None:
    found = Nearest(of(SHORT)).leave_one_out()
    full = by_hand(of(SHORT), of(SHORT))
    np.fill_diagonal(full, 0)
    np.testing.assert_allclose(found, full.max(axis=1), rtol=1e-6)
    assert Nearest(of(SHORT[:1])).leave_one_out().tolist() == [0]


def test_nothing_to_compare_with() -> None:
    nothing, some = of([]), of(SHORT)
    assert Nearest(nothing).similarity(some).shape == (len(some), 0)
    assert Nearest(some).similarity(nothing).shape == (0, len(some))
    assert Nearest(nothing).nearest(some)[0].tolist() == [-1] * len(some)


def test_it_follows_alignment(alignment: Aligned) -> None:
    """Spearman correlation with Smith-Waterman over all pairs; words of three of 20 residues reach -0.17."""
    sequences, score = alignment
    found = Nearest(of(sequences)).similarity(of(sequences))
    pair = np.triu_indices(len(sequences), 1)
    assert spearmanr(found[pair], score[pair])[0] == pytest.approx(0.595, abs=0.005)
    others = score - 2 * np.eye(len(score))
    nearest = (found - 2 * np.eye(len(found))).argmax(axis=1)
    assert np.mean(others[np.arange(len(score)), nearest] >= others.max(axis=1) - 1e-9) > 0.74


def test_diverse_picks_the_first_and_then_the_farthest(some: Packed) -> None:
    picked = diverse(some, 10)
    assert picked[0] == 0 and len(set(picked)) == 10
    full = by_hand(some, some)
    for at in range(1, 10):
        nearest = full[:, picked[:at]].max(axis=1)
        assert nearest[picked[at]] == pytest.approx(min(nearest[i] for i in range(len(some)) if i not in picked[:at]))
    assert diverse(some, 0) == [] and diverse(of([]), 3) == []
    assert sorted(diverse(of(SHORT), 99)) == list(range(len(SHORT)))
