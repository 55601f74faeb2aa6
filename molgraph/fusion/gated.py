"""Fusion by gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, cat, nn, stack

from molgraph.fusion.fusion import MODALITY_DROPOUT, Fusion, at_least_one, presence
from molgraph.fusion.kept import Encoded
from molgraph.model.encoder import Encoder


class Gated(Fusion):
    """Mix the inputs feature by feature: h = sum of z_i tanh(W_i x_i), the shares z_i read from all inputs together.

    The shares of a feature add up to 1; of two inputs they are the paper's z and 1 - z.

    See: Arevalo et al. 2017, Gated Multimodal Units for Information Fusion, arXiv 1702.01992, section 3.1
    """

    space: ClassVar[dict[str, Any]] = {"hidden": [64, 128, 256], "modality_dropout": MODALITY_DROPOUT}

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        *,
        hidden: int = 128,
        pooling: str = "auto",
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__(encoders, pooling, modality_dropout)
        inputs = len(self.names)
        self.dim = at_least_one("hidden", hidden)
        self.values = nn.ModuleList(nn.Linear(width, hidden) for width in self.widths.values())
        self.gates = nn.Linear(sum(self.widths.values()) + inputs, inputs * hidden)

    def fuse(self, rows: list[Tensor], index: Tensor, encoded: Mapping[str, Encoded]) -> Tensor:
        gates = self.gates(cat([*rows, presence(index, rows[0])], 1)).unflatten(1, (len(rows), self.dim)).softmax(1)
        values = stack([linear(row).tanh() for linear, row in zip(self.values, rows, strict=True)], 1)
        fused: Tensor = (gates * values).sum(1)
        return fused
