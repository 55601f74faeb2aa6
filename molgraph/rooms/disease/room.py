"""The room of patients, as the floors above see it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from molgraph.data.fields import Fields
from molgraph.data.room import Face, Likeness, Noun, Reading, Rivals, Room
from molgraph.rooms.disease.draw import draw
from molgraph.rooms.disease.prepare import RECORD, latest, named, prepare
from molgraph.rooms.disease.read import BELONGS, IDS, SUBGROUPS, read
from molgraph.rooms.disease.similarity import Nearest, alike, beyond, diverse


def with_fields(fields: Fields) -> Room:
    """Return the room of patients of whom these fields are known."""
    known = replace(ROOM.reading, prepare=partial(prepare, fields), fields=fields, called={RECORD: named(fields)})
    near = replace(ROOM.likeness, beyond=partial(beyond, fields))
    return replace(ROOM, reading=known, likeness=near, rivals=replace(ROOM.rivals, latest=partial(latest, fields)))


ROOM = Room(
    name="disease",
    noun=Noun("patient", "patients"),
    reading=Reading(
        read,
        partial(prepare, Fields((), {})),
        with_fields=with_fields,
        ids=IDS,
        belongs=BELONGS,
        subgroups=SUBGROUPS,
        task="auto",
    ),
    likeness=Likeness(
        repeats=False,
        groupers={"patient": alike},
        default_group="patient",
        fingerprint=RECORD,
        index=Nearest,
        diverse=diverse,
    ),
    face=Face(draw),
    rivals=Rivals(comparator="disease/forest"),
)
