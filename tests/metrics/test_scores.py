"""Scores: intervals, reasons instead of NaN, means over targets, determinism, speed of thought."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from molgraph.errors import ConfigError, DataError
from molgraph.kinds import NAMED, Number, OneOf, YesNo
from molgraph.metrics import METRICS, score
from molgraph.rooms.protein.room import AFFINITY


def made(kind: str, n: int, seed: int):
    random = np.random.default_rng(seed)
    if kind == "regression":
        truth = random.normal(6, 1, n)
        return truth, truth + random.normal(0, 0.7, n)
    if kind == "binary":
        truth = (random.random(n) < 0.3).astype(float)
        return truth, np.clip(0.3 * truth + 0.7 * random.random(n), 0, 1)
    truth = random.integers(0, 3, n)
    given = random.random((n, 3)) + 0.4 * np.eye(3)[truth]
    return truth.astype(float), given / given.sum(1, keepdims=True)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_every_metric_has_a_value_inside_its_interval(kind: str) -> None:
    for seed in range(5):
        for name, found in score(NAMED[kind].family, *made(kind, 300, seed), seed=seed).items():
            assert found.low is not None and found.reason is None, name
            assert found.low <= found.value <= found.high, name
            assert found.low < found.high, name
            assert found.n == 300 and found.over is None


def test_the_interval_of_a_mean_error_is_the_one_of_the_normal_law() -> None:
    """For a mean over many rows the bootstrap must give the interval of the textbook, mean +- 1.96 s / sqrt(n)."""
    truth, estimate = made("regression", 4000, 0)
    found = score(Number.family, truth, estimate, metrics=["mae"], bootstrap=4000)["mae"]
    loss = np.abs(truth - estimate)
    half = 1.96 * loss.std() / np.sqrt(len(loss))
    assert found.low == pytest.approx(loss.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(loss.mean() + half, abs=0.1 * half)


def test_95_of_100_intervals_hold_the_true_auroc() -> None:
    """Of 300 samples of 200 rows, the share of intervals that hold the true AUROC is within 4 standard errors of 95 %.

    Positives are N(1, 1) and negatives N(0, 1), so the true AUROC is Phi(1 / sqrt 2).
    """
    true, held, tries = stats.norm.cdf(1 / np.sqrt(2)), 0, 300
    for seed in range(tries):
        random = np.random.default_rng(seed)
        truth = (random.random(200) < 0.4).astype(float)
        found = score(YesNo.family, truth, random.normal(truth, 1), metrics=["auroc"], bootstrap=400, seed=seed)[
            "auroc"
        ]
        held += found.low <= true <= found.high
    assert abs(held / tries - 0.95) < 4 * np.sqrt(0.95 * 0.05 / tries)


def test_a_seed_repeats_itself() -> None:
    truth, estimate = made("binary", 100, 0)
    assert score(YesNo.family, truth, estimate, seed=4) == score(YesNo.family, truth, estimate, seed=4)
    assert score(YesNo.family, truth, estimate, seed=4) != score(YesNo.family, truth, estimate, seed=5)


def test_order_of_asking_changes_nothing() -> None:
    truth, estimate = made("binary", 100, 0)
    one = score(YesNo.family, truth, estimate, metrics=["mcc"])["mcc"]
    assert score(YesNo.family, truth, estimate)["mcc"] == one


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resamples are made some at a time to bound the memory; how many at a time is not seen in the result."""
    truth, estimate = made("regression", 120, 0)
    whole = score(Number.family, truth, estimate)
    monkeypatch.setattr("molgraph.metrics.scores.BLOCK", 7 * 120)
    for name, found in score(Number.family, truth, estimate).items():
        same = whole[name]
        assert (found.value, found.low, found.high) == pytest.approx((same.value, same.low, same.high), rel=1e-12)


def test_rows_that_were_not_measured_do_not_count() -> None:
    truth, estimate = made("regression", 100, 0)
    holes = truth.copy()
    holes[::3] = np.nan
    seen = ~np.isnan(holes)
    estimate[~seen] = np.nan
    assert score(Number.family, holes, estimate) == score(Number.family, truth[seen], estimate[seen])
    assert score(Number.family, truth, estimate, observed=seen) == score(Number.family, truth[seen], estimate[seen])


def test_errors_are_of_exact_values_and_say_of_how_many() -> None:
    truth, estimate, bound = [5.0, 5.0, 1.0, 2.0, 3.0], [4.0, 6.0, 1.0, 2.0, 3.5], [-1, -1, 0, 0, 0]
    found = score(Number.family, truth, estimate, bound=bound, bootstrap=0)
    assert found["mae"].value == pytest.approx(0.5 / 3)
    assert {found[name].n for name in ("mse", "rmse", "mae", "r2", "spearman", "kendall")} == {3}
    # certain: 1 < 2, 1 < 3, 2 < 3; of `<5` nothing is known beside 1, 2 or 3
    assert found["ci"].value == 1 and found["ci"].n == 5


