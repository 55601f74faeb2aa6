"""Convolutions along a protein."""

from __future__ import annotations

from typing import Any, ClassVar

from molgraph.data.packed import Schema
from molgraph.model.strings import in_range
from molgraph.nn.sequence import Convolutions
from molgraph.rooms.protein.encoders.encoder import ProteinEncoder


class CNN(ProteinEncoder):
    """Convolve embedded residues `depth` times with `filters`, 2 `filters`, 3 `filters`, ... channels.

    With max pooling this is the protein side of DeepDTA, apart from its padding of every protein to 1,000 or 1,200
    letters, which is left out: each residue has features, and a protein counts with its own length.

    See: Ozturk et al. 2018, DeepDTA, https://doi.org/10.1093/bioinformatics/bty593 (kernel 4, 8 or 12, 32 filters).
    """

    pooling: ClassVar[str] = "max"
    space: ClassVar[dict[str, Any]] = {
        "embedding": [32, 64, 128],
        "filters": [16, 32, 64],
        "depth": {"low": 2, "high": 4},
        "kernel": [4, 8, 12],
        "dropout": {"low": 0.0, "high": 0.4},
    }

    def __init__(
        self,
        schema: Schema,
        *,
        embedding: int = 128,
        filters: int = 32,
        depth: int = 3,
        kernel: int = 8,
        dropout: float = 0.0,
        max_length: int = 0,
    ) -> None:
        in_range(embedding=embedding, filters=filters, depth=depth, kernel=kernel, dropout=dropout)
        widths = [filters * (at + 1) for at in range(depth)]
        layer = Convolutions(embedding, widths, kernel, dropout=dropout)
        super().__init__(schema, embedding, layer, layer.dim, max_length)
