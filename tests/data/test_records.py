"""Records over time: whose they are, in which order they were known, and what a row may see of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from molgraph.data.records import NOBODY, Records, Timeline
from molgraph.data.table import Table, read_tables
from molgraph.errors import ConfigError, DataError

VISITS = pd.DataFrame(
    {
        "who": ["b", "a", "a", "a", "b", "a", "", "a", "a"],
        "when": ["5", "3", "1", "2", "4", "", "1", "never", "1"],
        "seen": ["5", "9", "1", "0", "4", "", "1", "", "1"],
        "x": ["50", "30", "10", "20", "40", "0", "0", "0", "10"],
    }
)


def table(frame: pd.DataFrame) -> Table:
    (found,) = read_tables(frame)
    return found


def records(**said: str) -> Records:
    return Records.of(Timeline("who", "visits.csv", "when", **said), table(VISITS))


def test_they_are_packed_thing_by_thing_in_the_order_of_time() -> None:
    made = records()
    assert dict(made.number) == {"b": 0, "a": 1} and made.offsets.tolist() == [0, 2, 5]
    assert made.frame["x"].tolist() == ["40", "50", "10", "20", "30"]
    assert made.rows.tolist() == [5, 1, 3, 4, 2]


def test_what_has_no_time_no_owner_or_stands_twice_is_left_out_and_said() -> None:
    made = records()
    assert made.notes == ("the table given: 4 records were left out, the first in row 6: 'when' is blank.",)
    assert made.faults == {"a": "row 6 of the table given was left out: 'when' is blank"}


def test_a_row_sees_what_was_known_by_its_moment() -> None:
    rows = table(pd.DataFrame({"who": ["a", "a", "b", "c", "a", "", "a"], "at": ["2", "0.5", "5", "1", "99", "1", ""]}))
    seen = records(at="at").seen_by(rows)
    assert [seen.records.frame["x"].tolist()[slice(*span)] for span in seen.spans.tolist()] == [
        ["10", "20"],
        [],
        ["40", "50"],
        [],
        ["10", "20", "30"],
        [],
        [],
    ]
    assert seen.lost == {5: "'who' is blank", 6: "'at' is blank"}
    assert seen.whose[3] == NOBODY and seen.nothing(3) == "no record of who 'c' in the table given"
    assert seen.nothing(1) == "no record of who 'a' was known by 0.5"


def test_results_that_come_late_are_seen_late_and_none_before_it_is_true() -> None:
    rows = table(pd.DataFrame({"who": ["a", "a", "a"], "at": ["1", "2", "9"]}))
    seen = records(at="at", known_at="seen").seen_by(rows)
    sights = [seen.records.frame["x"].tolist()[slice(*span)] for span in seen.spans.tolist()]
    assert sights == [["10"], ["10", "20"], ["10", "20", "30"]]  # that of time 2 was not known at 0, that of 3 at 9


def test_without_a_moment_a_row_sees_all_until_the_last() -> None:
    seen = records().seen_by(table(pd.DataFrame({"who": ["a", "c"]})))
    assert seen.spans.tolist() == [[0, 3], [0, 0]] and seen.until[0] == 3 and np.isnan(seen.until[1])


def test_the_columns_of_time_are_found_by_their_usual_names() -> None:
    visits, rows = table(VISITS.rename(columns={"when": "Visit_Date"})), table(pd.DataFrame({"who": ["a"]}))
    made = Timeline("who", "visits.csv").settled(visits, rows)
    assert (made.time, made.at, made.dates) == ("Visit_Date", "", False)
    same = table(pd.DataFrame({"who": ["a"], "Visit_Date": ["4"]}))
    assert Timeline("who", "visits.csv").settled(visits, same).at == "Visit_Date"
    assert Timeline("who").settled(visits, visits).at == "Visit_Date"
    with pytest.raises(DataError, match="no column is called time or alike; name it: --time COL"):
        Timeline("who", "visits.csv").settled(table(VISITS), rows)
    with pytest.raises(DataError, match="no column 'whom'; did you mean 'who'"):
        Timeline("whom", "visits.csv", "when").settled(table(VISITS), rows)


def test_a_section_is_checked() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'records.tme'; did you mean 'time'"):
        Timeline.of({"by": "who", "tme": "x"})
    with pytest.raises(ConfigError, match="nothing says whose the visits are: --inputs"):
        Timeline.of({"at": "when"})
    with pytest.raises(ConfigError, match=r"records.dates = 'yes' has the wrong type"):
        Timeline.of({"by": "who", "dates": "yes"})
    assert Timeline.of(Timeline("who", dates=True).to_toml()) == Timeline("who", dates=True)
