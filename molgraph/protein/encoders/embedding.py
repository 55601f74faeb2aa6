"""Vectors of proteins that were computed elsewhere, as by a protein language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Schema
from molgraph.errors import DataError
from molgraph.model.encoder import Encoder, Features
from molgraph.model.strings import in_range
from molgraph.nn.feedforward import FeedForward
from molgraph.nn.standardise import Standardise
from molgraph.protein.prepare import EMBEDDING


class Embedding(Encoder):
    """Scale given vectors by what the training proteins teach and pass them through a small network.

    The input column holds the vectors, or, where `file` names a `.npz`, what proteins are called there (see `vectors`);
    predictions look them up in the same file.

    Raises: DataError where vectors have another width than those it was trained on.
    """

    needs: tuple[str, ...] = (EMBEDDING,)
    pooled: ClassVar[bool] = True
    space: ClassVar[dict[str, Any]] = {
        "hidden": [64, 128, 256],
        "depth": {"low": 0, "high": 2},
        "dropout": {"low": 0.0, "high": 0.4},
    }

    def __init__(
        self, schema: Schema, *, file: str = "", hidden: int = 128, depth: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__(schema)
        self.file = file
        in_range(hidden=hidden, depth=depth + 1, dropout=dropout)
        (self.width,) = schema[EMBEDDING]
        self.dim = hidden
        self.scale = Standardise(self.width)
        self.network = FeedForward(self.width, hidden, depth=depth, hidden=hidden, dropout=dropout)

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        file = settings.get("file", "")
        return (f"{EMBEDDING}:{file}",) if file else cls.needs

    def adapt(self, train: Dataset) -> None:
        ((_, given),) = train.inputs.items()
        used = torch.unique(given.index[given.index >= 0])
        self.scale.learn(given.parts.values[EMBEDDING].index_select(0, used))

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        vectors = parts.values[EMBEDDING]
        if vectors.shape[1] != self.width:
            raise DataError(
                f"the vectors have {vectors.shape[1]} numbers, those the model was trained on {self.width}; "
                "compute them with the same model as then."
            )
        return Features(self.network(self.scale(vectors)), None, index)
