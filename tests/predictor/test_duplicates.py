import math

import numpy as np
import pytest

from molgraph.data.targets import ABOVE, BELOW, EXACT
from molgraph.kinds import NAMED, Number, YesNo
from molgraph.predictor.duplicates import merge

NAN = math.nan


def merged(values, rule="mean", kind="regression", bound=None, same=None):
    values = np.array(values, dtype=float)[:, None]
    bound = np.array(bound if bound is not None else [EXACT] * len(values), dtype=np.int8)[:, None]
    return merge(same or ["a"] * len(values), values, bound, {"t": NAMED[kind]}, rule)


@pytest.mark.parametrize(
    ("kind", "rule", "values", "left"),
    [
        ("regression", "mean", [1, 2, 6], 3.0),
        ("regression", "median", [1, 2, 6], 2.0),
        ("regression", "drop", [1, 2, 6], NAN),
        ("regression", "drop", [2, 2, 2], 2.0),
        ("regression", "mean", [1, NAN, 3], 2.0),
        ("regression", "drop", [NAN, NAN, 3], 3.0),
        ("binary", "mean", [1, 1, 0], 1.0),
        ("binary", "median", [0, 1, 0], 0.0),
        ("binary", "mean", [1, 0], NAN),
        ("binary", "drop", [1, 1, 0], NAN),
        ("binary", "drop", [1, 1], 1.0),
        ("multiclass", "mean", [2, 2, 0, 1], 2.0),
        ("multiclass", "mean", [2, 2, 0, 0], NAN),
        ("multiclass", "mean", [NAN, 4], 4.0),
    ],
)
def test_the_value_that_is_left(kind, rule, values, left):
    found = merged(values, rule, kind)
    np.testing.assert_equal(found.values, [[left]])
    assert found.keep.tolist() == [0]
    assert found.into == dict.fromkeys(range(1, len(values)), 0)


@pytest.mark.parametrize(
    ("values", "bound", "left"),
    [
        ([5, 7], [ABOVE, ABOVE], (7, ABOVE)),  # above 5 and above 7 is above 7
        ([5, 7], [BELOW, BELOW], (5, BELOW)),
        ([5, 7], [ABOVE, BELOW], (NAN, EXACT)),
        ([5, 7, 9], [ABOVE, EXACT, EXACT], (8, EXACT)),
        ([5, 7], [ABOVE, EXACT], (7, EXACT)),
    ],
)
def test_bounds(values, bound, left):
    found = merged(values, bound=bound)
    np.testing.assert_equal((found.values[0, 0], found.bound[0, 0]), left)


def test_rows_of_other_things_stay_as_they_are():
    found = merged([1, 2, 3, 4], same=["a", "b", "a", "c"], bound=[EXACT, ABOVE, EXACT, BELOW])
    assert found.keep.tolist() == [0, 1, 3]
    assert found.values[:, 0].tolist() == [2, 2, 4]
    assert found.bound[:, 0].tolist() == [EXACT, ABOVE, BELOW]
    assert found.into == {2: 0}


def test_conflicts_and_the_spread_of_repeated_measurements():
    same = ["a", "a", "b", "b", "b", "c", "c", "d"]
    found = merged([1, 3, 4, 4, 7, 2, 2, 9], same=same)
    # pooled: squares 2 of a, 6 of b, 0 of c, over 1 + 2 + 1 degrees of freedom
    assert found.spread == {"t": {"sd": pytest.approx(math.sqrt(8 / 4)), "things": 3}}
    assert found.conflicts == {"t": 2}
    assert merged([1, 0], kind="binary").spread == {}
    assert merged([1, 1], kind="binary").conflicts == {}


def test_each_target_is_merged_by_its_own_kind():
    values = np.array([[1.0, 1.0], [2.0, 0.0], [3.0, 1.0]])
    found = merge([7, 7, 7], values, np.zeros((3, 2), np.int8), {"x": Number, "y": YesNo}, "mean")
    assert found.values.tolist() == [[2.0, 1.0]]
    assert found.conflicts == {"x": 1, "y": 1}


def test_a_mean_and_a_majority_go_by_weight():
    values = np.array([[1.0, 0.0], [2.0, 1.0], [4.0, 1.0], [7.0, 0.0]])
    weight = np.array([[3.0, 5.0], [1.0, 1.0], [1.0, 1.0], [2.0, 2.0]])
    bound = np.zeros((4, 2), dtype=np.int8)
    kinds = {"a": Number, "b": YesNo}
    found = merge(["x", "x", "x", "y"], values, bound, kinds, "mean", weight)
    assert found.values.tolist() == [[(3 * 1 + 2 + 4) / 5, 0.0], [7.0, 0.0]]
    assert found.weight.tolist() == [[5 / 3, 7 / 3], [2.0, 2.0]]
    plain = merge(["x", "x", "x", "y"], values, bound, kinds, "mean")
    assert plain.values.tolist() == [[7 / 3, 1.0], [7.0, 0.0]] and (plain.weight == 1).all()
    assert merge(["x", "x", "x", "y"], values, bound, kinds, "median", weight).values[0].tolist() == [2.0, 0.0]
