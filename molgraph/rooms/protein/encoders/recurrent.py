"""Recurrent networks along a protein."""

from __future__ import annotations

from typing import Any, ClassVar

from molgraph.data.packed import Schema
from molgraph.model.strings import in_range
from molgraph.nn.sequence import Recurrent
from molgraph.rooms.protein.encoders.encoder import ProteinEncoder


class RNN(ProteinEncoder):
    """Read embedded residues one after the other, in both directions where `bidirectional`.

    With `stride` above 1 it reads as many residues at a step, in about as much less time.

    See: Elman 1990, https://doi.org/10.1207/s15516709cog1402_1
    """

    cell: ClassVar[str] = "rnn"
    space: ClassVar[dict[str, Any]] = {
        "embedding": [16, 32, 64],
        "hidden": [32, 64, 128],
        "depth": [1, 2],
        "bidirectional": [False, True],
        "stride": [1, 2, 4],
        "dropout": {"low": 0.0, "high": 0.4},
    }

    def __init__(
        self,
        schema: Schema,
        *,
        embedding: int = 32,
        hidden: int = 64,
        depth: int = 1,
        bidirectional: bool = True,
        stride: int = 1,
        dropout: float = 0.0,
        max_length: int = 0,
    ) -> None:
        in_range(embedding=embedding, hidden=hidden, depth=depth, dropout=dropout)
        layer = Recurrent(self.cell, embedding, hidden, depth=depth, bidirectional=bidirectional, dropout=dropout)
        super().__init__(schema, embedding, layer, layer.dim, max_length, stride)


class LSTM(RNN):
    """Read embedded residues with long short-term memory.

    See: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
    """

    cell: ClassVar[str] = "lstm"


class GRU(RNN):
    """Read embedded residues with gated recurrent units.

    See: Cho et al. 2014, arXiv 1406.1078
    """

    cell: ClassVar[str] = "gru"
