"""A model: encoder, pooling, head and task."""

from __future__ import annotations

from torch import Tensor, cat, nn

from molgraph.data.dataset import Batch
from molgraph.errors import DataError
from molgraph.model.encoder import Encoder
from molgraph.nn.feedforward import FeedForward
from molgraph.nn.pool import Pool
from molgraph.task import Task


class Readout(nn.Module):
    """Encode the unique parts of a batch, pool them, and give each row its part.

    Shapes: a batch of B rows to [B, dim].

    Raises: DataError where a row has no input.
    """

    def __init__(self, encoder: Encoder, pooling: str) -> None:
        super().__init__()
        self.encoder = encoder
        self.pool = Pool("none" if encoder.pooled else pooling, encoder.dim)
        self.dim = encoder.dim + encoder.extra

    def forward(self, batch: Batch) -> Tensor:
        features = self.encoder(batch)
        absent = features.index < 0
        if bool(absent.any()):
            row = int(absent.nonzero()[0, 0])
            raise DataError(f"row {row} of the batch has no input; leave out rows whose input was rejected.")
        parts = self.pool(features.values, features.offsets)
        if features.whole is not None:
            parts = cat([parts, features.whole.to(parts.dtype)], 1)
        rows: Tensor = parts.index_select(0, features.index)
        return rows


class Model(nn.Module):
    """Turn a batch into raw outputs [B, task.outputs], which the task reads as a loss or as estimates."""

    def __init__(
        self,
        encoder: Encoder,
        task: Task,
        *,
        pooling: str = "mean",
        depth: int = 1,
        hidden: int = 300,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.task = task
        self.readout = Readout(encoder, pooling)
        self.head = FeedForward(self.readout.dim, task.outputs, depth=depth, hidden=hidden, dropout=dropout)

    @property
    def encoder(self) -> Encoder:
        return self.readout.encoder

    def forward(self, batch: Batch) -> Tensor:
        raw: Tensor = self.head(self.readout(batch))
        return raw
