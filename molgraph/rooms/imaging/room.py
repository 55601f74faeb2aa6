"""The room of imaging, as the floors above see it."""

from __future__ import annotations

from molgraph.data.room import Face, Likeness, Noun, OfTexts, Reading, Rivals, Room
from molgraph.rooms.imaging.draw import draw
from molgraph.rooms.imaging.groups import owners, picture
from molgraph.rooms.imaging.identity import identity, pictures
from molgraph.rooms.imaging.overlay import show
from molgraph.rooms.imaging.prepare import prepare
from molgraph.rooms.imaging.properties import PROPERTIES, properties
from molgraph.rooms.imaging.read import BELONGS, COLUMNS, SUBGROUPS, read
from molgraph.rooms.imaging.similarity import THUMBNAIL, Nearest, diverse

ROOM = Room(
    name="imaging",
    noun=Noun("scan", "scans"),
    reading=Reading(
        read,
        OfTexts(prepare),
        columns=COLUMNS,
        belongs=BELONGS,
        owners=owners,
        subgroups=SUBGROUPS,
        task="auto",
    ),
    likeness=Likeness(
        identity,
        holds={"picture": pictures},
        groupers={"patient": picture},
        default_group="patient",
        fingerprint=THUMBNAIL,
        index=Nearest,
        near=0.98,  # a copy, recompressed or lightened, has above 0.99; X-rays of two people at 28 pixels up to 0.97
        diverse=diverse,
    ),
    face=Face(draw, columns_of=properties, properties=tuple(PROPERTIES), show=show),
    rivals=Rivals(comparator="imaging/forest"),
)
