"""The room of proteins, as the floors above see it."""

from __future__ import annotations

from molgraph.data.room import NO_COLUMN, Face, Likeness, Noun, OfTexts, Reading, Rivals, Room
from molgraph.rooms.protein.draw import draw
from molgraph.rooms.protein.groups import THRESHOLD, family
from molgraph.rooms.protein.identity import identity
from molgraph.rooms.protein.prepare import EMBEDDING, KMERS, prepare
from molgraph.rooms.protein.properties import PROPERTIES, properties
from molgraph.rooms.protein.read import COLUMNS, read
from molgraph.rooms.protein.residues import NAME
from molgraph.rooms.protein.similarity import Nearest, diverse
from molgraph.rooms.protein.vectors import UNFILED

# What is reported of affinities of drugs and targets. See: Öztürk 2018, doi 10.1093/bioinformatics/bty593
AFFINITY = ("mse", "ci", "rm2", "pearson", "spearman", "rmse")

ROOM = Room(
    name="protein",
    noun=Noun("protein", "proteins"),
    reading=Reading(
        read,
        OfTexts(prepare),
        columns=COLUMNS,
        ids=("target_id", "target_name", "target", "gene", "uniprot", "uniprot_id", "protein_id", "protein_name", "id"),
        tells=(EMBEDDING,),
        remedies={
            NO_COLUMN: "--protein X (a file, or a sequence), or ",
            NAME: "give a column of sequences; --join targets.fasta:{column} adds one, called sequence",
            UNFILED: "where cells name proteins, say which file holds their vectors: --set {section}.file=vectors.npz",
        },
        hit=True,
    ),
    likeness=Likeness(
        identity,
        groupers={"family": family},
        default_group="family",
        fingerprint=KMERS,
        index=Nearest,
        near=0.95,
        related=THRESHOLD,
        diverse=diverse,
    ),
    face=Face(draw, columns_of=properties, properties=tuple(PROPERTIES)),
    rivals=Rivals(comparator="protein/forest", metrics=AFFINITY),
)
