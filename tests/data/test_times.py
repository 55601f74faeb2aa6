"""Moments are numbers or dates, told by their column, and never guessed one by one."""

from __future__ import annotations

import math

import pytest

from molgraph.data.times import are_dates, moment_text, moments
from molgraph.errors import DataError


def test_numbers_stay_what_they_are() -> None:
    found, bad = moments(["6.5", "", "NA", "-3", "1e3", "soon", "inf"], dates=False)
    assert [found[0], found[3], found[4]] == [6.5, -3.0, 1000.0]
    assert all(math.isnan(found[at]) for at in (1, 2, 5, 6))
    assert bad == {5: "'soon' is not a number", 6: "'inf' is not a number"}


def test_dates_count_in_days_and_zones_are_heeded() -> None:
    texts = [
        "1970-01-02",
        "1970-01-02T12:00",
        "1970-01-02 14:00+02:00",
        "1970-01-02T12:00:00Z",
        "31/01/2024",
        "20240131",
    ]
    found, bad = moments(texts, dates=True)
    assert found[:4].tolist() == [1.0, 1.5, 1.5, 1.5]
    assert list(bad) == [4, 5] and "is not a date as in 2024-01-31" in bad[4]


def test_the_column_tells_which() -> None:
    assert not are_dates(["1999", "2000", ""], "t") and are_dates(["1999-05-01", "?", "2000-01-01"], "t")
    with pytest.raises(DataError, match="t holds no time, first 'soon'"):
        are_dates(["", "soon"], "t")


def test_they_are_written_as_they_were() -> None:
    for text in ("2024-01-31", "1969-12-31", "2024-01-31 14:05:00"):
        assert moment_text(moments([text], dates=True)[0][0], dates=True) == text
