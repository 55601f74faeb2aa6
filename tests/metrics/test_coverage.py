"""Coverage: shares with Wilson's intervals, of each class apart, and the sentences that a person reads."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from molgraph.metrics.coverage import SAID, Coverage, coverage, sentences, set_coverage


@pytest.mark.parametrize(("k", "n"), [(0, 7), (90, 100), (50, 50), (1, 1)])
def test_coverage_has_wilsons_interval(k: int, n: int) -> None:
    truth = np.r_[np.zeros(k), np.full(n - k, 5.0)]
    found = coverage(np.full(n, -1.0), np.full(n, 0.0), truth)
    theirs = binomtest(k, n).proportion_ci(method="wilson")
    assert found.value == k / n and found.n == n and found.reason is None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_coverage_counts_only_what_can_be_checked() -> None:
    low, high = np.array([0, 0, 0, np.nan, 0.0]), np.array([1, 1, 1, np.nan, 1.0])
    truth = np.array([0.5, 2.0, np.nan, 0.5, 0.5])
    assert coverage(low, high, truth).n == 3
    found = coverage(low, high, truth, bound=[0, 0, 0, 0, -1])
    assert (found.value, found.n) == (0.5, 2)
    assert coverage(low, high, truth, observed=[False] * 5) == Coverage(
        None, None, None, "no row has an exact measured value", 0
    )
    blank = coverage(low[3:4], high[3:4], truth[3:4])
    assert blank.value is None and blank.reason == "no measured row has an interval"
    json.dumps(blank.to_json(), allow_nan=False)
    few = coverage(low[3:4], high[3:4], truth[3:4], reason="5 calibration rows, and at least 9 are needed")
    assert sentences(few.to_json(), "test rows") == [
        "No word on the 90 % intervals: 5 calibration rows, and at least 9 are needed."
    ]


SETS = np.array([[1, 0], [1, 0], [1, 1], [0, 1], [0, 0], [1, 1], [0, 1], [0, 1]], bool)
TRUTH = np.array([0, 0, 0, 0, 0, 1, 1, 1])


def test_each_class_is_counted_apart() -> None:
    found = set_coverage(SETS, TRUTH, level=0.9, counts=(20, 30))
    assert (found.value, found.n) == (6 / 8, 8)  # an empty set is a miss
    assert {name: (each.value, each.n) for name, each in found.classes.items()} == {"0": (3 / 5, 5), "1": (1.0, 3)}
    theirs = binomtest(3, 5).proportion_ci(method="wilson")
    assert (found.classes["0"].low, found.classes["0"].high) == pytest.approx((theirs.low, theirs.high))
    assert (found.decided, found.undecided, found.empty) == (5 / 8, 2 / 8, 1 / 8)
    assert {name: (each.value, each.n) for name, each in found.right.items()} == {"0": (1.0, 2), "1": (2 / 3, 3)}
    assert sentences(json.loads(json.dumps(found.to_json(), allow_nan=False)), "test rows") == [
        "75 % (41 to 93 %) of the test rows lie in their 90 % sets: 60 % (23 to 88 %) of those that are 0, "
        "100 % (44 to 100 %) of those that are 1.",
        "The 90 % sets decide 62 % of the test rows, 25 % are undecided, 12 % unlike either; "
        "no was right in 100 % (34 to 100 %), yes was right in 67 % (21 to 94 %).",
    ]


def test_classes_are_called_as_the_data_does() -> None:
    found = set_coverage(SETS, TRUTH, level=0.9, names=("-1", "1"), counts=(20, 3), said=SAID)
    said = " ".join(sentences(found.to_json(), "rows"))
    assert "60 % (23 to 88 %) of those that are -1, 100 % (44 to 100 %) of those that are 1." in said
    assert "no (-1) was right in 100 % (34 to 100 %), yes (1) was right in 67 % (21 to 94 %)." in said
    earlier = {**set_coverage(SETS, TRUTH, level=0.9, counts=(20, 30)).to_json()}
    del earlier["said"]
    assert "yes was right in 67 % (21 to 94 %)." in " ".join(sentences(earlier, "rows"))


def test_sets_that_decide_little_say_so_and_why() -> None:
    undecided = np.ones((10, 2), bool)

    def said(**known) -> str:
        return sentences(set_coverage(undecided, np.arange(10) % 2, level=0.9, **known).to_json(), "test rows")[2]

    start = "The 90 % sets decide too little to act on: "
    assert said(counts=(10, 60)) == (
        f"{start}with 10 calibration rows of class 0 the most misjudged of them sets the limit. Go by the probability."
    )
    assert f"{start}with 3 calibration rows of class 1, and at least 9 needed, no set leaves that class out" in said(
        counts=(60, 3)
    )
    for counts in ((19, 60), ()):  # enough of each, or an earlier version did not count
        assert said(counts=counts).startswith(f"{start}the model does not tell the classes apart well enough")


def test_a_lower_level_is_said_beside() -> None:
    lower = set_coverage(SETS, TRUTH, level=0.8)
    found = set_coverage(np.ones((8, 2), bool), TRUTH, level=0.9, counts=(9, 9), lower=lower)
    said = sentences(found.to_json(), "rows")
    assert len(said) == 5 and said[2].endswith("Those of 80 % stand beside them.") and " 80 % sets: " in said[3]
    none = set_coverage(None, TRUTH, level=0.9, counts=(5, 7), reason="12 calibration rows", lower=lower)
    assert sentences(none.to_json(), "rows")[0] == "No 90 % sets: 12 calibration rows."
    assert (none.value, none.n, none.classes) == (None, 0, None)


def test_a_class_that_no_row_has_is_left_out_of_the_sentence() -> None:
    found = set_coverage(SETS[:5], TRUTH[:5], level=0.9, names=("mild", "severe"))
    assert found.classes["severe"].value is None and "severe" not in sentences(found.to_json(), "rows")[0]
    assert "unlike either; mild was right in 100 % (" in sentences(found.to_json(), "rows")[1]
    several = set_coverage(np.zeros((2, 3), bool), [0, 1], level=0.9, names=("a", "b", "c"))
    assert several.value == 0 and "100 % unlike any." in sentences(several.to_json(), "rows")[1]
    assert set_coverage(SETS[:0], [], level=0.9).reason == "no row has an exact measured value"


def test_coverage_below_its_promise_by_more_than_chance_is_said() -> None:
    low, high, truth = np.zeros(182), np.ones(182), np.where(np.arange(182) < 148, 0.5, 2.0)  # 81 %
    (said,) = sentences(coverage(low, high, truth).to_json(), "test rows")
    assert said == (
        "81 % (75 to 86 %) of the test rows lie in their 90 % intervals, fewer than promised: take them as too narrow."
    )
    (few,) = sentences(coverage(low[:20], high[:20], np.where(np.arange(20) < 17, 0.5, 2.0)).to_json(), "test rows")
    assert few == "85 % (64 to 95 %) of the test rows lie in their 90 % intervals."
