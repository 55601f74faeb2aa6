"""The room of patients, as the floors above see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd

from molgraph.data.fields import Fields
from molgraph.data.room import Noun, Room
from molgraph.errors import ConfigError
from molgraph.rooms.disease.draw import draw
from molgraph.rooms.disease.prepare import RECORD, named, prepare
from molgraph.rooms.disease.read import BELONGS, IDS, SUBGROUPS, read
from molgraph.rooms.disease.similarity import Nearest, alike, diverse


def _properties(keys: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    """Return no column: all that is known of a patient stands in the user's table."""
    if names:
        raise ConfigError(f"patients have no further properties, and '{names[0]}' is asked for.")
    return pd.DataFrame(index=range(len(keys)))


def with_fields(fields: Fields) -> Room:
    """Return the room of patients of whom these fields are known."""
    return replace(ROOM, prepare=partial(prepare, fields), fields=fields, called={RECORD: named(fields)})


ROOM = Room(
    name="disease",
    noun=Noun("patient", "patients"),
    columns=(),
    read=read,
    prepare=partial(prepare, Fields((), {})),
    identity=list,
    repeats=False,
    with_fields=with_fields,
    groupers={"patient": alike},
    default_group="patient",
    fingerprint=RECORD,
    index=Nearest,
    comparator="disease/forest",
    draw=draw,
    columns_of=_properties,
    properties=(),
    diverse=diverse,
    near=None,
    ids=IDS,
    belongs=BELONGS,
    subgroups=SUBGROUPS,
    task="auto",
)
