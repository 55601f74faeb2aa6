"""Rows beside the groups they belong to, by hand and on a shortcut that rows fall for."""

import numpy as np
import pytest

from molgraph.kinds import Number, OneOf, YesNo
from molgraph.metrics import score
from molgraph.metrics.levels import level_sentence, levels


def test_groups_are_scored_by_the_mean_of_their_rows():
    truth, of = [1, 1, 0, 0, 1, 1, 0], [0, 0, 1, 1, 2, 2, 3]
    estimate = [0.75, 0.5, 0.5, 0.25, 0.625, 0.125, 0.5]  # means 0.625, 0.375, 0.375, 0.5
    found = levels(YesNo.family, truth, estimate, of)["auroc"]
    assert found.rows.value == score(YesNo.family, truth, estimate, metrics=["auroc"], bootstrap=0)["auroc"].value
    assert found.whole.value == pytest.approx(
        (2 + 0.5 + 0) / 4
    )  # one above both; the other ties with one, below the other
    assert found.gap == pytest.approx(found.rows.value - found.whole.value)
    assert (found.rows.n, found.whole.n, found.groups, found.disagree) == (7, 4, 4, 0)
    assert found.same == found.rows


def test_groups_that_disagree_have_no_label():
    found = levels(YesNo.family, [1, 0, 0, 1], [0.9, 0.2, 0.1, 0.3], [7, 7, 9, 9])["auroc"]
    assert found.rows.value == 1.0 and found.whole.value is None and found.gap is None
    said = level_sentence("AUROC", "patient", found.to_json())
    assert said.startswith("AUROC of rows 1.000; by patient it is undefined: the rows of 2 of 2 groups have different")


def test_a_few_that_disagree_are_left_out_and_counted():
    truth, of = [1, 1, 0, 0, 1, 0], [0, 0, 1, 1, 2, 2]
    found = levels(YesNo.family, truth, [0.9, 0.8, 0.1, 0.2, 0.5, 0.5], of)["accuracy"]
    assert found.whole.value == 1.0 and found.whole.n == 2 and found.disagree == 1
    assert "the rows of 1 of 3 groups have different labels" in level_sentence("accuracy", "patient", found.to_json())


def test_the_gap_is_of_the_same_groups():
    truth, of = [1, 1, 0, 0, 1, 0, 1, 0], [0, 0, 1, 1, 2, 2, 3, 3]
    estimate = [0.9, 0.8, 0.1, 0.2, 0.1, 0.9, 0.2, 0.8]  # right where the rows of a group agree, wrong elsewhere
    found = levels(YesNo.family, truth, estimate, of)["auroc"]
    one = score(YesNo.family, truth[:4], estimate[:4], metrics=["auroc"], bootstrap=0)["auroc"]
    assert found.rows.value < 0.6 and (found.same.value, found.same.n) == (one.value, 4) == (1.0, 4)
    assert (found.whole.value, found.gap, found.disagree) == (1.0, 0.0, 2), "groups left out make no gap"
    said = level_sentence("AUROC", "patient", found.to_json())
    assert "of the 4 rows of the 2 groups of one label 1.000, by patient (mean over its rows) 1.000: a gap of 0" in said
    before = {key: value for key, value in found.to_json().items() if key != "same"}
    assert "one label" not in level_sentence("AUROC", "patient", before), "as an earlier version judged"


def test_the_gap_shows_what_rows_promise_and_patients_do_not_keep():
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1] * 10, [60, 60, *[2] * 18])  # two patients of many rows decide the rows
    of = np.repeat(np.arange(20), [60, 60, *[2] * 18])
    estimate = np.where(of < 2, np.where(truth == 1, 0.9, 0.1), 0.5) + random.normal(0, 0.05, len(truth))
    found = levels(YesNo.family, truth, np.clip(estimate, 0, 1), of)["auroc"]
    assert found.rows.value > 0.9 > found.whole.value
    assert found.gap > 0.1 and found.low < found.gap < found.high


def test_numbers_and_classes_have_levels_and_bounds_are_left_out():
    found = levels(Number.family, [1, 1, 3, 9], [1.5, 0.5, 2, 0], [0, 0, 1, 2], bound=[0, 0, 0, 1])["rmse"]
    assert found.rows.value == pytest.approx(np.sqrt((0.25 + 0.25 + 1) / 3))
    assert found.whole.value == pytest.approx(np.sqrt((0 + 1) / 2)) and found.groups == 2
    shares = [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]
    found = levels(OneOf.family, [0, 0, 2], shares, [0, 0, 1])["accuracy"]
    assert found.rows.value == pytest.approx(2 / 3) and found.whole.value == 1.0  # means 0.4, 0.4: the first


def test_without_measured_rows_there_is_a_reason():
    found = levels(YesNo.family, [np.nan, np.nan], [0.1, 0.2], [0, 1])["auroc"]
    assert found.rows.value is None and found.whole.reason == "no row was measured"
