"""A feed-forward network on the fields of a record."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Schema
from molgraph.model.encoder import Encoder, Features
from molgraph.model.strings import in_range
from molgraph.nn.feedforward import FeedForward as Network
from molgraph.nn.standardise import Standardise
from molgraph.rooms.disease.prepare import RECORD


class FeedForward(Encoder):
    """Read the numbers of a record, scaled by what training records teach, and which of them are unknown.

    What is unknown enters as the mean of the training records, with a 1 beside it that says so.

    Raises: ConfigError for a setting out of range.
    See: Katzman et al. 2018 (DeepSurv), doi 10.1186/s12874-018-0482-1; the indicator of what is missing: Jones 1996,
    doi 10.1080/01621459.1996.10476680
    """

    needs: tuple[str, ...] = (RECORD,)
    pooled: ClassVar[bool] = True
    space: ClassVar[dict[str, Any]] = {
        "hidden": [32, 64, 128, 256],
        "depth": {"low": 1, "high": 3},
        "dropout": {"low": 0.0, "high": 0.5},
    }

    def __init__(self, schema: Schema, *, hidden: int = 64, depth: int = 2, dropout: float = 0.2) -> None:
        super().__init__(schema)
        in_range(hidden=hidden, depth=depth, dropout=dropout)
        (width,) = schema[RECORD]
        self.dim = hidden
        self.scale = Standardise(width)
        self.network = Network(2 * width, hidden, depth=depth, hidden=hidden, dropout=dropout)

    def adapt(self, train: Dataset) -> None:
        ((_, given),) = train.inputs.items()
        self.scale.learn(given.parts.values[RECORD].index_select(0, torch.unique(given.index[given.index >= 0])))

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        record = parts.values[RECORD]
        unknown = record.isnan()
        known = self.scale(record).masked_fill(unknown, 0.0)
        return Features(self.network(torch.cat([known, unknown.to(known.dtype)], 1)), None, index)
