import numpy as np
import pytest

from molgraph.data.packed import pack
from molgraph.data.room import Likeness, Noun, OfTexts, Prepared, Reading, Room, in_words, no_properties
from molgraph.data.table import read_tables
from molgraph.errors import ConfigError


def nothing(texts, needs, *, standardise=True, workers=1):
    return Prepared(pack({}, {}, {}, 0), np.zeros(0, dtype=np.int64), (), {})


BARE = Room("bare", Noun("thing", "things"), Reading(read_tables, OfTexts(nothing)))


def test_a_room_that_only_reads_says_nothing_else():
    assert BARE.likeness.identity(["a", "b", "a"]) == ["a", "b", "a"]
    assert BARE.likeness.features == () and BARE.likeness.default_group == "random"
    assert BARE.rivals.comparator == "" and BARE.face.properties == ()
    assert len(BARE.face.columns_of(["a", "b"], ())) == 2


def test_an_index_that_is_not_there_is_refused_by_name():
    with pytest.raises(ConfigError, match="does not say which parts are alike"):
        Likeness().indexed(pack({}, {}, {}, 0))
    with pytest.raises(ConfigError, match="'mass' is asked for"):
        no_properties(["a"], ["mass"])


def test_a_key_without_a_picture_is_written_out_and_is_no_markup():
    made = in_words("<script>" * 40, width=140)
    assert made.startswith("<svg") and "<script>" not in made and "..." in made
