"""Thresholds, what they bring and net benefit, each beside what is counted by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest

from molgraph.errors import ConfigError
from molgraph.metrics.decisions import ODDS, cut_off, net_benefit, operating, sensitivity_at, useful

TRUTH = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
ESTIMATE = [0.1, 0.2, 0.3, 0.5, 0.7, 0.4, 0.6, 0.8, 0.8, 0.9]


def test_youden_takes_the_highest_threshold_of_the_best_sum():
    # from 0.8 on: 3 of 5 found, none false: J 0.6; from 0.6 on: 4 of 5 found, 1 of 5 false: J 0.6 too
    assert cut_off(TRUTH, ESTIMATE) == pytest.approx(0.75)


def test_a_fixed_specificity_is_the_lowest_threshold_that_has_it():
    assert cut_off(TRUTH, ESTIMATE, 0.8) == pytest.approx(0.55)  # one false positive of five: 0.7
    assert cut_off(TRUTH, ESTIMATE, 0.6) == pytest.approx(0.35)  # two of them: 0.7 and 0.5
    assert cut_off(TRUTH, ESTIMATE, 0.81) == pytest.approx(0.75)


def test_a_specificity_that_no_estimate_has_calls_nobody_positive():
    above = cut_off([0, 1, 0], [0.9, 0.5, 0.1], 0.9)
    assert above is not None and 0.9 < above < 0.9 + 1e-12


def test_one_class_gives_no_threshold_and_a_wrong_specificity_is_refused():
    assert cut_off([1, 1], [0.2, 0.9]) is None and cut_off([], []) is None
    with pytest.raises(ConfigError, match="specificity = 1"):
        cut_off(TRUTH, ESTIMATE, 1.0)


def test_shares_at_a_threshold_are_counted_with_wilsons_intervals():
    found = operating(TRUTH, ESTIMATE, 0.5)
    # called: 0.5 and 0.7 (false), 0.6, 0.8, 0.8, 0.9 (true); not called: 0.1, 0.2, 0.3 (true), 0.4 (false)
    hand = {"sensitivity": (4, 5), "specificity": (3, 5), "ppv": (4, 6), "npv": (3, 4)}
    for name, (hits, of) in hand.items():
        ends = binomtest(hits, of).proportion_ci(0.95, method="wilson")
        assert found[name].value == pytest.approx(hits / of) and found[name].n == of
        assert (found[name].low, found[name].high) == pytest.approx((ends.low, ends.high))


def test_where_nobody_is_called_there_is_no_predictive_value():
    found = operating(TRUTH, ESTIMATE, 0.95)
    assert found["ppv"].value is None and found["ppv"].reason == "no row is called positive"
    assert found["specificity"].value == 1.0 and found["specificity"].low == pytest.approx(0.5655, abs=1e-4)


def test_rows_of_one_patient_widen_the_interval():
    truth, estimate = np.tile(TRUTH, 20), np.tile(ESTIMATE, 20)
    alone = operating(truth, estimate, 0.5)["sensitivity"]
    together = operating(truth, estimate, 0.5, groups=np.tile(np.arange(10), 20))["sensitivity"]
    assert together.value == alone.value == 0.8
    assert together.high - together.low > 3 * (alone.high - alone.low)
    sure = operating(truth, estimate, 0.0, groups=np.tile(np.arange(10), 20))["sensitivity"]
    assert sure.low == pytest.approx(0.5655, abs=1e-4)  # five patients of five, not a hundred rows


def test_rows_that_are_not_observed_do_not_count():
    seen = np.array([True] * 9 + [False])
    assert operating(TRUTH, ESTIMATE, 0.5, observed=seen)["sensitivity"].value == 0.75


def test_sensitivity_at_a_specificity_reads_the_curve():
    assert sensitivity_at(0.8, TRUTH, ESTIMATE, bootstrap=0).value == pytest.approx(0.8)
    assert sensitivity_at(0.9, TRUTH, ESTIMATE, bootstrap=0).value == pytest.approx(0.6)
    found = sensitivity_at(0.8, TRUTH, ESTIMATE)
    assert found.low is not None and found.low < 0.8 <= found.high
    none = sensitivity_at(0.9, [1, 1, 1], [0.1, 0.2, 0.3])
    assert none.value is None and none.reason == "only one class was measured"


def test_equal_estimates_are_called_alike():
    assert sensitivity_at(0.9, [1, 1, 0, 0], [0.5, 0.5, 0.5, 0.1], bootstrap=0).value == 0.0


def test_net_benefit_is_vickers_and_elkins_by_hand():
    found = net_benefit(TRUTH, ESTIMATE)
    at = ODDS.index(0.2)
    # from 0.2 on: 5 true and 4 false of 10, weighed by the odds 1 to 4
    assert found.model[at] == pytest.approx(5 / 10 - 4 / 10 * 0.25)
    assert found.every[at] == pytest.approx(0.5 - 0.5 * 0.25)
    assert found.model[ODDS.index(0.75)] == pytest.approx(3 / 10)
    assert found.low[at] < found.model[at] < found.high[at] and found.n == 10
    assert net_benefit([1, 1], [0.2, 0.3]) is None


def test_useful_thresholds_are_those_above_both_strategies():
    curve = {"thresholds": [0.1, 0.2, 0.3, 0.4], "model": [0.4, 0.4, -0.1, 0.2], "every": [0.4, 0.3, 0.1, -0.2]}
    assert useful(curve) == [(0.2, 0.2), (0.4, 0.4)]
    perfect = net_benefit([0, 0, 1, 1], [0.001, 0.001, 0.999, 0.999]).to_json()
    assert useful(perfect) == [(0.01, 0.99)]
