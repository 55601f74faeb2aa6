"""Rows known only as a bound teach what learns from values."""

import numpy as np
import pytest
from scipy import stats

from molgraph.data.targets import ABOVE, BELOW, EXACT
from molgraph.predictor.censored import ROUNDS, Labelled, expected, learn


def line(seed: int = 0, rows: int = 400, low: float = -0.5, high: float = np.inf) -> tuple[Labelled, np.ndarray]:
    """Return rows about a line of slope 1, of which an assay sees those between `low` and `high`; and what they are."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 1)).astype(np.float32)
    truth = features[:, 0] + 0.3 * random.normal(size=rows)
    bound = np.where(truth < low, BELOW, np.where(truth > high, ABOVE, EXACT)).astype(np.int8)
    return Labelled(features, np.clip(truth, low, high), bound, np.ones(rows, np.float32)), truth


def grow(train: Labelled, valid: Labelled) -> np.ndarray:
    table = np.stack([train.features[:, 0], np.ones(len(train))], axis=1)
    return np.linalg.lstsq(table, train.values, rcond=None)[0]


def say(model: np.ndarray, features: np.ndarray) -> np.ndarray:
    return model[0] * features[:, 0] + model[1]


@pytest.mark.parametrize(("low", "high"), [(-0.5, np.inf), (-np.inf, 0.3), (-0.7, 0.7)])
def test_bounds_bring_the_estimate_nearer_to_what_the_assay_did_not_see(low, high):
    (train, _), (valid, _), (test, truth) = (line(seed, low=low, high=high) for seed in range(3))
    alone, taught = grow(train.exact(), valid.exact()), learn(grow, say, train, valid)
    errors = [np.sqrt(np.mean((say(model, test.features) - truth) ** 2)) for model in (alone, taught)]
    assert errors[1] < errors[0]
    assert abs(taught[0] - 1) < abs(alone[0] - 1) / 2


def test_without_bounds_it_learns_once_from_the_rows_as_they_are():
    (train, _), (valid, _) = line(0, low=-np.inf), line(1, low=-np.inf)
    calls = []
    learn(lambda a, b: calls.append((a, b)) or grow(a, b), say, train, valid)
    assert len(calls) == 1
    np.testing.assert_array_equal(calls[0][0].values, train.values)
    (bounded, _), calls = line(0), []
    learn(lambda a, b: calls.append((a, b)) or grow(a, b), say, bounded, valid)
    assert len(calls) == 1 + ROUNDS
    assert len(calls[0][0]) == (bounded.bound == EXACT).sum() and len(calls[-1][0]) == len(bounded)


@pytest.mark.parametrize("spread", [0.1, 2.0])
def test_a_spread_that_is_told_takes_the_place_of_the_error_of_rows_that_were_learnt(spread):
    (train, _), calls = line(0), []
    learn(lambda a, b: calls.append(a) or grow(a, b), say, train, train.those(np.zeros(len(train), bool)), spread)
    first = grow(train.exact(), train)
    np.testing.assert_allclose(calls[1].values, expected(train.values, train.bound, say(first, train.features), spread))


def test_what_is_expected_behind_a_bound_lies_behind_it_and_near_the_estimate():
    estimate = np.array([-40.0, -1, 0, 1, 40])
    below = expected(np.zeros(5), np.full(5, BELOW), estimate, 1.0)
    assert (below <= 0).all() and np.isfinite(below).all()
    np.testing.assert_allclose(below, -expected(np.zeros(5), np.full(5, ABOVE), -estimate, 1.0))
    np.testing.assert_allclose(below[1:4], [stats.truncnorm(-np.inf, -m, loc=m).mean() for m in (-1, 0, 1)])
    assert below[0] == pytest.approx(-40)
    values = np.array([3.0, 4.0])
    np.testing.assert_array_equal(expected(values, np.array([EXACT, EXACT]), np.zeros(2), 1.0), values)
