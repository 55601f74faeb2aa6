"""The room of proteins, as the floors above see it."""

from __future__ import annotations

from functools import partial

from molgraph.data.nearest import Nearest, diverse
from molgraph.data.room import Room
from molgraph.protein.draw import draw
from molgraph.protein.groups import family
from molgraph.protein.identity import identity
from molgraph.protein.prepare import KMERS, prepare
from molgraph.protein.properties import PROPERTIES, properties
from molgraph.protein.read import COLUMNS, read

ROOM = Room(
    name="protein",
    columns=COLUMNS,
    read=read,
    prepare=prepare,
    identity=identity,
    groupers={"family": family},
    default_group="family",
    fingerprint=KMERS,
    index=partial(Nearest, feature=KMERS),
    comparator="protein/forest",
    draw=draw,
    columns_of=properties,
    properties=tuple(PROPERTIES),
    diverse=partial(diverse, feature=KMERS),
)
