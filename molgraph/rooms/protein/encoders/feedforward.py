"""A feed-forward network on what a protein is made of."""

from __future__ import annotations

from molgraph.data.packed import Schema
from molgraph.model.numbers import NumbersEncoder
from molgraph.rooms.protein.prepare import COMPOSED


class FeedForward(NumbersEncoder):
    """Read length and shares of residues, pairs, triads and physico-chemical groups (see `composition`)."""

    needs: tuple[str, ...] = (COMPOSED,)

    def __init__(self, schema: Schema, *, hidden: int = 256, depth: int = 1, dropout: float = 0.1) -> None:
        super().__init__(schema, self.needs, hidden, depth, dropout)
