"""What is said beside the rank of rows: for which targets the estimate may mean nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from molgraph.screen.merge import Ranking, flags, within
from molgraph.screen.top import doubts

ROWS = pd.DataFrame(
    {
        "a": [0.1, 0.2, 0.3],
        "a_set90": ["yes", "undecided", "unlike either"],
        "a_in_domain": pd.array([True, True, False], dtype="boolean"),
        "b": [1.0, 2.0, 3.0],
        "b_in_domain": pd.array([True, False, None], dtype="boolean"),
        "in_domain": pd.array([True, False, False], dtype="boolean"),
    }
)
NAMES = {name: name for name in ROWS}


def ranking(by: str) -> Ranking:
    return Ranking(("a", "b"), by, {"a": "max", "b": "max"}, 3, "first", {})


def test_doubts_are_those_of_the_targets_that_decide_the_rank() -> None:
    assert doubts(ROWS, NAMES, ranking("desirability")) == [
        "",
        "outside the domain of b; undecided: a",
        "outside the domain of all targets; undecided: a",
    ]
    assert doubts(ROWS, NAMES, ranking("a")) == ["", "undecided: a", "outside the domain of a; undecided: a"]


def test_the_domain_is_that_of_what_ranks() -> None:
    assert within(ROWS, NAMES, ranking("a")).tolist() == [True, True, False]
    assert within(ROWS, NAMES, ranking("desirability")).tolist() == [True, False, False]


def test_a_model_of_one_domain_has_one_flag_and_one_without_rows_none() -> None:
    one = {name: name for name in ("a", "b", "in_domain")}
    assert flags(one, ranking("a")) == ["in_domain"]
    assert doubts(ROWS, one, ranking("desirability"))[1:] == ["outside the domain of the model"] * 2
    assert flags({"a": "a", "b": "b"}, ranking("a")) == []
    assert np.all(within(ROWS, {"a": "a"}, ranking("a")))
