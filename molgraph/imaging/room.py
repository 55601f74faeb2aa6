"""The room of imaging, as the floors above see it."""

from __future__ import annotations

from molgraph.data.room import Noun, OfTexts, Room
from molgraph.imaging.draw import draw
from molgraph.imaging.groups import owners, picture
from molgraph.imaging.identity import identity, pictures
from molgraph.imaging.overlay import show
from molgraph.imaging.prepare import prepare
from molgraph.imaging.properties import PROPERTIES, properties
from molgraph.imaging.read import BELONGS, COLUMNS, SUBGROUPS, read
from molgraph.imaging.similarity import THUMBNAIL, Nearest, diverse

ROOM = Room(
    name="imaging",
    noun=Noun("scan", "scans"),
    columns=COLUMNS,
    read=read,
    prepare=OfTexts(prepare),
    identity=identity,
    groupers={"patient": picture},
    default_group="patient",
    fingerprint=THUMBNAIL,
    index=Nearest,
    comparator="imaging/forest",
    draw=draw,
    columns_of=properties,
    properties=tuple(PROPERTIES),
    diverse=diverse,
    near=0.98,  # a copy, recompressed or lightened, has above 0.99; X-rays of two people at 28 pixels up to 0.97
    belongs=BELONGS,
    owners=owners,
    holds={"picture": pictures},
    subgroups=SUBGROUPS,
    task="auto",
    show=show,
)
