from __future__ import annotations

import numpy as np
import pytest

from molgraph.metrics import hit_rate


def test_hits_by_hand() -> None:
    truth = [[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]]  # the last two cannot count
    estimate = [[4, 3, 2, 1]] * 5
    rates = [hit_rate(truth, estimate, k, bootstrap=0).value for k in (1, 2, 3, 4, 9)]
    assert rates == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1.0, 1.0])
    assert hit_rate(truth, estimate, 1).n == 3


def test_what_was_not_observed_is_not_ranked() -> None:
    truth = np.array([[0.0, np.nan, 1.0], [1.0, 0.0, 0.0]])
    estimate = np.array([[0.1, 0.9, 0.5], [0.3, 0.9, 0.1]])
    assert hit_rate(truth, estimate, 1, bootstrap=0).value == 0.5
    observed = np.array([[True, True, True], [True, False, True]])
    assert hit_rate(truth, estimate, 1, observed=observed, bootstrap=0).value == 1.0


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_ties_count_by_their_chance(k: int) -> None:
    random = np.random.default_rng(k)
    truth, estimate = np.array([[1.0, 0, 0, 1, 0, 0, 0]]), np.array([[3.0, 3, 3, 2, 4, 2, 3]])
    drawn = []
    for _ in range(4000):
        order = np.lexsort((random.random(7), -estimate[0]))
        drawn.append(truth[0][order[:k]].any())
    expected = np.mean(drawn)
    found = hit_rate(truth, estimate, k, bootstrap=0).value
    assert found == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 4000) if 0 < expected < 1 else 1e-12)


def test_the_interval_is_that_of_a_share() -> None:
    random = np.random.default_rng(0)
    truth = np.eye(10)[random.integers(0, 10, 800)]
    estimate = truth * 0.8 + random.random((800, 10))
    found = hit_rate(truth, estimate, 1)
    half = 1.96 * np.sqrt(found.value * (1 - found.value) / 800)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.2 * half)
    assert found == hit_rate(truth, estimate, 1)


def test_nothing_to_find_is_a_reason() -> None:
    found = hit_rate(np.zeros((3, 4)), np.ones((3, 4)), 1)
    assert found.value is None and found.reason == "no row has both a hit and something that is none"
    with pytest.raises(ValueError, match="k = 0"):
        hit_rate(np.zeros((3, 4)), np.ones((3, 4)), 0)
