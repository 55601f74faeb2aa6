"""Splits: groups never straddle, every row is somewhere, folds are balanced, seeds repeat, errors name the remedy."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmilesFromSmiles

from molgraph.errors import ConfigError, DataError
from molgraph.split import CALIBRATION, COLD_ALL, METHODS, Split, check, drop, named, split


def folds(found: Split) -> list[NDArray[np.int64]]:
    return [found.train, found.valid, found.calibration, found.test]


def whole(found: Split, n: int) -> None:
    """Every row is in exactly one fold, ascending."""
    assert np.array_equal(np.sort(np.concatenate(folds(found))), np.arange(n))
    assert all((np.diff(rows) > 0).all() and rows.dtype == np.int64 for rows in folds(found))


def apart(found: Split, groups: NDArray) -> None:
    """No group stands in two folds."""
    sets = [set(groups[rows]) for rows in folds(found)]
    assert sum(map(len, sets)) == len(set().union(*sets))


def some_groups(n: int, seed: int) -> NDArray:
    """Return group sizes as scaffolds have them: a few large, many alone."""
    random = np.random.default_rng(seed)
    return random.permutation(np.minimum(random.zipf(1.6, n), n // 3))


@pytest.fixture(scope="module")
def scaffolds(chembl_table: pd.DataFrame) -> NDArray:
    return np.array([MurckoScaffoldSmilesFromSmiles(s) or s for s in chembl_table.smiles])


@pytest.mark.parametrize("method", ["group", "group_random", "random"])
@pytest.mark.parametrize("n", [40, 200, 1000])
def test_groups_never_straddle(method: str, n: int) -> None:
    for seed in range(20):
        groups = some_groups(n, seed)
        found = split(n, method=method, groups=groups, seed=seed)
        whole(found, n)
        apart(found, groups)
        assert len(check(found, groups)) == 0
        assert len(found.valid) and len(found.test)


def test_largest_first_by_hand() -> None:
    """20 rows: a x 9, b x 4, c x 3 (16 = 80 %), then d x 2 valid, and e, f test; c and g tie, c comes first."""
    groups = np.array(list("abcdefaaaaaaaabbbccd"))
    found = split(20, method="group", groups=groups)
    assert [set(groups[rows]) for rows in (found.train, found.valid, found.test)] == [set("abc"), {"d"}, set("ef")]


def test_largest_first_does_not_depend_on_the_seed_for_its_test_rows(scaffolds: NDArray) -> None:
    one, other = (split(1017, method="group", groups=scaffolds, seed=seed) for seed in (0, 1))
    assert np.array_equal(one.test, other.test) and np.array_equal(one.train, other.train)
    assert not np.array_equal(one.calibration, other.calibration)
    assert [len(rows) for rows in folds(one)] == [813, 50, 51, 103]
    size = pd.Series(scaffolds).groupby(scaffolds).transform("size").to_numpy()
    assert size[one.train].min() >= size[one.test].max()


def test_a_group_of_nine_tenths_trains() -> None:
    """Where one scaffold is most of the series, it trains; it is not what is tested on."""
    groups = np.r_[np.zeros(90, int), np.arange(1, 11)]
    for method in ("group", "group_random"):
        found = split(100, method=method, groups=groups)
        assert len(found.test) == 5 and len(found.valid) == 5 and 0 in groups[found.train]


def test_random_order_puts_large_groups_first() -> None:
    """A group larger than half a test fold never is the test fold while smaller ones are at hand."""
    groups = np.r_[np.repeat(np.arange(8), 8), np.arange(8, 44)]
    for seed in range(20):
        found = split(100, method="group_random", groups=groups, seed=seed)
        assert np.bincount(groups)[groups[found.test]].max() == 1


@pytest.mark.parametrize("method", ["group_random", "random"])
def test_a_seed_repeats_itself(method: str) -> None:
    groups = some_groups(300, 0)
    same, again, other = (split(300, method=method, groups=groups, seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(folds(same), folds(again), strict=True))
    assert not np.array_equal(same.test, other.test)


def test_names_of_groups_do_not_matter() -> None:
    groups = some_groups(200, 0)
    for method in ("group", "group_random"):
        numbered = split(200, method=method, groups=groups)
        written = split(200, method=method, groups=[f"group {g}" for g in groups])
        assert all(np.array_equal(a, b) for a, b in zip(folds(numbered), folds(written), strict=True))


@pytest.mark.parametrize("fractions", [(0.7, 0.1, 0.2), (0.8, 0.2, 0.0), (0.9, 0.0, 0.1), (1.0, 0.0, 0.0)])
def test_fractions_are_kept(fractions: tuple[float, float, float]) -> None:
    found = split(1000, method="random", fractions=fractions)
    whole(found, 1000)
    assert len(found.test) == 1000 * fractions[2]
    if fractions[1]:
        assert len(found.valid) == len(found.calibration) == 500 * fractions[1]
    else:
        assert len(found.valid) == 0 and len(found.calibration) == CALIBRATION


def test_no_digit_is_lost_in_a_share() -> None:
    """0.29 * 100 is 28.999999999999996 in floating point, and yet 29 rows."""
    assert len(split(100, method="random", fractions=(0.29, 0.31, 0.4)).test) == 40


# --- validation and calibration rows


@pytest.mark.parametrize("n", [180, 200, 1000])
def test_the_validation_fold_is_halved_by_group(n: int) -> None:
    for seed in range(10):
        groups = some_groups(n, seed)
        found = split(n, method="group_random", groups=groups, seed=seed)
        if not found.notes:
            assert len(found.calibration) >= CALIBRATION and len(found.valid) > 0
            assert len(found.calibration) >= len(found.valid)
        apart(found, groups)


def test_a_small_validation_fold_stays_and_training_rows_calibrate() -> None:
    found = split(100, method="random")
    assert [len(rows) for rows in folds(found)] == [71, 10, 9, 10]
    assert found.notes == (
        "The validation fold (rows: 10, groups: 10) cannot be halved: "
        "9 of 80 training rows were set aside to calibrate.",
    )


@pytest.mark.parametrize(("n", "calibration"), [(44, 0), (45, 9)])
def test_no_more_than_a_quarter_of_the_training_rows_calibrates(n: int, calibration: int) -> None:
    found = split(n, method="random")
    assert len(found.calibration) == calibration
    assert calibration or "there is no 90 % interval" in found.notes[-1]


def test_a_validation_fold_of_one_group_is_not_halved() -> None:
    groups = np.r_[np.arange(160) // 8, np.full(20, 98), np.arange(100, 120)]
    labels = ["train"] * 160 + ["valid"] * 20 + ["test"] * 20
    found = split(200, method="column", column=labels, groups=groups)
    assert len(found.valid) == 20 and len(found.calibration) == 16
    apart(found, groups)


@pytest.mark.parametrize("n", range(2, 30))
def test_few_rows(n: int) -> None:
    found = split(n, method="random")
    whole(found, n)
    assert len(found.train) and len(found.test)
    assert len(found.valid) or n == 2
    assert len(found.calibration) == 0 and "no 90 % interval" in found.notes[-1]


# --- time


def test_oldest_train_newest_test() -> None:
    years = np.random.default_rng(0).integers(1990, 2024, 500)
    found = split(500, method="time", time=years)
    whole(found, 500)
    held = np.concatenate([found.valid, found.calibration])
    assert years[found.train].max() < years[held].min() <= years[held].max() < years[found.test].min()


def test_equal_times_stay_together() -> None:
    years = np.repeat([2000, 2001, 2002], [70, 20, 10])
    found = split(100, method="time", time=years)
    assert set(years[found.test]) == {2002} and set(years[found.train]) == {2000}


def test_validation_rows_drawn_for_a_time_split_are_the_newest_that_train() -> None:
    years = np.r_[np.arange(1900, 1980), np.full(20, 1999)]
    found = split(100, method="time", time=years)
    assert years[found.valid].min() > years[np.concatenate([found.train, found.calibration])].max()
    assert years[found.calibration].min() > years[found.train].max()


def test_times_may_be_written_in_many_ways() -> None:
    days = pd.date_range("2010-01-01", periods=60, freq="17D")
    as_days = split(60, method="time", time=days)
    for written in (days.strftime("%Y-%m-%d"), days.strftime("%Y-%m-%dT%H:%M:%S+00:00"), list(days.date), days.year):
        found = split(60, method="time", time=written)
        assert set(found.test) >= set(as_days.test) or list(written) == list(days.year)
    assert np.array_equal(split(60, method="time", time=[str(i) for i in range(60)]).test, np.arange(54, 60))


@pytest.mark.parametrize("cell", ["", "soon", None, float("nan"), pd.NaT])
def test_a_row_without_a_time_is_named(cell: object) -> None:
    times = [date(2020, 1, 1 + i) for i in range(20)]
    with pytest.raises(DataError, match=r"no time in 1 row, first '.*' in row 8: every row needs a number"):
        split(20, method="time", time=pd.Series([*times[:7], cell, *times[8:]], dtype=object))


def test_a_missing_day_among_dates_of_pandas_is_named() -> None:
    times = pd.date_range("2020-01-01", periods=20).to_series()
    times.iloc[7] = pd.NaT
    with pytest.raises(DataError, match="first 'None' in row 108"):
        split(20, method="time", time=times, rows=np.arange(101, 121))


# --- the user's own column


def test_labels_in_many_spellings() -> None:
    labels = ["Train", "TRAINING", " train ", "Val", "dev", "validation", "Cal", "test", "Hold-out", "held out"]
    found = split(10, method="column", column=labels)
    assert [rows.tolist() for rows in folds(found)] == [[0, 1, 2], [3, 4, 5], [6], [7, 8, 9]]
    assert found.notes == ()


def test_a_strange_label_is_named_with_its_row() -> None:
    labels = ["train"] * 8 + ["trian", "", "test"]
    with pytest.raises(DataError, match=r"2 rows whose split is none of .*: 'trian' \(row 9\), '' \(row 10\)"):
        split(11, method="column", column=labels)
    with pytest.raises(DataError, match=r"'trian' \(row 40\)"):
        split(11, method="column", column=labels, rows=np.arange(32, 43))


@pytest.mark.parametrize("lacking", ["train", "test"])
def test_a_column_needs_both_ends(lacking: str) -> None:
    labels = ["valid", "test" if lacking == "train" else "train"] * 5
    with pytest.raises(DataError, match=f"marks no row '{lacking}': mark some, or use --split scaffold"):
        split(10, method="column", column=labels)


def test_a_real_column(shared_data: Path) -> None:
    """TDC marks train_val and test only: validation and calibration come out of the training rows, by group."""
    frame = pd.read_csv(shared_data / "tdc_admet" / "herg.csv.gz")
    groups = np.array([MurckoScaffoldSmilesFromSmiles(s) or s for s in frame.Drug])
    found = split(len(frame), method="column", column=list(frame.split), groups=groups)
    whole(found, len(frame))
    assert np.array_equal(found.test, np.flatnonzero(frame.split == "test"))
    assert len(found.valid) >= CALIBRATION and len(found.calibration) >= CALIBRATION
    fitted = frame.split[np.concatenate([found.train, found.valid, found.calibration])]
    assert set(fitted) == {"train_val"}
    inner = Split(found.train, found.valid, found.calibration, np.array([], np.int64))
    assert len(check(inner, groups)) == 0


# --- folds


@pytest.mark.parametrize("method", ["group", "group_random", "random"])
@pytest.mark.parametrize("k", [2, 5, 10])
def test_each_row_is_tested_once(method: str, k: int) -> None:
    groups = some_groups(300, 1)
    cuts = [split(300, method=method, groups=groups, seed=2, folds=k, fold=i) for i in range(k)]
    for found in cuts:
        whole(found, 300)
        apart(found, groups)
    assert np.array_equal(np.sort(np.concatenate([found.test for found in cuts])), np.arange(300))
    sizes = [len(found.test) for found in cuts]
    assert max(sizes) - min(sizes) <= np.bincount(groups).max()


def test_folds_are_even(scaffolds: NDArray) -> None:
    sizes = [len(split(1017, method="group", groups=scaffolds, folds=5, fold=i).test) for i in range(5)]
    assert max(sizes) - min(sizes) <= 1
    sizes = [len(split(103, method="random", folds=5, fold=i).test) for i in range(5)]
    assert sorted(sizes) == [20, 20, 21, 21, 21]


def test_another_seed_makes_other_folds_of_few_unequal_groups() -> None:
    sites = np.repeat(np.arange(8), [60, 52, 45, 40, 33, 30, 22, 18])
    found = {
        frozenset(
            tuple(split(300, method="group_random", groups=sites, seed=s, folds=5, fold=i).test) for i in range(5)
        )
        for s in range(5)
    }
    assert len(found) >= 4


def test_folds_of_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="4 rows in 4 groups make no 5 folds: ask for fewer"):
        split(4, method="random", folds=5, fold=0)
    for wrong in (
        {"folds": 5},
        {"fold": 1},
        {"folds": 5, "fold": 5},
        {"folds": 5, "fold": -1},
        {"folds": 1, "fold": 0},
    ):
        with pytest.raises(ConfigError, match="give at least 2 folds, and a fold from 0 to folds - 1"):
            split(100, method="random", **wrong)
    for method in ("time", "column"):
        with pytest.raises(ConfigError, match=f"no folds of a {method} split"):
            split(100, method=method, folds=5, fold=0)


# --- what cannot be split


def test_one_group_says_what_to_do() -> None:
    for method in ("group", "group_random"):
        with pytest.raises(DataError, match=r"of 50 rows \(1 group\) leaves no test rows: use --split random"):
            split(50, method=method, groups=["benzene"] * 50)
    with pytest.raises(DataError, match="leaves no training rows: use --split random"):
        split(50, method="time", time=[2001] * 50)


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("method", ["group", "random"])
def test_too_few_rows_at_all(n: int, method: str) -> None:
    with pytest.raises(DataError, match="give more rows"):
        split(n, method=method)


def test_numbers_out_of_range() -> None:
    for fractions in ((0.8, 0.1, 0.2), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1), (float("nan"), 0.5, 0.5)):
        with pytest.raises(ConfigError, match="three shares of train, valid and test that add up to 1"):
            split(100, method="random", fractions=fractions)
    with pytest.raises(ConfigError, match="unknown method 'groop'; did you mean 'group'"):
        split(100, method="groop")
    with pytest.raises(ValueError, match="100 rows but groups of shape"):
        split(100, method="group", groups=[1, 2])
    with pytest.raises(ValueError, match="100 rows but no labels"):
        split(100, method="column")
    with pytest.raises(ValueError, match="100 rows but 0 times"):
        split(100, method="time")


# --- leaks


def test_a_leak_leaves_the_earlier_fold() -> None:
    """Molecule "x" stands in train and test, "y" in valid and calibration, "z" in train and valid."""
    same = np.array(["x", "a", "z", "y", "z", "y", "b", "x", "c"])
    found = Split(*map(np.array, ([0, 1, 2], [3, 4], [5, 6], [7, 8])))
    leaks = check(found, same)
    assert [rows.tolist() for rows in (leaks.train, leaks.valid, leaks.calibration)] == [[0, 2], [3], []]
    assert len(leaks) == 3
    clean = drop(found, leaks)
    assert [rows.tolist() for rows in folds(clean)] == [[1], [4], [5, 6], [7, 8]]
    assert len(check(clean, same)) == 0


def test_dropping_leaks_never_touches_the_test_rows() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        same = random.integers(0, 60, 200)
        found = split(200, method="column", column=random.choice(["train", "valid", "test"], 200).tolist())
        clean = drop(found, check(found, same))
        assert np.array_equal(clean.test, found.test) and len(check(clean, same)) == 0
        apart(clean, same)


# --- pairs


def pairs(seed: int, n: int = 3000, drugs: int = 60, targets: int = 100) -> NDArray[np.int64]:
    """Return the drug and the target of n pairs [2, n], some of each in many more pairs than others."""
    random = np.random.default_rng(seed)
    return np.stack([np.minimum(random.geometric(3 / most, n), most) for most in (drugs, targets)])


def left_out(found: Split, n: int) -> int:
    """Return how many rows are in no fold, which is what the notes say; no row is in two."""
    out = n - len(np.unique(np.concatenate(folds(found))))
    assert sum(map(len, folds(found))) == n - out
    assert f"{out} of {n} rows stand between the folds, with inputs from two, and were left out." in found.notes
    return out


@pytest.mark.parametrize("seed", range(10))
def test_cold_all_shares_nothing_between_training_validation_and_test(seed: int) -> None:
    given = pairs(seed)
    found = split(3000, method=COLD_ALL, groups=given, seed=seed)
    assert left_out(found, 3000) > 0
    sides = [found.train, np.concatenate([found.valid, found.calibration]), found.test]
    for groups in given:
        sets = [set(groups[rows]) for rows in sides]
        assert sum(map(len, sets)) == len(set().union(*sets))


def test_cold_all_keeps_the_fractions_among_the_rows_kept(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "dti" / "davis_pairs.csv.gz")
    given = np.stack([pd.factorize(table[column])[0] for column in ("drug_id", "target_id")])
    shares = []
    for seed in range(5):
        found = split(len(table), method=COLD_ALL, groups=given, seed=seed)
        kept = len(table) - left_out(found, len(table))
        assert kept > 0.4 * len(table)
        shares.append([len(found.train) / kept, len(found.test) / kept])
    assert np.mean(shares, axis=0) == pytest.approx([0.8, 0.1], abs=0.03)


def test_cold_all_of_three_inputs() -> None:
    given = np.random.default_rng(0).integers(0, 40, (3, 6000))
    found = split(6000, method=COLD_ALL, groups=given)
    left_out(found, 6000)
    for groups in given:
        assert not set(groups[found.train]) & set(groups[found.test])


@pytest.mark.parametrize("k", [2, 5])
def test_folds_of_cold_all(k: int) -> None:
    given, tested = pairs(0), []
    for fold in range(k):
        found = split(3000, method=COLD_ALL, groups=given, fold=fold, folds=k)
        left_out(found, 3000)
        for groups in given:
            rest = np.concatenate([found.train, found.valid, found.calibration])
            assert not set(groups[rest]) & set(groups[found.test])
        tested.append(found.test)
    assert len(np.unique(np.concatenate(tested))) == sum(map(len, tested)) > 0.5 * 3000 / k


def test_cold_in_one_input_leaves_no_row_out() -> None:
    drug, target = pairs(1)
    for fold in range(3):
        found = split(3000, method=named("cold:drug")[0].method, groups=drug, fold=fold, folds=3)
        whole(found, 3000)
        apart(found, drug)
        assert set(target[found.train]) & set(target[found.test])


def test_too_few_parts_for_cold_all() -> None:
    with pytest.raises(DataError, match="leaves no test rows: use --split random"):
        split(40, method=COLD_ALL, groups=[np.zeros(40), np.arange(40)])


# --- names


def test_every_name_has_a_method_that_works() -> None:
    groups = some_groups(100, 0)
    of_columns = ("time", "column", "cold", "group")
    for name in METHODS:
        what, column = named(name if name not in of_columns else f"{name}:when")
        assert what.summary and what.grouper and column == (None if name not in of_columns else "when")
        labels = np.resize(["train"] * 8 + ["test", "valid"], 100).tolist()
        given = [groups] if what.method == COLD_ALL else groups
        whole(split(100, method=what.method, groups=given, column=labels, time=np.arange(100)), 100)


def test_names_of_pairs() -> None:
    assert named("cold:drug") == (METHODS["cold"], "drug")
    assert named("cold:all") == named("cold_all") == (METHODS["cold_all"], None)
    assert named("family:target") == (METHODS["family"], "target")
    assert named("scaffold:drug") == (METHODS["scaffold"], "drug")


def test_names_that_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown split 'scafold'; did you mean 'scaffold'"):
        named("scafold")
    with pytest.raises(ConfigError, match="split 'time' needs a column of the data: write time:NAME"):
        named("time")
    with pytest.raises(ConfigError, match="split 'column' needs a column of the data: write column:NAME"):
        named("column:")
    with pytest.raises(ConfigError, match="split 'random' takes no column: write random, or column:fold"):
        named("random:fold")
    with pytest.raises(ConfigError, match="split 'scaffold' takes no column: write scaffold"):
        named("scaffold:")
    with pytest.raises(ConfigError, match="split 'cold' needs an input: write cold:all, or cold:NAME"):
        named("cold")
    with pytest.raises(ConfigError, match="split 'cold_all' takes no column"):
        named("cold_all:drug")
