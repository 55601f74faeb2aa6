"""The room of molecules, as the floors above see it."""

from __future__ import annotations

from molgraph.data.room import Noun, OfTexts, Room
from molgraph.molecule.classical import CLASSICAL
from molgraph.molecule.draw import draw, picture
from molgraph.molecule.elements import elements
from molgraph.molecule.groups import cluster, scaffold
from molgraph.molecule.identity import identity
from molgraph.molecule.prepare import prepare
from molgraph.molecule.properties import PROPERTIES, properties
from molgraph.molecule.read import COLUMNS, read
from molgraph.molecule.similarity import FEATURE, Nearest, diverse

ROOM = Room(
    name="molecule",
    noun=Noun("molecule", "molecules"),
    columns=COLUMNS,
    read=read,
    prepare=OfTexts(prepare),
    identity=identity,
    groupers={"scaffold": scaffold, "cluster": cluster},
    default_group="scaffold",
    fingerprint=FEATURE,
    index=Nearest,
    comparator="molecule/forest",
    draw=draw,
    picture=picture,
    columns_of=properties,
    properties=tuple(PROPERTIES),
    diverse=diverse,
    made_of=elements,
    written="smiles",
    descriptors=CLASSICAL,
    alerts=("pains", "brenk"),
    ids=("drug_id", "drug_name", "molecule_id", "compound_id", "ligand_id", "molecule_chembl_id", "cid", "name"),
)
