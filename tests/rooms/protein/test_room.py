"""The room of proteins, as the floors above use it."""

from __future__ import annotations

import numpy as np

from molgraph import registry
from molgraph.data.cells import Cells
from molgraph.rooms.protein.room import ROOM

FIRST, SECOND = "MKTAYIAKQRQISFVKSHFSRQ", "GIVEQCCTSICSLYQLENYCN"


def test_the_registry_knows_the_room() -> None:
    assert registry.room("protein/cnn") is ROOM
    assert ROOM.default_group in ROOM.groupers
    assert ROOM.comparator in registry.models()


def test_one_way_through_the_room() -> None:
    (table,) = ROOM.read([FIRST, FIRST.lower() + "*", "12", SECOND])
    prepared = ROOM.prepare(Cells.of(table.texts), (ROOM.fingerprint,))
    assert prepared.index.tolist() == [0, 0, -1, 1] and list(prepared.rejects) == [2]
    assert ROOM.identity(prepared.keys) == [FIRST, SECOND]
    for group in ROOM.groupers.values():
        assert group(prepared.keys).tolist() == [0, 1]
    position, similarity = ROOM.index(prepared.parts).nearest(prepared.parts)
    np.testing.assert_array_equal(position, [0, 1])
    np.testing.assert_array_equal(similarity, [1, 1])
    np.testing.assert_array_equal(ROOM.index(prepared.parts).similarity(prepared.parts), np.eye(2))
    assert ROOM.diverse(prepared.parts, 2) == [0, 1]
    assert ROOM.columns_of(prepared.keys, ROOM.properties).notna().all().all()
    assert ROOM.draw(prepared.keys[0]).startswith("<svg")
