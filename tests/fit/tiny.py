"""A small data set and a small network, so that the loop is tested and not the chemistry."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from molgraph.config import FitSettings
from molgraph.data.dataset import Batch, Dataset, Input
from molgraph.data.packed import PART, pack
from molgraph.data.targets import Targets
from molgraph.kinds import make
from molgraph.model.encoder import Encoder, Features
from molgraph.model.model import Model

WIDTH = 5


class Tiny(Encoder):
    """Pass each part's numbers through one layer with dropout."""

    def __init__(self, schema, *, dropout=0.2):
        super().__init__(schema)
        self.dim = 8
        self.layer = nn.Sequential(nn.Linear(WIDTH, self.dim), nn.ReLU(), nn.Dropout(dropout))

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        return Features(self.layer(parts.values["numbers"]), None, index)


def data(rows=97, seed=0):
    draw = torch.Generator().manual_seed(seed)
    numbers = torch.randn(rows, WIDTH, generator=draw)
    values = numbers @ torch.arange(1.0, WIDTH + 1)[:, None] + 0.1 * torch.randn(rows, 1, generator=draw)
    parts = pack({"numbers": (PART, numbers)}, {}, {"numbers": [WIDTH]}, rows)
    return Dataset(
        {"x": Input(parts, torch.arange(rows))}, Targets.of(("y",), values), np.arange(1, rows + 1), ("",) * rows
    )


def model(train, seed=0, dropout=0.2):
    torch.manual_seed(seed)
    task = make({"y": "regression"}).adapt(train.targets)
    return Model(Tiny({"numbers": [WIDTH]}, dropout=dropout), task, depth=1, hidden=8)


def settings(**given):
    return FitSettings(**{"epochs": 6, "batch_size": 16, "lr": 0.01, "device": "cpu", **given})
