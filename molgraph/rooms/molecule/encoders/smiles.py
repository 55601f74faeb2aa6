"""Encoders that read a molecule as its SMILES, token by token."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from molgraph.data.packed import Schema
from molgraph.model.strings import StringEncoder, in_range
from molgraph.nn.sequence import Convolutions, Recurrent
from molgraph.rooms.molecule.encoders.encoder import DROPOUT
from molgraph.rooms.molecule.features import TOKEN


class Tokens(nn.Module):
    """Hold what each token becomes: a table [tokens, dim], rows as in `tokens.TOKENS`."""

    def __init__(self, tokens: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(tokens, dim).normal_())

    def forward(self) -> Tensor:
        return self.weight


class SmilesEncoder(StringEncoder):
    """Run one layer along the tokens of each standardised SMILES."""

    needs: tuple[str, ...] = (TOKEN,)
    letters: ClassVar[str] = TOKEN
    level: ClassVar[str] = "token"

    def __init__(self, schema: Schema, embedding: int, layer: nn.Module, dim: int) -> None:
        super().__init__(schema, Tokens(schema[TOKEN][0], embedding), layer, dim)


class SmilesCNN(SmilesEncoder):
    """Convolve embedded tokens `depth` times with `filters`, 2 `filters`, 3 `filters`, ... channels.

    With max pooling this is the drug side of DeepDTA, apart from its padding to 85 or 100 characters.

    See: Ozturk et al. 2018, DeepDTA, https://doi.org/10.1093/bioinformatics/bty593 (kernel 4, 6 or 8, 32 filters).
    """

    pooling: ClassVar[str] = "max"
    space: ClassVar[dict[str, Any]] = {
        "embedding": [32, 64, 128],
        "filters": [16, 32, 64],
        "depth": {"low": 2, "high": 4},
        "kernel": [4, 6, 8],
        "dropout": DROPOUT,
    }

    def __init__(
        self,
        schema: Schema,
        *,
        embedding: int = 128,
        filters: int = 32,
        depth: int = 3,
        kernel: int = 4,
        dropout: float = 0.0,
    ) -> None:
        in_range(embedding=embedding, filters=filters, depth=depth, kernel=kernel, dropout=dropout)
        widths = [filters * (at + 1) for at in range(depth)]
        super().__init__(schema, embedding, Convolutions(embedding, widths, kernel, dropout=dropout), widths[-1])


class SmilesRNN(SmilesEncoder):
    """Read embedded tokens one after the other, in both directions where `bidirectional`.

    See: Elman 1990, https://doi.org/10.1207/s15516709cog1402_1
    """

    cell: ClassVar[str] = "rnn"
    space: ClassVar[dict[str, Any]] = {
        "embedding": [16, 32, 64],
        "hidden": [64, 128, 256],
        "depth": [1, 2],
        "bidirectional": [False, True],
        "dropout": DROPOUT,
    }

    def __init__(
        self,
        schema: Schema,
        *,
        embedding: int = 32,
        hidden: int = 128,
        depth: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
    ) -> None:
        in_range(embedding=embedding, hidden=hidden, depth=depth, dropout=dropout)
        layer = Recurrent(self.cell, embedding, hidden, depth=depth, bidirectional=bidirectional, dropout=dropout)
        super().__init__(schema, embedding, layer, layer.dim)


class SmilesLSTM(SmilesRNN):
    """Read embedded tokens with long short-term memory.

    See: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
    """

    cell: ClassVar[str] = "lstm"


class SmilesGRU(SmilesRNN):
    """Read embedded tokens with gated recurrent units.

    See: Cho et al. 2014, arXiv 1406.1078
    """

    cell: ClassVar[str] = "gru"
