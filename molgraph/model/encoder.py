"""The one plug interface: an `Encoder` turns a batch into features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Schema


@dataclass(frozen=True)
class Features:
    """Hold what an encoder makes of the U unique parts of a batch.

    Shapes: `values` [M, dim]; `offsets` int64 [U + 1], so part u owns the rows offsets[u] to
    offsets[u + 1] (its atoms, residues, hours), or None where M = U and nothing is left to pool;
    `index` int64 [B] from row to part, -1 where the row has none; `whole` [U, extra] what is known of a part
    as a whole (descriptors) and joins its features after pooling.
    """

    values: Tensor
    offsets: Tensor | None
    index: Tensor
    whole: Tensor | None = None


class Encoder(nn.Module):
    """Turn a batch with one input into features.

    A subclass takes `schema` (given by the data) as its only positional argument and everything that can
    be tuned as keyword-only arguments with defaults: its signature is its configuration schema.
    """

    family: ClassVar[str] = "network"

    shares: ClassVar[tuple[str, ...]] = ()
    """Settings that say what the data is and not how it is learnt: a method to beat takes them over."""

    needs: tuple[str, ...] = ()
    """Names of the features the room must prepare ("graph", "descriptors")."""

    space: ClassVar[dict[str, Any]] = {}
    """Search space: a list is choices, {"low":, "high":, "log":} a range."""

    pooling: ClassVar[str] = "mean"
    """How its features are pooled unless the user says otherwise."""

    pooled: ClassVar[bool] = False
    """Whether the features are those of whole parts, so that nothing is left to pool."""

    dense: ClassVar[bool] = False
    """Whether each of its features (a voxel, an hour) is estimated by itself, so that nothing is pooled."""

    at_once: ClassVar[int] = 256
    """How many rows are estimated together; fixed, so that the same rows give the same numbers."""

    dim: int
    """Width of the features."""

    extra: int = 0
    """Width of what joins after pooling (`Features.whole`)."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.schema = schema

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the features that the room must prepare for these settings; most encoders always need the same."""
        return cls.needs

    def adapt(self, train: Dataset) -> None:
        """Learn from the training rows what is no weight (scalers, degree histograms), into buffers."""

    def forward(self, batch: Batch) -> Features:
        raise NotImplementedError
