"""Signed ranks beside scipy, by hand, and how often their intervals hold the truth."""

import math

import numpy as np
import pytest
from scipy import stats

from molgraph.metrics.signed_rank import SignedRank, fewest


@pytest.mark.parametrize("n", [6, 10, 25])
def test_it_is_scipys_exact_test(n):
    for seed in range(20):
        gaps = np.random.default_rng(seed).normal(0.3, 1, n)
        assert SignedRank.of(gaps, 0.05).p == pytest.approx(stats.wilcoxon(gaps, method="exact").pvalue)


def test_the_interval_by_hand():
    """Of 8 differences the test rejects up to rank sum 3 (Wilcoxon's table), so the 4th mean from either end stays."""
    gaps = np.array([1.1, 2.2, -0.4, 0.9, 3.1, 1.7, 0.2, 2.6])
    means = sorted((a + b) / 2 for k, a in enumerate(gaps) for b in gaps[k:])
    found = SignedRank.of(gaps, 0.05)
    assert (found.low, found.high) == (means[3], means[-4])
    assert found.median == pytest.approx(np.median(means))


@pytest.mark.parametrize("beyond", [0.05, 0.01])
def test_the_interval_leaves_out_0_exactly_where_the_test_rejects(beyond):
    verdicts = set()
    for seed in range(200):
        random = np.random.default_rng(seed)
        gaps = np.round(random.normal(0.5, 1, 12), 1 if seed % 2 else 9)  # half of them with ties and zeros
        found = SignedRank.of(gaps, beyond)
        verdicts.add(found.p < beyond)
        assert (found.p < beyond) == (found.low > 0 or found.high < 0)
    assert verdicts == {True, False}


def test_it_holds_the_median_as_often_as_it_says():
    """2,000 sets of 10 differences with heavy tails: at least 95 % less 4 standard errors, and not much more."""
    random = np.random.default_rng(0)
    sets = [SignedRank.of(random.standard_t(3, 10) + 2, 0.05) for _ in range(2000)]
    inside = np.mean([each.low <= 2 <= each.high for each in sets])
    off = 4 * math.sqrt(0.05 * 0.95 / 2000)
    assert 0.95 - off < inside < 0.97 + off


def test_nothing_is_found_in_nothing_nor_in_too_few():
    found = SignedRank.of(np.zeros(8), 0.05)
    assert (found.median, found.low, found.high, found.p) == (0, 0, 0, 1)
    for pairs in (1, 3, 10):
        least = fewest(0.05, pairs)
        assert 2 * 0.5**least < 0.05 / pairs <= 2 * 0.5 ** (least - 1)
    with pytest.raises(ValueError, match="5 differences have no interval"):
        SignedRank.of(np.arange(1, 6), 0.05)
