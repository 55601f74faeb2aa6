"""Texts to parts: what the room of binding makes of a column of poses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.endable import TooLong, why
from molgraph.data.packed import PART, Packed, Schema, pack
from molgraph.data.pool import in_processes
from molgraph.data.room import Prepared
from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.binding.features import COMPLEX, FEATURES, NONE, Featurised, featurise
from molgraph.rooms.binding.residues import KINDS
from molgraph.rooms.molecule.features import WHOLE
from molgraph.rooms.molecule.graphs import ATOM_CODES
from molgraph.rooms.molecule.prepare import joined
from molgraph.rooms.molecule.standardise import Refusal

CHUNK = 256  # poses that one process works on at a time
WORTH_STARTING = 1024  # poses, a few milliseconds each; a process takes about one second to start


def prepare(
    texts: Sequence[str], needs: Collection[str], *, standardise: bool | int = True, workers: int = 1
) -> Prepared:
    """Turn poses (see `pose.Pose`) into distinct parts with the features that are needed, or into a reason why not.

    A key is the text with the ligand's canonical SMILES. The ligand is always neutralised and hydrogens are left out,
    so `standardise` changes nothing. The result is the same to the byte for any number of `workers`.

    Raises: ConfigError for an unknown feature; ResourceError where a worker dies.
    """
    for name in needs:
        if name not in FEATURES:
            raise ConfigError(f"poses have no feature '{name}'{did_you_mean(name, FEATURES)}")
    wanted = tuple(name for name in FEATURES if name in needs)
    distinct = list(dict.fromkeys(texts))
    chunks = [distinct[i : i + CHUNK] for i in range(0, len(distinct), CHUNK)] or [[]]
    work = partial(featurise, needs=wanted)
    many = workers if len(distinct) >= WORTH_STARTING else 1
    made = chain.from_iterable(in_processes(work, chunks, many, _refused))
    return joined(texts, ((chunk, done, _packed(done, wanted)) for chunk, done in made))


def _refused(error: TooLong) -> Featurised:
    """Return what stands for a pose that was given up."""
    return replace(featurise([], ()), index=np.array([NONE], dtype=np.int64), refused={0: Refusal(*why(error))})


def _packed(done: Featurised, wanted: tuple[str, ...]) -> Packed:
    fields = {name: (PART, torch.from_numpy(rows)) for name, rows in done.whole.items()}
    lengths: dict[str, torch.Tensor] = {}
    schema: Schema = {name: WHOLE[name][1] for name in done.whole}
    if COMPLEX in wanted:
        made = done.complexes
        fields["atom"] = "atom", _cat([c.atom for c in made], (0, len(ATOM_CODES) + 1), torch.uint8)
        fields["xyz"] = "atom", _cat([c.xyz for c in made], (0, 3), torch.float32)
        fields["near"] = "atom", _cat([c.near for c in made], (0,), torch.float32)
        fields["ends"] = "bond", _cat([c.ends for c in made], (0, 2), torch.int32)
        lengths = {
            "atom": torch.tensor([len(c.atom) for c in made], dtype=torch.int64),
            "bond": torch.tensor([len(c.ends) for c in made], dtype=torch.int64),
        }
        schema |= {"atom": [*ATOM_CODES, KINDS]}
    return pack(fields, lengths, schema, len(done.keys))


def _cat(arrays: Sequence[NDArray[Any]], empty: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(arrays)) if arrays else torch.empty(empty, dtype=dtype)
