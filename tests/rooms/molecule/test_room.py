"""The room of molecules, as the floors above use it."""

from __future__ import annotations

import numpy as np

from molgraph import registry
from molgraph.data.cells import Cells
from molgraph.rooms.molecule.room import ROOM


def test_the_registry_knows_the_room() -> None:
    assert registry.room("molecule/dmpnn") is ROOM
    assert ROOM.likeness.default_group in ROOM.likeness.groupers
    assert ROOM.rivals.comparator in registry.models()


def test_one_way_through_the_room() -> None:
    texts = ["OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1C(=O)[O-].[Na+]", "nonsense", "CCO", "OCC"]
    (table,) = ROOM.reading.read(texts)
    prepared = ROOM.reading.prepare(Cells.of(table.frame[table.column].tolist()), (ROOM.likeness.fingerprint,))
    assert prepared.index.tolist() == [0, 0, -1, 1, 1] and list(prepared.rejects) == [2]
    assert len(set(ROOM.likeness.identity(prepared.keys))) == 2
    for group in ROOM.likeness.groupers.values():
        assert group(prepared.keys).tolist() == [0, 1]
    position, similarity = ROOM.likeness.index(prepared.parts).nearest(prepared.parts)
    np.testing.assert_array_equal(position, [0, 1])
    np.testing.assert_array_equal(similarity, [1, 1])
    assert ROOM.likeness.diverse(prepared.parts, 2) == [0, 1]
    assert ROOM.face.columns_of(prepared.keys, ROOM.face.properties).notna().all().all()
    assert ROOM.face.draw(prepared.keys[0]).startswith("<svg")
