"""New names depend on the key and the old name alone."""

from __future__ import annotations

import os
import uuid
from datetime import datetime
from pathlib import Path

import pytest

from molgraph.errors import ConfigError, ResourceError
from molgraph.rooms.imaging.pseudonym import Pseudonyms, key_of

A, B = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32)


def test_names_follow_the_key():
    for make in (lambda p, x: p.patient(x), lambda p, x: p.uid(x), lambda p, x: p.file(x), lambda p, x: p.days(x)):
        assert make(A, "x") == make(A, "x")
        assert len({make(A, str(n)) for n in range(200)}) > 180
        assert make(A, "x") != make(B, "x")
    assert A.check != B.check
    assert A.patient("x")[2:] != A.file("x")[2:]


def test_a_uid_is_that_of_a_uuid():
    made = A.uid("1.2.3")
    assert made.startswith("2.25.") and len(made) <= 64
    assert uuid.UUID(int=int(made[5:])).variant == uuid.RFC_4122


def test_days_between_visits_stay_days_between_visits():
    first, second = (datetime.strptime(A.moved(day, "p"), "%Y%m%d") for day in ("20240210", "20240305"))
    assert (second - first).days == 24
    for patient in map(str, range(300)):
        assert 1 <= -A.days(patient).days <= 3650


@pytest.mark.parametrize("value", ["", "2024", "202402", "00000000", "00010101", "not a day", "20241301"])
def test_what_is_no_day_cannot_be_moved(value: str):
    assert A.moved(value, "p") == ""


def test_a_key_is_made_once_for_its_owner(tmp_path: Path):
    first, second = key_of(tmp_path / "key"), key_of(tmp_path / "key")
    assert first == second and len(first.key) == 32
    if os.name == "posix":
        assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert key_of(None) != key_of(None)


def test_a_key_that_can_be_guessed_is_refused(tmp_path: Path):
    (tmp_path / "key").write_bytes(b"secret")
    with pytest.raises(ConfigError, match="6 bytes"):
        key_of(tmp_path / "key")
    with pytest.raises(ResourceError):
        key_of(tmp_path / "no" / "folder" / "key")


@pytest.mark.parametrize(
    ("value", "right"),
    [
        *(
            ("20200115-", "{a}-"),
            ("-20200115", "-{a}"),
            ("20200115-20200120", "{a}-{b}"),
            ("20200115-0500", "{a}-0500"),
        ),
        *(("20200115101112.5+0100-20200120", "{a}101112.5+0100-{b}"), ("20200115 ", "{a}"), ("2020.01.15", "")),
        *(("20200115 Zeppelin", ""), ("20200115\\20200120", ""), ("20200115-2019", ""), ("2020011520200120", "")),
    ],
)
def test_every_date_of_a_value_is_moved_or_nothing_stays(value: str, right: str):
    names = Pseudonyms(b"0" * 32)
    a, b = names.moved("20200115", "x"), names.moved("20200120", "x")
    assert names.moved(value, "x") == right.format(a=a, b=b)
