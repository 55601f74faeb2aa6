"""Scores of times to an event, against their definitions written as loops."""

from __future__ import annotations

import numpy as np
import pytest

from molgraph.data.targets import ABOVE, EXACT
from molgraph.metrics.formulas import Sample
from molgraph.metrics.survival import auroc_by_time, brier, c_index, expected_time, integrated_brier, surviving

AT = (2.0, 4.0, 7.0, 9.0)


def sample(rows: int = 60, seed: int = 0) -> Sample:
    """Return rows of which some were lost, and estimates that know something; times are tied on purpose."""
    random = np.random.default_rng(seed)
    rate = random.uniform(0.05, 0.4, rows)
    happens, lost = np.ceil(random.exponential(1 / rate)), np.ceil(random.exponential(12, rows))
    chance = 1 - np.exp(-np.outer(rate * random.uniform(0.7, 1.3, rows), AT))
    bound = np.where(happens <= lost, EXACT, ABOVE).astype(np.int8)
    return Sample(np.minimum(happens, lost), chance, bound, AT)


def once(given: Sample) -> np.ndarray:
    return np.ones((1, len(given)))


def kaplan_meier(time: np.ndarray, happened: np.ndarray, at: float, before: bool = False) -> float:
    left = 1.0
    for t in np.unique(time[happened]):
        if t < at or (t == at and not before):
            left *= 1 - (happened & (time == t)).sum() / (time >= t).sum()
    return float(left)


def test_the_curve_of_a_textbook() -> None:
    """The treated of Freireich et al. 1963 as in Collett 2015, Modelling Survival Data, table 1: weeks of remission."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    event = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    at = np.array([5.0, 6, 7, 10, 13, 16, 22, 23, 30])
    found = surviving(np.array(weeks, float), np.array(event, float), np.ones((1, 21)), at)[0]
    assert found == pytest.approx([1, 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448, 0.448], abs=5e-4)


def test_just_before_a_time_what_happens_then_has_not_happened() -> None:
    found = surviving(np.array([1.0, 2.0]), np.ones(2), np.ones((1, 2)), np.array([1.0, 2.0]), before=True)
    assert found.tolist() == [[1.0, 0.5]]


def test_a_row_drawn_twice_counts_twice() -> None:
    given = sample(20)
    counts = np.random.default_rng(1).integers(0, 3, (3, 20)).astype(float)
    for drawn in counts:
        rows = np.repeat(np.arange(20), drawn.astype(int))
        again = Sample(given.truth[rows], given.estimate[rows], given.bound[rows], AT)
        assert c_index(given, drawn[None])[0] == pytest.approx(c_index(again, once(again))[0])
        happened = (given.bound == EXACT).astype(float)
        both = (
            surviving(given.truth, happened, drawn[None], np.array(AT)),
            surviving(again.truth, happened[rows], once(again), np.array(AT)),
        )
        assert both[0] == pytest.approx(both[1])


def test_c_index_is_the_share_of_pairs_of_known_order() -> None:
    given = sample()
    time, late = expected_time(given.estimate, AT), given.bound == ABOVE
    right = pairs = 0.0
    for i in range(len(given)):
        for j in range(len(given)):
            first = given.truth[i] < given.truth[j] or (given.truth[i] == given.truth[j] and late[j])
            if not late[i] and first and i != j:
                pairs += 1
                right += 1.0 if time[i] < time[j] else 0.5 if time[i] == time[j] else 0.0
    assert c_index(given, once(given))[0] == pytest.approx(right / pairs)


def test_the_expected_time_lies_under_the_curve() -> None:
    assert expected_time(np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 1.0]]), (2.0, 6.0)).tolist() == [6.0, 1.0, 2.5]


def test_brier_score_and_its_mean_over_time() -> None:
    given = sample()
    lost, happened = given.bound == ABOVE, given.bound == EXACT
    expected = []
    for k, t in enumerate(AT):
        total = 0.0
        for i in range(len(given)):
            chance = given.estimate[i, k]
            if given.truth[i] <= t and happened[i]:
                total += (1 - chance) ** 2 / kaplan_meier(given.truth, lost, given.truth[i], before=True)
            elif given.truth[i] > t:
                total += chance**2 / kaplan_meier(given.truth, lost, t)
        expected.append(total / len(given))
    scores, at = brier(given, once(given))
    assert at.tolist() == list(AT) and scores[0] == pytest.approx(expected)
    assert integrated_brier(given, once(given))[0] == pytest.approx(np.trapezoid(expected, AT) / 7)


def test_auroc_by_time() -> None:
    given = sample()
    lost, happened = given.bound == ABOVE, given.bound == EXACT
    total = weights = 0.0
    before = 1.0
    for k, t in enumerate(AT):
        top = below = 0.0
        for i in np.flatnonzero((given.truth <= t) & happened):
            weight = 1 / kaplan_meier(given.truth, lost, given.truth[i], before=True)
            for j in np.flatnonzero(given.truth > t):
                gap = given.estimate[i, k] - given.estimate[j, k]
                top += weight * (1.0 if gap > 0 else 0.5 if gap == 0 else 0.0)
                below += weight
        left = kaplan_meier(given.truth, happened, t)
        total, weights, before = total + (before - left) * top / below, weights + before - left, left
    assert auroc_by_time(given, once(given))[0] == pytest.approx(total / weights)


def test_times_at_which_hardly_anybody_is_watched_are_not_judged() -> None:
    given = sample()
    late = Sample(given.truth, given.estimate, given.bound, (*AT[:3], 1e6))
    scores, at = brier(late, once(late))
    assert at.tolist() == list(AT[:3]) and np.isfinite(scores).all()


def test_perfect_and_useless_chances() -> None:
    time = np.arange(1.0, 11.0)
    perfect = (time[:, None] <= np.array(AT)).astype(float)
    sure = Sample(time, perfect, np.zeros(10, np.int8), AT)
    assert integrated_brier(sure, once(sure))[0] == 0 and auroc_by_time(sure, once(sure))[0] == 1
    none = Sample(time, np.full((10, 4), 0.3), np.zeros(10, np.int8), AT)
    assert auroc_by_time(none, once(none))[0] == 0.5 and c_index(none, once(none))[0] == 0.5
