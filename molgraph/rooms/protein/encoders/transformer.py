"""Attention along a protein."""

from __future__ import annotations

from typing import Any, ClassVar

from molgraph.data.packed import Schema
from molgraph.model.strings import in_range
from molgraph.nn.sequence import Transformer as Layers
from molgraph.rooms.protein.encoders.encoder import ProteinEncoder


class Transformer(ProteinEncoder):
    """Let each word of `stride` residues attend to those within one to two `window`s of it, `depth` times.

    See: Vaswani et al. 2017, arXiv 1706.03762; Beltagy et al. 2020, arXiv 2004.05150 (windows).
    """

    space: ClassVar[dict[str, Any]] = {
        "hidden": [32, 64, 128],
        "depth": {"low": 1, "high": 4},
        "heads": [2, 4, 8],
        "window": [16, 32, 64],
        "stride": [1, 2, 4],
        "dropout": {"low": 0.0, "high": 0.4},
    }

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 64,
        depth: int = 2,
        heads: int = 4,
        window: int = 32,
        stride: int = 4,
        dropout: float = 0.0,
        max_length: int = 0,
    ) -> None:
        in_range(hidden=hidden, depth=depth, dropout=dropout)
        layer = Layers(hidden, depth=depth, heads=heads, window=window, dropout=dropout)
        super().__init__(schema, hidden, layer, hidden, max_length, stride)
