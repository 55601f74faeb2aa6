"""Fusion by products."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from molgraph.fusion.fusion import MODALITY_DROPOUT, Fusion, at_least_one, presence
from molgraph.fusion.kept import Encoded
from molgraph.model.encoder import Encoder


class Bilinear(Fusion):
    """Multiply the inputs: h = sum over r of the product over inputs i of W_ir [x_i; 1], then a layer norm.

    That is a bilinear form in each pair of inputs, its weights of low rank; the 1 keeps what an input says alone.
    Products have long tails, hence the norm.

    See: Liu et al. 2018, Efficient Low-rank Multimodal Fusion, arXiv 1806.00064, equation 7;
    Kim et al. 2017, Hadamard Product for Low-rank Bilinear Pooling, arXiv 1610.04325
    """

    space: ClassVar[dict[str, Any]] = {
        "hidden": [64, 128, 256],
        "rank": [1, 2, 4, 8],
        "modality_dropout": MODALITY_DROPOUT,
    }

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        *,
        hidden: int = 128,
        rank: int = 4,
        pooling: str = "auto",
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__(encoders, pooling, modality_dropout)
        self.hidden, self.rank = at_least_one("hidden", hidden), at_least_one("rank", rank)
        self.dim = hidden + len(self.names)
        self.factors = nn.ModuleList(nn.Linear(width, rank * hidden) for width in self.widths.values())
        self.norm = nn.LayerNorm(hidden)

    def fuse(self, rows: list[Tensor], index: Tensor, encoded: Mapping[str, Encoded]) -> Tensor:
        factors = [linear(row) for linear, row in zip(self.factors, rows, strict=True)]
        product = reduce(torch.mul, factors).unflatten(1, (self.rank, self.hidden)).sum(1)
        return torch.cat([self.norm(product), presence(index, rows[0])], 1)
