"""The room of molecules, as the floors above see it."""

from __future__ import annotations

from molgraph.data.room import Face, Likeness, Noun, OfTexts, Reading, Rivals, Room
from molgraph.rooms.molecule.classical import CLASSICAL
from molgraph.rooms.molecule.draw import draw, picture
from molgraph.rooms.molecule.elements import elements
from molgraph.rooms.molecule.groups import cluster, scaffold
from molgraph.rooms.molecule.identity import identity
from molgraph.rooms.molecule.prepare import prepare
from molgraph.rooms.molecule.properties import PROPERTIES, properties
from molgraph.rooms.molecule.read import COLUMNS, read
from molgraph.rooms.molecule.similarity import FEATURE, Nearest, diverse

ROOM = Room(
    name="molecule",
    noun=Noun("molecule", "molecules"),
    reading=Reading(
        read,
        OfTexts(prepare),
        columns=COLUMNS,
        ids=("drug_id", "drug_name", "molecule_id", "compound_id", "ligand_id", "molecule_chembl_id", "cid", "name"),
    ),
    likeness=Likeness(
        identity,
        made_of=elements,
        groupers={"scaffold": scaffold, "cluster": cluster},
        default_group="scaffold",
        fingerprint=FEATURE,
        index=Nearest,
        near=0.95,
        diverse=diverse,
    ),
    face=Face(
        draw,
        picture,
        written="smiles",
        columns_of=properties,
        properties=tuple(PROPERTIES),
        alerts=("pains", "brenk"),
    ),
    rivals=Rivals(comparator="molecule/forest", descriptors=CLASSICAL),
)
