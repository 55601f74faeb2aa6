"""Future values of a row: found in records over time, near enough to the time asked for, or at the next visits."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from molgraph.data.records import Records, Timeline
from molgraph.data.table import Table, read_tables
from molgraph.errors import ConfigError, DataError
from molgraph.predictor.curves import Horizons

VISITS = pd.DataFrame(
    {
        "who": ["a"] * 6 + ["b"],
        "t": ["0", "1.1", "2", "2.4", "4", "4", "9"],
        "y": ["10", "11", "", "12", "14", "15", "90"],
    }
)


def table(frame: pd.DataFrame) -> Table:
    (found,) = read_tables(frame)
    return found


SEEN = Records.of(Timeline("who", "visits.csv", "t", at="at"), table(VISITS)).seen_by(
    table(pd.DataFrame({"who": ["a", "a", "b", "c", "a"], "at": ["0", "2", "9", "0", ""]}))
)


def test_the_nearest_known_value_within_reach() -> None:
    made = Horizons.of("y", {"ahead": [2, 1], "within": 0.5})
    assert made.targets == ("y+1", "y+2") and made.near == 0.5
    assert made.added(SEEN) == {"y+1": ["11", "", "", "", ""], "y+2": ["12", "14", "", "", ""]}


def test_half_a_step_is_near_enough_where_nobody_says() -> None:
    assert Horizons.of("y", {"ahead": [0.5, 2]}).near == 0.25
    assert Horizons.of("y", {"ahead": [3]}).near == 1.5


def test_the_next_visits_are_those_of_other_times() -> None:
    made = Horizons.of("y", {"visits": [1, 2, 4]})
    assert made.targets == ("y+1visit", "y+2visits", "y+4visits")
    assert made.added(SEEN) == {  # at 0: 1.1, 2 (unknown), 2.4, 4; at 2: 2.4, 4
        "y+1visit": ["11", "12", "", "", ""],
        "y+2visits": ["", "14", "", "", ""],
        "y+4visits": ["14", "", "", "", ""],
    }


def test_columns_are_targets_as_they_are() -> None:
    assert Horizons.of("y", {"columns": ["y_1", "y_2"]}).targets == ("y_1", "y_2")


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({}, "say one of columns"),
        ({"columns": ["a"], "ahead": [1]}, "say one of columns"),
        ({"ahaed": [1]}, r"unknown key 'curves.y.ahaed'; did you mean 'ahead'"),
        ({"ahead": [0]}, r"curves.y.ahead: 0 is none; numbers are above 0"),
        ({"visits": [1.5]}, r"curves.y.visits: 1.5 is none"),
        ({"ahead": [1], "within": -1}, r"curves.y.within = -1"),
    ],
)
def test_what_is_no_curve_is_refused(section: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Horizons.of("y", section)


def test_a_quantity_that_is_not_there() -> None:
    with pytest.raises(DataError, match="no column 'x' of a curve"):
        Horizons.of("x", {"ahead": [1]}).added(SEEN)
