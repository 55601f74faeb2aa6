"""The room of molecules in pockets, as the floors above see it."""

from __future__ import annotations

from collections.abc import Mapping

from molgraph.data.room import Face, Likeness, Noun, OfTexts, Reading, Rivals, Room
from molgraph.rooms.binding.groups import family, identity, ligand_of, scaffold
from molgraph.rooms.binding.prepare import prepare
from molgraph.rooms.binding.properties import PROPERTIES, properties
from molgraph.rooms.binding.read import COLUMNS, read
from molgraph.rooms.molecule.room import ROOM as MOLECULES


def draw(key: str, *, width: int = 240, height: int = 160, highlight: Mapping[int, float] | None = None) -> str:
    """Draw the ligand of a pose; atoms are numbered as in the pose's features."""
    picture: str = MOLECULES.face.draw(ligand_of(key), width=width, height=height, highlight=highlight)
    return picture


ROOM = Room(
    name="binding",
    noun=Noun("complex", "complexes"),
    reading=Reading(read, OfTexts(prepare), columns=COLUMNS, beside=("protein",)),
    likeness=Likeness(
        identity,
        groupers={"family": family, "scaffold": scaffold},
        default_group="family",
        fingerprint=MOLECULES.likeness.fingerprint,  # of the ligand: near is a similar ligand, in whatever protein
        index=MOLECULES.likeness.index,
        diverse=MOLECULES.likeness.diverse,
        near=None,  # the same ligand in another protein is another measurement
    ),
    face=Face(draw, columns_of=properties, properties=PROPERTIES),
    rivals=Rivals(comparator="binding/forest"),
)