REASONS = [
    ("regression", [], [], "no row was measured"),
    ("regression", [np.nan, np.nan], [1, 2], "no row was measured"),
    ("regression", [1], [1], "fewer than 2 rows"),
    ("binary", [1, 1, 1], [0.2, 0.5, 0.9], "only one class was measured"),
    ("binary", [0, 0, 0], [0.2, 0.5, 0.9], "only one class was measured"),
]


@pytest.mark.parametrize(("kind", "truth", "estimate", "why"), REASONS)
def test_a_score_that_does_not_exist_says_why(kind: str, truth: list, estimate: list, why: str) -> None:
    found = score(NAMED[kind].family, truth, estimate, metrics=["r2" if kind == "regression" else "auroc"])
    (only,) = found.values()
    assert (only.value, only.low, only.high, only.reason) == (None, None, None, why)


def test_no_metric_is_ever_nan() -> None:
    """One class, one value, one prediction, two rows: JSON without NaN, and a reason for each blank."""
    for kind, truth, estimate in [
        ("regression", [3.0] * 5, [1.0, 2, 3, 4, 5]),
        ("regression", [1.0, 2, 3, 4, 5], [3.0] * 5),
        ("regression", [1.0, 2.0], [3.0, 1.0]),
        ("binary", [1.0] * 5, [0.1, 0.2, 0.7, 0.8, 0.9]),
        ("binary", [0.0] * 5, [0.0] * 5),
        ("binary", [0.0, 1.0], [1.0, 0.0]),
        ("multiclass", [2.0] * 4, np.eye(3)[[0, 1, 2, 2]]),
        ("multiclass", [0.0, 1, 2, 2], np.eye(3)[[1, 1, 1, 1]]),
    ]:
        for name, found in score(NAMED[kind].family, truth, estimate, bootstrap=50).items():
            json.dumps(found.to_json(), allow_nan=False)
            assert (found.value is None) <= (found.reason is not None), name
            assert (found.low is None) == (found.high is None), name
            assert found.low is not None or found.reason is not None, name


def test_equal_values_are_named() -> None:
    found = score(Number.family, [3.0] * 5, [1.0, 2, 3, 4, 5])
    assert found["r2"].reason == found["spearman"].reason == "all measured values are equal"
    assert found["rmse"].value is not None
    found = score(Number.family, [1.0, 2, 3, 4, 5], [3.0] * 5)
    assert found["spearman"].reason == "all predictions are equal" and found["r2"].value == 0
    assert score(YesNo.family, [0, 1, 1], [0.1, 0.2, 0.3])["mcc"].reason == "only one class is predicted"
    found = score(Number.family, [1.0, 2, 3], [1.0, 2, 3], bound=[-1, -1, 0])
    assert found["spearman"].reason == found["mae"].reason == "fewer than 2 rows with an exact value"
    assert found["ci"].value == 1 and found["ci"].n == 3
    found = score(Number.family, [1.0, 2, 3], [1.0, 2, 3], bound=[-1, -1, -1])
    assert found["ci"].reason == "of no two rows is it known which is higher"


def test_the_concordance_index_is_shown_where_rows_are_bounds() -> None:
    shown = Number.family.shown
    assert "ci" in shown(bounds=True) and "ci" not in shown()
    assert "rmse" in shown(bounds=True) and "ci" not in YesNo.family.shown(bounds=True)


def test_groups_are_drawn_whole() -> None:
    """Ten copies of each row are no more evidence than one: resampled by group, the interval says so."""
    truth, estimate = made("regression", 60, 0)
    group = np.repeat([f"scaffold {i}" for i in range(60)], 10)
    once = score(Number.family, truth, estimate, metrics=["mae"], bootstrap=4000)["mae"]
    copied = np.repeat(truth, 10), np.repeat(estimate, 10)
    naive = score(Number.family, *copied, metrics=["mae"], bootstrap=4000)["mae"]
    honest = score(Number.family, *copied, metrics=["mae"], bootstrap=4000, groups=group)["mae"]
    assert honest.value == pytest.approx(once.value)
    assert (honest.high - honest.low) == pytest.approx(once.high - once.low, rel=0.1)
    assert (naive.high - naive.low) < 0.5 * (honest.high - honest.low)


