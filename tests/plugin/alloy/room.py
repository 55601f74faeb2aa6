"""The room of alloys: a text such as "Fe0.7 Ni0.3" becomes the share of each element."""

import re
from dataclasses import replace

import numpy as np
import torch

from molgraph.data.packed import PART, pack
from molgraph.data.room import Noun, OfTexts, Prepared, Reading, Room
from molgraph.data.table import BLOCK, find_column, read_tables
from molgraph.errors import Reject

ELEMENTS = ("Fe", "Ni", "Cr", "Mo", "Mn", "C")
SHARE = re.compile(r"([A-Z][a-z]?)([0-9.]+)")


def read(source, column=None, *, block=BLOCK):
    for table in read_tables(source, block=block):
        yield replace(table, column=find_column(list(table.frame.columns), column, ("alloy",), table.origin))


def shares(text):
    found = dict.fromkeys(ELEMENTS, 0.0)
    for name, share in SHARE.findall(text):
        found[name] = float(share)
    return tuple(found.values()) if len(found) == len(ELEMENTS) and any(found.values()) else None


def prepare(texts, needs, *, standardise=True, workers=1):
    made = [shares(text) for text in texts]
    distinct = list(dict.fromkeys(each for each in made if each is not None))
    bad = {at: Reject(at + 1, texts[at], "invalid_alloy", "no alloy") for at, each in enumerate(made) if each is None}
    table = torch.tensor(distinct, dtype=torch.float32).reshape(-1, len(ELEMENTS))
    parts = pack({"shares": (PART, table)}, {}, {"shares": [len(ELEMENTS)]}, len(distinct))
    index = np.array([-1 if each is None else distinct.index(each) for each in made], dtype=np.int64)
    keys = (" ".join(f"{e}{s:g}" for e, s in zip(ELEMENTS, each, strict=True) if s) for each in distinct)
    return Prepared(parts, index, tuple(keys), bad)


ROOM = Room("alloy", Noun("alloy", "alloys"), Reading(read, OfTexts(prepare), columns=("alloy",)))
