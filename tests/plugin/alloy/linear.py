"""An encoder of alloys."""

from typing import ClassVar

from torch import nn

from molgraph.model.encoder import Encoder, Features


class Linear(Encoder):
    """Multiply the share of each element by a weight."""

    needs = ("shares",)
    pooled = True
    space: ClassVar = {"dim": [2, 4, 8]}

    def __init__(self, schema, *, dim: int = 4) -> None:
        super().__init__(schema)
        self.dim = dim
        self.weights = nn.Linear(schema["shares"][0], dim)

    def forward(self, batch):
        parts, index = batch.single()
        return Features(self.weights(parts.values["shares"]), None, index)
