"""The room of proteins, as the floors above use it."""

from __future__ import annotations

import numpy as np

from molgraph import registry
from molgraph.data.cells import Cells
from molgraph.rooms.protein.room import ROOM

FIRST, SECOND = "MKTAYIAKQRQISFVKSHFSRQ", "GIVEQCCTSICSLYQLENYCN"


def test_the_registry_knows_the_room() -> None:
    assert registry.room("protein/cnn") is ROOM
    assert ROOM.likeness.default_group in ROOM.likeness.groupers
    assert ROOM.rivals.comparator in registry.models()


def test_one_way_through_the_room() -> None:
    (table,) = ROOM.reading.read([FIRST, FIRST.lower() + "*", "12", SECOND])
    prepared = ROOM.reading.prepare(Cells.of(table.texts), (ROOM.likeness.fingerprint,))
    assert prepared.index.tolist() == [0, 0, -1, 1] and list(prepared.rejects) == [2]
    assert ROOM.likeness.identity(prepared.keys) == [FIRST, SECOND]
    for group in ROOM.likeness.groupers.values():
        assert group(prepared.keys).tolist() == [0, 1]
    position, similarity = ROOM.likeness.index(prepared.parts).nearest(prepared.parts)
    np.testing.assert_array_equal(position, [0, 1])
    np.testing.assert_array_equal(similarity, [1, 1])
    np.testing.assert_array_equal(ROOM.likeness.index(prepared.parts).similarity(prepared.parts), np.eye(2))
    assert ROOM.likeness.diverse(prepared.parts, 2) == [0, 1]
    assert ROOM.face.columns_of(prepared.keys, ROOM.face.properties).notna().all().all()
    assert ROOM.face.draw(prepared.keys[0]).startswith("<svg")
