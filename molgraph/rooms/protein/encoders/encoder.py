"""What the encoders of protein sequences share: residues and how they are embedded."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from molgraph.data.packed import Schema
from molgraph.model.strings import StringEncoder
from molgraph.nn.sequence import Words
from molgraph.rooms.protein.prepare import RESIDUES
from molgraph.rooms.protein.residues import STANDARD, shares


class Residues(nn.Module):
    """Embed residues; an ambiguous letter is the mean of what it may be, so that no letter is left untrained.

    Shapes: a table [26, dim], rows as in `residues.LETTERS`.
    """

    shares: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(len(STANDARD), dim).normal_())
        self.register_buffer("shares", torch.from_numpy(shares()), persistent=False)

    def forward(self) -> Tensor:
        return self.shares @ self.weight


class ProteinEncoder(StringEncoder):
    """Run one layer along the residues of each protein, or along words of `stride` residues where that is above 1."""

    needs: tuple[str, ...] = (RESIDUES,)
    letters: ClassVar[str] = RESIDUES
    level: ClassVar[str] = "residue"

    def __init__(
        self, schema: Schema, embedding: int, layer: nn.Module, dim: int, max_length: int, stride: int = 1
    ) -> None:
        words = None if stride == 1 else Words(embedding, embedding, stride)
        super().__init__(schema, Residues(embedding), layer, dim, max_length=max_length, words=words)
