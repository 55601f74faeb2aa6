"""Encoders of pictures: where they look can be shown."""

from __future__ import annotations

from torch import Tensor

from molgraph.data.packed import Packed
from molgraph.model.encoder import Encoder


class Spatial(Encoder):
    """Turn pictures into maps that still have a place, and those into vectors."""

    def pictures(self, parts: Packed) -> Tensor:
        """Return what is looked at, its rows end to end: [M, C, (Z,) Y, X]."""
        raise NotImplementedError

    def maps(self, pictures: Tensor) -> Tensor:
        """Return the last features that still have a place: [M, C, (Z,) Y, X] to [M, dim, (z,) y, x]."""
        raise NotImplementedError

    def vectors(self, maps: Tensor) -> Tensor:
        """Return one vector for each row: [M, dim, (z,) y, x] to [M, dim]."""
        raise NotImplementedError
