"""Encoder, pooling and head: what turns a batch into raw outputs, whatever is made of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, cat

from molgraph.data.dataset import ABSENT, Batch
from molgraph.data.packed import spans
from molgraph.errors import DataError
from molgraph.model.encoder import Encoder, Features, checked, ready
from molgraph.model.learner import Learner, exactly
from molgraph.nn.feedforward import FeedForward
from molgraph.nn.pool import Pool


class Headed(Learner):
    """Turn a batch into raw outputs; a subclass says what they are.

    Each distinct part of a batch is computed once, the head included, so rows with the same part have the same
    outputs to the last bit. Pooling `auto` is the encoder's own.

    Shapes: a batch of B rows to [B, outputs]; of a dense encoder all that the rows own, end to end, to [M, outputs].

    Raises: DataError where a row has no input.
    """

    def __init__(
        self,
        encoder: Encoder,
        outputs: int,
        *,
        pooling: str = "auto",
        depth: int = 1,
        hidden: int = 300,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = ready(encoder)
        self.pool = pool(encoder, pooling)
        self.head = Head(encoder.dim + encoder.extra, outputs, depth=depth, hidden=hidden, dropout=dropout)
        self.at_once = encoder.at_once

    def forward(self, batch: Batch) -> Tensor:
        features = self.features(batch)
        if self.encoder.dense and features.offsets is not None:
            own, _ = spans(features.offsets, features.index)
            each: Tensor = self.head(features.values)
            return each.index_select(0, own)
        raw: Tensor = self.head(self.vectors(features))
        return raw.index_select(0, features.index)

    def heights(self) -> dict[str, int]:
        levels = self.encoder.levels()
        return {f"encoder.{name}": len(levels) - at for at, names in enumerate(levels) for name in names}

    def features(self, batch: Batch) -> Features:
        """Return what the encoder makes of a batch in which every row has its input."""
        if not len(batch):
            return self._none()
        if len(batch.parts) == 1:
            _refuse_absent(batch.single()[1])
        features = checked(self.encoder, self.encoder(batch), batch)
        if len(batch.parts) > 1:  # a row may lack some of them
            _refuse_absent(features.index)
        return features

    def _none(self) -> Features:
        """Return the features of no rows, which no encoder need know how to make."""
        values = next(self.head.parameters()).new_zeros(0, self.encoder.dim)
        whole = values.new_zeros(0, self.encoder.extra) if self.encoder.extra else None
        return Features(values, None, torch.zeros(0, dtype=torch.int64, device=values.device), whole)

    def vectors(self, features: Features) -> Tensor:
        """Return one vector per part, as the head takes it."""
        parts: Tensor = self.pool(features.values, features.offsets)
        if features.whole is not None:
            parts = cat([parts, features.whole.to(parts.dtype)], 1)
        return parts


def _refuse_absent(index: Tensor) -> None:
    absent = index == ABSENT
    if bool(absent.any()):
        row = int(absent.nonzero()[0, 0])
        raise DataError(f"row {row} of the batch has no input; leave out rows whose input was rejected.")


class Head(FeedForward):
    """Turn vectors into raw outputs, outside training in the precision of its weights whatever autocast says.

    The eight bits of a bfloat16 would be all that tells one estimate from another, and a ranking would be full of ties.
    """

    def forward(self, vectors: Tensor) -> Tensor:
        forward: Callable[[Tensor], Tensor] = super().forward
        if self.training:
            return forward(vectors)
        with exactly(vectors):
            return forward(vectors.to(next(self.parameters()).dtype))


def pool(encoder: Encoder, kind: str = "auto") -> Pool:
    """Return what pools the features of an encoder; `auto` is the encoder's own way."""
    if encoder.pooled:
        kind = "none"
    return Pool(encoder.pooling if kind == "auto" else kind, encoder.dim)
