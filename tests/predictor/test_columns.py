import numpy as np

from molgraph.calibrate import Interval
from molgraph.predictor.columns import number_columns, target_columns
from molgraph.task import make

CLASSES = ("a", "b", "c")
TASK = make({"n": "regression", "y": "binary", "k": "multiclass"}, {"k": CLASSES})


def interval(kind, *limits):
    return Interval(kind, 0.9, 20, limits, None)


def test_a_number():
    estimates, spread = np.array([[1.0], [2.0]], np.float32), np.array([[0.1], [np.nan]], np.float32)
    found = target_columns(TASK, "n", estimates, spread, interval("regression", 0.5))
    assert list(found) == ["n", "n_std", "n_lo90", "n_hi90"]
    np.testing.assert_array_equal(np.stack(list(found.values()), 1)[0], np.array([1, 0.1, 0.5, 1.5], np.float32))
    assert found["n_hi90"].dtype == np.float32
    assert number_columns(TASK, "n") == ("n",)


def test_a_probability_ends_at_the_labels_still_possible():
    estimates = np.array([[0.05], [0.5], [0.97]], np.float32)
    found = target_columns(TASK, "y", estimates, estimates, interval("binary", 0.6, 0.6))
    assert found["y_lo90"].tolist() == [0, 0, 1]
    assert found["y_hi90"].tolist() == [0, 1, 1]


def test_classes():
    estimates = np.array([[0.7, 0.2, 0.1], [0.1, 0.45, 0.45]], np.float32)
    spread = np.array([[0.01, 0.02, 0.03], [0.04, 0.05, 0.06]], np.float32)
    found = target_columns(TASK, "k", estimates, spread, interval("multiclass", 0.6, 0.6, 0.6))
    assert list(found) == ["k", "k_std", "k_p_a", "k_p_b", "k_p_c", "k_set90"]
    assert found["k"] == ["a", "b"]
    np.testing.assert_array_equal(found["k_std"], spread[[0, 1], [0, 1]])
    np.testing.assert_array_equal(found["k_p_c"], estimates[:, 2])
    assert found["k_set90"] == ["a", "b|c"]
    assert number_columns(TASK, "k") == ("k_p_a", "k_p_b", "k_p_c")


def test_without_calibration_rows_there_is_no_interval_and_every_class_is_possible():
    none = Interval("multiclass", 0.9, 3, (), "too few")
    found = target_columns(TASK, "k", np.array([[0.7, 0.2, 0.1]]), np.full((1, 3), np.nan), none)
    assert found["k_set90"] == ["a|b|c"]
    blank = target_columns(
        TASK, "n", np.array([[1.0]]), np.array([[np.nan]]), Interval("regression", 0.9, 3, (), "few")
    )
    assert np.isnan([blank["n_lo90"][0], blank["n_hi90"][0], blank["n_std"][0]]).all()


def test_nothing_to_score():
    empty = np.zeros((0, 3), np.float32)
    found = target_columns(TASK, "k", empty, empty, interval("multiclass", 0.6, 0.6, 0.6))
    assert all(len(column) == 0 for column in found.values())
