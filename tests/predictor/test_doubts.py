"""Doubts: what is said with predictions when the test rows gave reason to."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from molgraph.calibrate import Interval
from molgraph.metrics.coverage import coverage, set_coverage
from molgraph.predictor.doubts import doubts

GUESS = "The model is not better than the simplest guess."


def model(coverage, intervals=None, **verdicts):
    simple = {"verdicts": {name: {"constant": each} for name, each in verdicts.items()}}
    recipe = SimpleNamespace(metrics={"coverage": coverage, "simple": simple} if coverage else {})
    return SimpleNamespace(intervals=intervals or {}, recipe=recipe)


def held(share, n=200):
    return coverage(np.zeros(n), np.ones(n), np.where(np.arange(n) < share * n, 0.5, 9.0)).to_json()


def sets(of_no, of_yes, decided, n=200):
    """Return the coverage of n rows of each class, of which shares lie in their sets, and a share of sets decides."""
    truth, inside = np.repeat([0, 1], n), np.ones((2 * n, 2), dtype=bool)
    for label, share in enumerate((of_no, of_yes)):
        for at in range(n):
            if at >= share * n:
                inside[label * n + at, label] = False  # decided, and wrong
            elif at < decided * n:
                inside[label * n + at, 1 - label] = False
    return set_coverage(inside, truth, level=0.9, counts=(n, n)).to_json()


def test_intervals_that_held_as_promised_are_no_reason_to_doubt():
    fine = {"verdict": "better", "sentence": ""}
    assert list(doubts([model({"y": held(0.9), "c": sets(0.95, 0.9, 0.6)}, y=fine, c=fine)])) == []
    assert list(doubts([model({})])) == [], "an earlier version judged nothing"
    few = {"y": {"value": None, "low": None, "high": None, "reason": "none is exact", "n": 0}}
    assert list(doubts([model(few, y={"verdict": "too few to judge", "sentence": ""})])) == []


def test_intervals_that_held_too_little_are_said():
    (said,) = doubts([model({"y": held(0.8)})])
    assert said.startswith("y: 80 % (74 to 85 %) of the test rows lie in their 90 % intervals, fewer than promised")


def test_sets_that_decide_little_or_hold_too_little_of_a_class_are_said():
    (little,) = doubts([model({"c": sets(1.0, 1.0, 0.2)})])
    assert little.startswith("c: The 90 % sets decide 20 % of the test rows, 80 % are undecided")
    (narrow,) = doubts([model({"c": sets(0.7, 0.95, 0.6)})])
    assert (
        "70 % (63 to 76 %) of those that are 0, fewer than promised, 95 % (91 to 97 %) of those that are 1." in narrow
    )


def test_what_is_no_better_than_a_guess_is_said_of_each_model():
    none = Interval("regression", 0.9, 3, (), "3 rows")
    found = doubts(
        [model({"y": held(0.9)}), model({"y": held(0.9)}, {"y": none}, y={"verdict": "worse", "sentence": GUESS})]
    )
    assert list(found) == ["y of model 2 has no 90 % interval: 3 rows.", f"y of model 2: {GUESS}"]


def test_what_is_worse_than_an_equation_of_descriptors_is_said_and_what_is_as_good_is_not():
    for verdict, said in (("worse", ["y: worse than it"]), ("not better", []), ("better", [])):
        one = model({"y": held(0.9)})
        one.recipe.metrics["simple"]["verdicts"]["y"] = {"equation": {"verdict": verdict, "sentence": "worse than it"}}
        assert list(doubts([one])) == said
    one.recipe.metrics["simple"]["verdicts"]["y"] = {"last value": {"verdict": "not better", "sentence": "no more"}}
    assert list(doubts([one])) == ["y: no more"], "the last value is the simplest guess of a curve"
