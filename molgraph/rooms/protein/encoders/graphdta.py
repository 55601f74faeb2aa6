"""The protein side of GraphDTA, which convolves over the embedding and not along the chain."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from molgraph.data.dataset import Batch
from molgraph.data.packed import Schema
from molgraph.model.encoder import Features
from molgraph.model.strings import in_range
from molgraph.nn.sequence import first_rows, to_padded
from molgraph.rooms.protein.encoders.encoder import ProteinEncoder
from molgraph.rooms.protein.residues import LETTERS

PAD = len(LETTERS)


class GraphDTA(ProteinEncoder):
    """Cut or pad each protein to `length` residues, take places as channels, and convolve along the embedding.

    In sum over the places that hold one letter, the weights of the places come first: per protein that is one product
    of its one-hot letters with the weights, and a convolution with as many channels as there are letters. It is
    GraphDTA's `Conv1d(1000, 32, 8)` over [1000, 128], computed in a fortieth of the multiplications.

    See: Nguyen et al. 2021, https://doi.org/10.1093/bioinformatics/btaa921 (length 1000, embedding 128, 32 filters,
    kernel 8, 128 outputs).
    """

    pooled: ClassVar[bool] = True
    order: ClassVar[tuple[str, ...]] = ("embed", "places", "out")
    space: ClassVar[dict[str, Any]] = {"filters": [16, 32, 64], "kernel": [4, 8], "hidden": [64, 128, 256]}

    def __init__(
        self,
        schema: Schema,
        *,
        length: int = 1000,
        embedding: int = 128,
        filters: int = 32,
        kernel: int = 8,
        hidden: int = 128,
    ) -> None:
        in_range(length=length, embedding=embedding, filters=filters, kernel=kernel, hidden=hidden)
        super().__init__(schema, embedding, nn.Identity(), hidden, length)
        self.length, self.filters, self.kernel = length, filters, kernel
        self.places = nn.Conv1d(length, filters, kernel, bias=False)
        self.shift = nn.Parameter(torch.zeros(filters))
        self.padding = nn.Parameter(torch.empty(1, embedding).normal_())
        self.out = nn.Linear(filters * (embedding - kernel + 1), hidden)

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        codes, offsets = parts.values[self.letters], parts.offsets[self.level]
        rows, offsets = first_rows(offsets, self.length)
        letters, real = to_padded(codes.index_select(0, rows), offsets)
        letters = letters.long().masked_fill(~real, PAD)
        letters = F.pad(letters, (0, self.length - letters.shape[1]), value=PAD)
        hot = F.one_hot(letters, PAD + 1).to(self.padding.dtype)  # [P, length, letters]
        weight = self.places.weight.transpose(0, 1).flatten(1)  # [length, filters * kernel]
        by_letter = (hot.transpose(1, 2) @ weight).unflatten(2, (self.filters, self.kernel))
        table = torch.cat([self.embed(), self.padding])
        windows = table.unfold(1, self.kernel, 1)  # [letters, embedding - kernel + 1, kernel]
        found = torch.einsum("plfk,ltk->pft", by_letter, windows) + self.shift.unsqueeze(1)
        return Features(self.out(found.flatten(1)), None, index)