def test_a_mean_over_targets_says_over_how_many() -> None:
    random = np.random.default_rng(0)
    truth = (random.random((200, 3)) < 0.3).astype(float)
    truth[:, 2] = 0
    truth[::4, 1] = np.nan
    estimate = random.random((200, 3))
    found = score(YesNo.family, truth, estimate, metrics=["auroc"])["auroc"]
    seen = ~np.isnan(truth[:, 1])
    each = roc_auc_score(truth[:, 0], estimate[:, 0]), roc_auc_score(truth[seen, 1], estimate[seen, 1])
    assert found.value == pytest.approx(np.mean(each))
    assert found.over == 2 and found.n == 350
    assert found.reason == "missing in 1 of 3 targets: only one class was measured (1)"
    assert found.to_json()["over"] == 2
    alone = score(YesNo.family, truth[:, 0], estimate[:, 0], metrics=["auroc"])["auroc"]
    assert found.high - found.low < alone.high - alone.low


def test_several_targets_of_several_classes() -> None:
    a, b = made("multiclass", 150, 0), made("multiclass", 150, 1)
    found = score(OneOf.family, np.stack([a[0], b[0]], 1), np.stack([a[1], b[1]], 1), metrics=["mcc"])["mcc"]
    each = [score(OneOf.family, *given, metrics=["mcc"])["mcc"].value for given in (a, b)]
    assert found.value == pytest.approx(np.mean(each)) and found.over == 2


def test_what_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'auroc'"):
        score(YesNo.family, [0, 1], [0.1, 0.2], metrics=["auorc"])
    with pytest.raises(DataError, match="no finite estimate for the measured row at position 1"):
        score(Number.family, [1, 2, 3], [1, np.nan, 3])
    with pytest.raises(DataError, match="label at position 2 is 2, not one of the classes 0 to 1"):
        score(YesNo.family, [0, 1, 2], [0.1, 0.2, 0.3])
    with pytest.raises(DataError, match="position 0 is no probability"):
        score(YesNo.family, [0, 1, 1], [7.2, 5.1, 6.0])
    with pytest.raises(ValueError, match="shapes do not fit"):
        score(Number.family, [1, 2, 3], [1, 2])


def test_a_score_that_only_ranks_takes_any_number() -> None:
    found = score(YesNo.family, [0, 1, 1, 0], [5.1, 7.2, 6.6, 4.0], metrics=["auroc", "auprc", "ef1"])
    assert found["auroc"].value == 1.0 and found["ef1"].value == 2.0


def test_the_registry_is_whole() -> None:
    families = [kind.family for kind in NAMED.values()]
    for family in families:
        assert {family.main, *family.aside, *family.beside} <= set(family.metrics)
        assert all(METRICS[name].classes == family.classes for name in family.metrics)
    assert {name for family in families for name in family.metrics} == set(METRICS)
    assert not METRICS["rmse"].higher_is_better and METRICS["auroc"].higher_is_better


def test_real_labels(shared_data: Path) -> None:
    """Tox21's twelve assays, blanks and all, against scikit-learn assay by assay."""
    frame = pd.read_csv(shared_data / "molecules" / "tox21.csv")
    assays = [c for c in frame if c.startswith(("NR-", "SR-"))]
    truth = frame[assays].to_numpy(float)
    assert truth.shape[1] == 12 and np.isnan(truth).any()
    estimate = np.random.default_rng(0).random(truth.shape) + 0.2 * np.nan_to_num(truth)
    found = score(YesNo.family, truth, estimate, metrics=["auroc"], bootstrap=20)["auroc"]
    seen = ~np.isnan(truth)
    each = [roc_auc_score(truth[seen[:, t], t], estimate[seen[:, t], t]) for t in range(12)]
    assert found.value == pytest.approx(np.mean(each), rel=1e-12)
    assert found.over == 12 and found.n == int(seen.sum())


def test_what_is_shown_is_computed_and_fits_a_page() -> None:
    for family in (kind.family for kind in NAMED.values()):
        for wanted in ((), AFFINITY):
            shown = family.shown(wanted)
            assert set(shown) <= set(family.metrics) and len(shown) < 10 and family.main in shown
    assert Number.family.shown() == ("rmse", "mae", "r2", "spearman", "pearson")
    assert Number.family.shown(AFFINITY) == AFFINITY
    assert YesNo.family.shown(AFFINITY) == YesNo.family.shown()


def test_what_a_run_declares_is_shown_first_and_nothing_that_its_kind_shows_is_lost() -> None:
    assert Number.family.shown(first=["kendall", "mae"]) == ("kendall", "mae", "rmse", "r2", "spearman", "pearson")
    assert Number.family.shown(AFFINITY, first=["r2"])[0] == "r2"
    assert YesNo.family.shown(first=["mae", "brier"])[:2] == ("brier", "auroc"), "of another kind: not shown"
