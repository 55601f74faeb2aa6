"""Encoders of numbers that a room computed of each part as a whole: fingerprints, descriptors, composition."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Packed, Schema
from molgraph.errors import ConfigError, DataError
from molgraph.model.encoder import Encoder, Features
from molgraph.nn.feedforward import FeedForward
from molgraph.nn.standardise import Standardise


class NumbersEncoder(Encoder):
    """Pass the numbers of `needs`, side by side, through a feed-forward network.

    Counts (integers) become log(1 + count), so that a rare bit is no outlier; other numbers are scaled by what the
    training parts teach.

    Raises: ConfigError for a setting out of range; DataError where numbers have another width than in training.
    """

    pooled: ClassVar[bool] = True
    space: ClassVar[dict[str, Any]] = {
        "hidden": [128, 256, 512],
        "depth": {"low": 0, "high": 2},
        "dropout": {"low": 0.0, "high": 0.4},
    }

    def __init__(self, schema: Schema, names: tuple[str, ...], hidden: int, depth: int, dropout: float) -> None:
        super().__init__(schema)
        if hidden < 1 or depth < 0 or not 0 <= dropout < 1:
            raise ConfigError(f"hidden = {hidden}, depth = {depth}, dropout = {dropout}: at least 1, 0, 0 and below 1.")
        self.names, self.dim = names, hidden
        self.widths = {name: schema[name][0] for name in names}
        self.scales = nn.ModuleDict({name: Standardise(width) for name, width in self.widths.items()})
        width = sum(self.widths.values())
        self.network = FeedForward(width, hidden, depth=depth, hidden=hidden, dropout=dropout)

    def adapt(self, train: Dataset) -> None:
        ((_, given),) = train.inputs.items()
        used = torch.unique(given.index[given.index >= 0])
        for name, scale in self.scales.items():
            values = given.parts.values[name]
            if values.is_floating_point():
                cast(Standardise, scale).learn(values.index_select(0, used))

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        if not len(parts):  # no row of the batch has this input, and the width of what is not there is not known
            return Features(next(self.network.parameters()).new_zeros(0, self.dim), None, index)
        numbers = torch.cat([self._scaled(name, parts) for name in self.names], 1)
        return Features(self.network(numbers), None, index)

    def _scaled(self, name: str, parts: Packed) -> Tensor:
        values = parts.values[name]
        if values.shape[1] != self.widths[name]:
            raise DataError(
                f"'{name}' has {values.shape[1]} numbers, in training it had {self.widths[name]}; compute them as then."
            )
        weight = next(self.network.parameters())
        if not values.is_floating_point():
            return values.to(weight.dtype).log1p()
        scaled: Tensor = self.scales[name](values)
        return scaled.to(weight.dtype)
