import numpy as np

from molgraph.calibrate import Interval, Sets
from molgraph.kinds import make
from molgraph.kinds.column import Column, set_text, sets
from molgraph.predictor.doubts import without_interval

CLASSES = ("a", "b", "c")
TASK = make({"n": "regression", "y": "binary", "k": "multiclass"}, {"k": CLASSES})


def interval(kind, *limits):
    return (Interval if kind == "regression" else Sets)(kind, 0.9, 20, limits, None)


def test_a_number():
    estimates, spread = np.array([[1.0], [2.0]], np.float32), np.array([[0.1], [np.nan]], np.float32)
    found = TASK.of("n").said(estimates, spread, interval("regression", 0.5))
    assert list(found) == ["n", "n_std", "n_lo90", "n_hi90"]
    np.testing.assert_array_equal(np.stack(list(found.values()), 1)[0], np.array([1, 0.1, 0.5, 1.5], np.float32))
    assert found["n_hi90"].dtype == np.float32
    assert TASK.of("n").ranked_by == ("n",)


def test_a_probability_has_a_set_in_words():
    estimates = np.array([[0.05], [0.5], [0.97], [np.nan]], np.float32)
    found = TASK.of("y").said(estimates, estimates, interval("binary", 0.6, 0.6))
    assert list(found) == ["y", "y_std", "y_set90"] and found["y_set90"] == ["no", "undecided", "yes", None]
    apart = TASK.of("y").said(estimates, estimates, interval("binary", 0.1, 0.1))
    assert apart["y_set90"] == ["no", "unlike either", "yes", None]


def test_no_word_contradicts_the_probability():
    """Limits of a model that shipped: 0 possible up to .9986, 1 from .886 on."""
    p = np.array([[0.774], [0.3], [0.95], [0.999]], np.float32)
    found = TASK.of("y").said(p, p, interval("binary", 0.9986, 0.114))
    assert found["y_set90"] == ["undecided", "no", "undecided", "yes"]


def test_sets_of_a_lower_level_stand_beside_those_that_decide_too_little():
    lower = Sets("binary", 0.8, 20, (0.6, 0.6))
    wide = Sets("binary", 0.9, 20, (0.99, 0.99), lower=lower)
    estimates = np.array([[0.05], [0.5], [0.97]], np.float32)
    found = TASK.of("y").said(estimates, estimates, wide)
    assert list(found) == ["y", "y_std", "y_set90", "y_set80"]
    assert found["y_set90"] == ["undecided"] * 3 and found["y_set80"] == ["no", "undecided", "yes"]
    columns = ["xy_set90", "y_set80", "y_set90", "y_set", "y"]
    described = TASK.of("y").described(columns)
    assert [column.name for column in sets(described)] == ["y_set90", "y_set80"]
    assert described[0] == Column("y", "value") and TASK.of("n").described(columns) == ()
    assert set_text(sets(described)[1], "unlike either") == "80 % set: unlike either"
    assert set_text(sets(described)[1], None) == ""


def test_classes():
    estimates = np.array([[0.7, 0.2, 0.1], [0.1, 0.45, 0.45]], np.float32)
    spread = np.array([[0.01, 0.02, 0.03], [0.04, 0.05, 0.06]], np.float32)
    found = TASK.of("k").said(estimates, spread, interval("multiclass", 0.6, 0.6, 0.6))
    assert list(found) == ["k", "k_std", "k_p_a", "k_p_b", "k_p_c", "k_set90"]
    assert found["k"] == ["a", "b"]
    np.testing.assert_array_equal(found["k_std"], spread[[0, 1], [0, 1]])
    np.testing.assert_array_equal(found["k_p_c"], estimates[:, 2])
    assert found["k_set90"] == ["a", "b|c"]
    assert TASK.of("k").ranked_by == ("k_p_a", "k_p_b", "k_p_c")
    lost = TASK.of("k").said(np.array([[0.4, 0.3, 0.3]]), spread[:1], interval("multiclass", 0.1, 0.1, 0.1))
    assert lost["k_set90"] == ["unlike any"]


def test_without_calibration_rows_there_is_no_interval_and_no_set():
    none = Sets("multiclass", 0.9, 3, (), "too few")
    found = TASK.of("k").said(np.array([[0.7, 0.2, 0.1]]), np.full((1, 3), np.nan), none)
    assert found["k_set90"] == [None]
    two = TASK.of("y").said(np.array([[0.7]]), np.full((1, 1), np.nan), Sets("binary", 0.9, 3, (), "few"))
    assert two["y_set90"] == [None]
    blank = TASK.of("n").said(np.array([[1.0]]), np.array([[np.nan]]), Interval("regression", 0.9, 3, (), "few"))
    assert np.isnan([blank["n_lo90"][0], blank["n_hi90"][0], blank["n_std"][0]]).all()


def test_a_blank_column_is_explained_by_the_reason_that_is_kept():
    few = {"y": Sets("binary", 0.9, 5, (), "5 calibration rows"), "n": Interval("regression", 0.9, 3, (), "3 rows")}
    whole = {"n": interval("regression", 0.5)}
    assert list(without_interval([whole])) == []
    assert list(without_interval([few])) == [
        "y has no 90 % set: 5 calibration rows.",
        "n has no 90 % interval: 3 rows.",
    ]
    assert list(without_interval([whole, few]))[1] == "n of model 2 has no 90 % interval: 3 rows."


def test_nothing_to_score():
    empty = np.zeros((0, 3), np.float32)
    found = TASK.of("k").said(empty, empty, interval("multiclass", 0.6, 0.6, 0.6))
    assert all(len(column) == 0 for column in found.values())
