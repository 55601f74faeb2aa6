"""Comparisons: the paired difference, the verdict, the sentence a report prints."""

from __future__ import annotations

import json

import numpy as np
import pytest

from molgraph.kinds import Number, YesNo
from molgraph.metrics import compare, score


def three(n: int = 400, seed: int = 0):
    """Return a truth, a good estimate and a poor one."""
    random = np.random.default_rng(seed)
    truth = random.normal(6, 1, n)
    return truth, truth + random.normal(0, 0.5, n), truth + random.normal(0, 0.8, n)


def test_better_and_worse_are_mirror_images() -> None:
    truth, good, poor = three()
    for metric in ("rmse", "mae", "r2", "spearman", "pearson"):
        one, other = (
            compare(Number.family, truth, good, poor, metric),
            compare(Number.family, truth, poor, good, metric),
        )
        assert (one.verdict, other.verdict) == ("better", "worse")
        assert one.difference == pytest.approx(-other.difference)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
        assert one.first == other.second


def test_the_scores_are_those_of_score() -> None:
    truth, good, poor = three()
    found = compare(Number.family, truth, good, poor, seed=3)
    assert found.metric == "rmse"
    assert found.first == score(Number.family, truth, good, seed=3)["rmse"]
    assert found.difference == pytest.approx(found.first.value - found.second.value)


def test_pairing_sees_what_overlapping_intervals_hide() -> None:
    """An estimate that is a little better on the same hard rows is better, though the two intervals overlap."""
    random = np.random.default_rng(0)
    truth, hard = random.normal(6, 1, 200), random.normal(0, 1, 200)
    found = compare(Number.family, truth, truth + hard, truth + 1.1 * hard)
    assert found.first.high > found.second.low
    assert found.verdict == "better"


def test_equals_are_not_better() -> None:
    truth, good, _ = three(60)
    same = compare(Number.family, truth, good, good)
    assert (same.difference, same.low, same.high, same.verdict) == (0.0, 0.0, 0.0, "not better")
    assert "-0.0" not in same.sentence


def test_the_error_of_the_verdict_is_the_one_promised() -> None:
    """Two equally good estimates are told apart in about 5 % of 300 samples (4 standard errors allowed)."""
    told, tries = 0, 300
    for seed in range(tries):
        random = np.random.default_rng(seed)
        truth = random.normal(6, 1, 150)
        a, b = truth + random.normal(0, 0.6, 150), truth + random.normal(0, 0.6, 150)
        told += compare(Number.family, truth, a, b, "mae", bootstrap=400, seed=seed).verdict != "not better"
    assert abs(told / tries - 0.05) < 4 * np.sqrt(0.05 * 0.95 / tries)


def test_the_sentence() -> None:
    truth = np.array([1.0, 2, 3, 4, 5, 6])
    shift = np.array([1, -1, 1, -1, 1, -1])
    found = compare(Number.family, truth, truth + 0.62 * shift, truth + 0.60 * shift)
    assert found.verdict == "worse"
    assert found.sentence == (
        "The model is worse than the comparator: RMSE 0.620 against 0.600 "
        "(difference 0.020, 95 % interval 0.020 to 0.020)."
    )
    found = compare(Number.family, 1000 * truth, 1000 * truth + 12, 1000 * truth + 12, called=("graph", "forest"))
    assert found.sentence.startswith("The graph is not better than the forest: RMSE 12.0 against 12.0 (difference 0.0,")


def test_where_there_is_no_score_there_is_no_verdict_to_boast_of() -> None:
    found = compare(YesNo.family, [1, 1, 1], [0.1, 0.6, 0.7], [0.2, 0.3, 0.9])
    assert (found.difference, found.low, found.high, found.verdict) == (None, None, None, "not better")
    assert found.sentence == (
        "Whether the model is better than the comparator cannot be said: AUROC, only one class was measured."
    )
    json.dumps(found.to_json(), allow_nan=False)
    alone = compare(Number.family, [1.0, 2, 3], [1.0, 2, 3], [2.0, 2, 2], "spearman")
    assert alone.first.value == 1 and alone.second.value is None
    assert "cannot be said: Spearman, all predictions are equal" in alone.sentence
    assert "no resamples" in compare(Number.family, [1.0, 2], [1.0, 2], [2.0, 1], bootstrap=0).sentence


def test_only_targets_that_both_have_are_compared() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(0, 1, (100, 3))
    good, poor = truth + random.normal(0, 0.3, (100, 3)), truth + random.normal(0, 0.9, (100, 3))
    poor[:, 2] = 1.0
    found = compare(Number.family, truth, good, poor, "spearman")
    assert found.verdict == "better" and found.first.over == found.second.over == 2
    two = compare(Number.family, truth[:, :2], good[:, :2], poor[:, :2], "spearman")
    assert found.difference == pytest.approx(two.difference)
    assert ", mean over 2 targets (difference" in found.sentence


def test_two_perfect_estimates() -> None:
    found = compare(Number.family, [1.0, 2, 3], [1.0, 2, 3], [1.0, 2, 3])
    assert found.verdict == "not better" and "RMSE 0.000 against 0.000" in found.sentence


def far_and_flat(n: int = 300):
    """Return a truth, an estimate near it in the wrong order (the mean and a little), and one in order but far off."""
    random = np.random.default_rng(1)
    truth = random.normal(6, 1, n)
    return truth, 6 - 0.05 * (truth - 6) + random.normal(0, 0.05, n), truth + 3


