"""A model: encoder, pooling, head and task."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from molgraph.data.dataset import Batch
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.kinds import Kind
from molgraph.model.encoder import Encoder
from molgraph.model.headed import Headed
from molgraph.model.learner import Loss, exactly


class Model(Headed):
    """Turn a batch into raw outputs (see `Headed`), which the task reads as a loss or as estimates."""

    called: ClassVar[str] = "a model that predicts voxels"

    def __init__(
        self,
        encoder: Encoder,
        task: Kind,
        *,
        pooling: str = "auto",
        depth: int = 1,
        hidden: int = 300,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(encoder, task.outputs, pooling=pooling, depth=depth, hidden=hidden, dropout=dropout)
        self.task = task

    def losses(self, batch: Batch) -> Loss:
        raw = self(batch)
        with exactly(raw):
            return Loss.of(*self.task.loss(raw, batch.targets), exact=not self.training)

    def estimates(self, batch: Batch) -> Tensor:
        """Return estimates as the task means them, [B, len(task.columns)]."""
        raw = self(batch)
        with exactly(raw):
            return self.task.predict(raw)

    def embeddings(self, batch: Batch) -> Tensor:
        """Return the vector of each row as the head takes it: of several inputs, the one that they are joined in.

        Shapes: [B, encoder.dim + encoder.extra].
        """
        features = self.features(batch)
        return self.vectors(features).index_select(0, features.index)

    def mixture(self, batch: Batch, order: Tensor, share: float) -> Loss:
        if self.encoder.dense:
            return super().mixture(batch, order, share)
        rows = self.embeddings(batch)
        raw = self.head(torch.lerp(rows.index_select(0, order), rows, share))
        with exactly(raw):
            mine = Loss.of(*self.task.loss(raw, batch.targets), exact=not self.training)
            theirs = Loss.of(*self.task.loss(raw, batch.targets.take(order)), exact=not self.training)
        total = share * mine.sum + (1 - share) * theirs.sum
        return Loss(total, share * mine.weight + (1 - share) * theirs.weight, per_unit=False)

    def strata(self, train: Targets) -> Tensor:
        first = self.task.names[0]
        if not self.task.of(first).answers or train.offsets is not None or first not in train.names:
            raise ConfigError(f"train.batches = 'balanced': '{first}' does not sort rows into classes; use random.")
        column = train.column(first)
        return torch.where(column.observed, column.values, -1.0)[:, 0]
