from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from molgraph.tune.ensemble import greedy

TRUTH = np.zeros((50, 1), dtype=np.float32)


def rmse(made: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean((made - TRUTH) ** 2)))


@pytest.fixture
def estimates() -> dict[int, NDArray[np.float32]]:
    random = np.random.default_rng(0)
    return {n: random.normal(scale=1 + n / 10, size=(50, 1)).astype(np.float32) for n in range(8)}


def test_it_begins_with_the_best_and_every_choice_lowers_the_loss(estimates: dict[int, NDArray[np.float32]]):
    chosen, losses = greedy(estimates, rmse, most=5, first=3)
    assert chosen[0] == 3 and len(set(chosen)) == len(chosen) == len(losses) <= 5
    assert losses == sorted(losses, reverse=True) and losses[-1] < rmse(estimates[3])
    assert losses[-1] == pytest.approx(rmse(np.mean([estimates[n] for n in chosen], axis=0)), rel=1e-5)


def test_what_adds_nothing_is_left_out(estimates: dict[int, NDArray[np.float32]]):
    perfect = {9: TRUTH, **estimates}
    assert greedy(perfect, rmse, most=5, first=9) == ([9], [0.0])
    assert greedy(estimates, rmse, most=1, first=0)[0] == [0]
    assert greedy({0: estimates[0]}, rmse, most=5, first=0)[0] == [0]