def test_nearer_but_in_a_worse_order_is_said_as_both() -> None:
    truth, flat, far = far_and_flat()
    found = compare(Number.family, truth, flat, far, called=("model", "nearest neighbour"))
    assert (found.verdict, found.ranking.verdict, found.ranking.metric) == ("better", "worse", "spearman")
    rmse, spearman = (score(Number.family, truth, flat)[name].value for name in ("rmse", "spearman"))
    assert found.sentence.startswith(
        f"The model is better than the nearest neighbour by RMSE {rmse:.2f} against 3.00 (difference "
    )
    assert f", but worse in ranking: Spearman {spearman:.2f} against 1.00 (difference " in found.sentence
    back = compare(Number.family, truth, far, flat)
    assert (back.verdict, back.ranking.verdict) == ("worse", "better")
    assert "is worse than the comparator by RMSE" in back.sentence and ", but better in ranking: " in back.sentence
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["ranking"]["verdict"] == "worse"


def test_a_better_model_that_does_not_even_rank_as_well_says_so() -> None:
    """Spearman .96 against .98 of twenty rows: no clear difference, but nothing to keep silent about."""
    random = np.random.default_rng(4)
    truth = np.arange(20.0)
    near, far = truth + random.normal(0, 1.5, 20), truth + 9 + random.normal(0, 1, 20)
    found = compare(Number.family, truth, near, far)
    assert found.verdict == "better" and found.ranking.verdict == "not better" and found.ranking.difference < 0
    assert ", but not better in ranking: Spearman " in found.sentence


def test_where_error_and_order_agree_one_is_enough() -> None:
    truth, good, poor = three()
    for found in (compare(Number.family, truth, good, poor), compare(Number.family, truth, truth + 1, truth + 2)):
        assert found.verdict == "better" and found.ranking is None and "ranking" not in found.sentence
    assert compare(Number.family, *far_and_flat(), "mae").ranking is None  # what was asked for, and nothing else
    assert compare(YesNo.family, [0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], [0.4, 0.6, 0.7, 0.5]).ranking is None


def test_an_order_that_does_not_exist_is_not_spoken_of() -> None:
    truth, good, _ = three(60)
    found = compare(Number.family, truth, good, np.full(60, 6.0))
    assert found.verdict == "better" and found.ranking is None


def test_few_rows_are_no_verdict() -> None:
    truth, good, poor = three(19)
    found = compare(Number.family, truth, good, poor, "mae", fewest=20)
    free = compare(Number.family, truth, good, poor, "mae")
    assert (found.verdict, free.verdict) == ("too few to judge", "better")
    assert (found.first, found.difference, found.low) == (free.first, free.difference, free.low)
    said = "19 rows are too few to judge whether the model is better than the comparator (20 at least): MAE "
    assert found.sentence.startswith(said)
    truth, good, poor = three(20)
    assert compare(Number.family, truth, good, poor, fewest=20).verdict in ("better", "not better")
    twice = [np.concatenate([each, each]) for each in three(19)]
    again = compare(Number.family, *twice, "mae", fewest=20, groups=[*range(19)] * 2)
    assert again.sentence.startswith("19 different things are too few to judge")
    unseen = compare(Number.family, *three(30), "mae", fewest=20, observed=[True] * 12 + [False] * 18)
    assert unseen.sentence.startswith("12 rows are too few")


CUT = np.linspace(4, 9, 200)
LOW = np.where(CUT < 4.4, -1, 0)  # a few of the assay's values are `<4.4`


def test_rows_with_bounds_are_compared_by_errors_of_exact_values_and_by_the_order_of_all() -> None:
    """One method puts the values that the assay did not see above all others; the other is a little off everywhere."""
    random = np.random.default_rng(0)
    truth = np.maximum(CUT, 4.4)
    narrow = np.where(CUT < 4.4, 9.9, CUT + 0.01 * random.normal(size=200))
    broad = CUT + 0.3 * random.normal(size=200)
    found = compare(Number.family, truth, broad, narrow, bound=LOW, fewest=20, called=("model", "comparator"))
    exact = int((LOW == 0).sum())
    assert found.verdict == "worse" and found.first.n == found.second.n == exact
    assert found.ranking is not None and found.ranking.metric == "ci" and found.ranking.verdict == "better"
    assert found.ranking.first.n == 200
    assert f"RMSE ({exact} exact values)" in found.sentence
    assert f"but better in ranking: concordance index (all 200 values, {200 - exact} of them bounds)" in found.sentence
    same = compare(Number.family, truth, broad, broad + 0.001, bound=LOW)
    assert same.ranking is not None and "and not better in ranking" in same.sentence


def test_where_a_tenth_are_bounds_the_order_of_all_decides() -> None:
    """What predicts the middle of the exact values has the smaller error on them, and knows nothing of the others."""
    random = np.random.default_rng(2)
    bound, truth = np.where(CUT < 8, -1, 0), np.maximum(CUT, 8)
    good, blind = CUT + 0.5 * random.normal(size=200), 8.5 + 0.01 * random.normal(size=200)
    scores = [score(Number.family, truth, each, bound=bound, bootstrap=0)["rmse"].value for each in (good, blind)]
    assert scores[1] < scores[0]
    found = compare(Number.family, truth, good, blind, bound=bound)
    assert found.metric == "ci" and found.verdict == "better" and found.first.n == 200


def test_where_few_values_are_exact_the_order_of_all_decides() -> None:
    random = np.random.default_rng(1)
    bound, truth = np.where(CUT < 8.6, -1, 0), np.maximum(CUT, 8.6)
    found = compare(Number.family, truth, CUT, random.normal(size=200), bound=bound, fewest=20)
    assert found.metric == "ci" and found.verdict == "better" and found.first.n == 200
    assert "concordance index (all 200 values" in found.sentence
    lone = compare(Number.family, truth[:20], CUT[:20], CUT[:20], bound=np.full(20, -1), fewest=20)
    assert lone.difference is None and "of no two rows is it known which is higher" in lone.sentence
