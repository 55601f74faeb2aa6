"""Calibration, sharpness and the ranking of errors, beside what is known of made distributions."""

import json

import numpy as np
import pytest
from scipy import stats

from molgraph.metrics.reliability import (
    BIN_ROWS,
    CALIBRATED,
    CLASS_ROWS,
    NUMBER_ROWS,
    drawn,
    from_enough,
    of_classes,
    of_numbers,
    place,
    sentence,
)


def noisy(n=4000, seed=0):
    """Return estimates, values, the deviation of each, and errors of other rows drawn alike."""
    random = np.random.default_rng(seed)
    spread = random.uniform(0.2, 2.0, size=2 * n)
    off = random.normal(size=2 * n) * spread
    estimate = random.normal(size=n)
    return estimate, estimate + off[:n], spread[:n], off[n:], spread[n:]


def test_the_error_of_probabilities_is_guos_by_hand():
    said = np.array([0.05, 0.08, 0.62, 0.68, 0.95, 0.97, 0.99, 0.91])
    label = np.array([0, 1, 1, 0, 1, 1, 1, 0])
    found = of_classes(said, label, np.ones(8))
    gaps = [abs(0.065 - 0.5) * 2, abs(0.65 - 0.5) * 2, abs(0.955 - 0.75) * 4]
    assert found.ece == pytest.approx(sum(gaps) / 8)
    assert found.curve == (
        (pytest.approx(0.065), 0.5, 2),
        (pytest.approx(0.65), 0.5, 2),
        (pytest.approx(0.955), 0.75, 4),
    )
    wrong = (said >= 0.5) != label
    expected = stats.spearmanr(wrong, 1 - np.maximum(said, 1 - said)).statistic
    assert found.spearman == pytest.approx(expected)


def test_true_probabilities_have_next_to_no_error_and_sharpened_ones_have():
    random = np.random.default_rng(0)
    truth = random.uniform(size=20_000)
    label = (random.uniform(size=20_000) < truth).astype(int)
    assert of_classes(truth, label, np.ones(1)).ece < 0.02
    sharp = 1 / (1 + ((1 - truth) / truth) ** 3)
    assert of_classes(sharp, label, np.ones(1)).ece > 0.1


def test_several_classes_are_judged_by_the_likeliest():
    said = np.array([[0.5, 0.3, 0.2], [0.1, 0.85, 0.05], [0.2, 0.2, 0.6]])
    found = of_classes(said, np.array([0, 1, 1]), np.array([2, 1, np.nan]))
    assert found.ece == pytest.approx((0.5 + 0.15 + 0.6) / 3)
    assert found.width == 1.5 and found.n == 3


def test_levels_hold_where_the_distribution_is_the_right_one():
    estimate, truth, spread, errors, other = noisy()
    found = of_numbers(estimate, truth, spread, spread, place(estimate, truth, errors / other, spread))
    assert found.ece < 0.02
    assert [said for said, _, _ in found.curve] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert found.spearman == pytest.approx(stats.spearmanr(abs(truth - estimate), spread).statistic)
    plain = of_numbers(estimate, truth, spread, None, place(estimate, truth, errors))
    assert plain.ece < 0.02 and plain.spearman is None and "one model predicts no spread" in plain.reason
    narrow = of_numbers(estimate, truth, spread, None, place(estimate, truth, errors / 3))
    assert narrow.ece > 0.2 and all(seen < said for said, seen, _ in narrow.curve)


def test_what_does_not_exist_says_why():
    none = of_numbers([], [], [], None, [])
    assert (none.ece, none.width, none.curve, none.n) == (None, None, (), 0) and none.reason
    assert of_classes([], [], []).reason == "no row has an exact measured value"
    truth = [1.5, 2.0, 3.0]
    alike = of_numbers([1.0] * 3, truth, [np.nan] * 3, [1.0] * 3, place([1.0] * 3, truth, []))
    assert alike.ece is None and alike.width is None
    assert alike.reason == "no row calibrated; errors or spreads are all alike, or too few to rank"
    assert json.loads(json.dumps(alike.to_json(), allow_nan=False))["reason"] == alike.reason
    assert sentence(alike.to_json()).startswith("no ranking of errors: no row calibrated")


def test_one_line_says_it_all():
    estimate, truth, spread, errors, _ = noisy(200)
    places = place(estimate, truth, errors)
    said = sentence(of_numbers(estimate, truth, np.full(200, 2.5), spread, places).to_json())
    assert "90 % intervals 2.5 wide on average; predicted spread ranks the errors with Spearman 0." in said


def test_of_a_handful_of_rows_nothing_is_said_of_calibration():
    random = np.random.default_rng(0)
    for n, told in ((CLASS_ROWS - 1, False), (CLASS_ROWS, True)):
        found = of_classes(random.random(n), random.integers(0, 2, n), np.ones(n))
        kept = from_enough(found)
        assert (kept == found) is told and kept.spearman == found.spearman and kept.width == found.width
        if not told:
            assert kept.ece is None and kept.curve == ()
            assert sentence(kept.to_json()).startswith("no calibration error: 99 rows, and at least 100 are needed; ")
    estimate, truth, _, errors, _ = noisy(NUMBER_ROWS)
    whole = of_numbers(estimate, truth, np.ones(NUMBER_ROWS), None, place(estimate, truth, errors))
    assert from_enough(whole, CALIBRATED) == whole and from_enough(whole) == whole
    few = from_enough(whole, CALIBRATED - 1)
    assert few.ece is None and few.few == "19 calibration rows, and at least 20 are needed"
    fewer = of_numbers(estimate[1:], truth[1:], np.ones(NUMBER_ROWS - 1), None, place(estimate[1:], truth[1:], errors))
    assert from_enough(fewer, 500).few == "49 rows, and at least 50 are needed"
    json.dumps(few.to_json(), allow_nan=False)


def test_a_point_of_a_few_rows_is_not_drawn():
    curve = [[0.05, 0.1, 80], [0.45, 1.0, 1], [0.55, 0.0, 9], [0.95, 0.9, 60]]
    assert drawn(curve) == ((0.05, 0.1, 80), (0.95, 0.9, 60))
    assert drawn(curve[:3]) == drawn([]) == () and BIN_ROWS == 10


def test_sets_are_not_called_intervals():
    said = sentence(of_classes([0.2, 0.6, 0.9], [0, 0, 1], [1, 2, 1]).to_json())
    assert "90 % sets of 1.33 classes on average" in said and "wide" not in said
