"""What the model knows: its training parts, the nearest one to a query, and whether that is near enough."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset
from molgraph.data.files import atomic
from molgraph.data.packed import PART, Packed, pack
from molgraph.data.room import Index, Room
from molgraph.data.stream import read_errors
from molgraph.errors import CheckpointError

QUANTILE = 0.05  # a query is in the domain when it is as near as 95 % of the training parts are to each other


@dataclass(frozen=True)
class Domain:
    """Hold the training parts' fingerprints, keys, the user's ids and the measured values.

    Shapes: `prints` uint8 [M, W]; `values` float32 [M, T], NaN where not measured. `threshold` is the similarity
    from which a query counts as inside: the 5 % quantile of the training parts' similarity to their nearest other.
    """

    room: Room
    prints: NDArray[np.uint8]
    keys: tuple[str, ...]
    ids: tuple[str, ...]
    values: NDArray[np.float32]
    threshold: float

    @classmethod
    def learn(cls, room: Room, train: Dataset) -> Domain:
        """Learn the domain from the training rows."""
        (given,) = train.inputs.values()
        used, first = np.unique(given.index.numpy(), return_index=True)
        parts = given.parts.gather(torch.from_numpy(used)).only([room.fingerprint])
        values = torch.where(train.targets.observed, train.targets.values, torch.nan).numpy()[first]
        near = room.index(parts).leave_one_out() if len(used) > 1 else np.zeros(1)
        return cls(
            room,
            parts.values[room.fingerprint].numpy(),
            tuple(given.keys[i] for i in used),
            tuple(train.ids[i] for i in first),
            values,
            float(np.quantile(near, QUANTILE)),
        )

    @cached_property
    def index(self) -> Index:
        prints = torch.from_numpy(self.prints)
        name = self.room.fingerprint
        return self.room.index(pack({name: (PART, prints)}, {}, {}, len(prints)))

    def nearest(self, parts: Packed) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the nearest training part of each part, and the similarity."""
        return self.index.nearest(parts)

    def save(self, path: Path) -> None:
        """Write the domain to one `.npz` without pickled objects."""
        with atomic(path) as file:
            np.savez_compressed(
                file,
                prints=self.prints,
                keys=np.array(self.keys, dtype=np.str_),
                ids=np.array(self.ids, dtype=np.str_),
                values=self.values,
                threshold=np.float64(self.threshold),
            )

    @classmethod
    def load(cls, room: Room, path: Path) -> Domain:
        """Read what `save` wrote.

        Raises: CheckpointError where the file is damaged.
        """
        with read_errors(str(path)):
            content = io.BytesIO(path.read_bytes())
        try:
            with np.load(content, allow_pickle=False) as file:
                found = {k: file[k] for k in ("prints", "keys", "ids", "values", "threshold")}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise CheckpointError(f"{path}: the domain file is damaged. Copy the folder again, or train.") from error
        return cls(
            room,
            found["prints"],
            tuple(found["keys"].tolist()),
            tuple(found["ids"].tolist()),
            found["values"],
            float(found["threshold"]),
        )
