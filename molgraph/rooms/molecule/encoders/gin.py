"""Graph isomorphism network with bond features."""

from __future__ import annotations

from typing import ClassVar

from molgraph.data.packed import Schema
from molgraph.nn.feedforward import FeedForward
from molgraph.rooms.molecule.encoders.encoder import Convolutions
from molgraph.rooms.molecule.encoders.geometric import GINEConv


class GIN(Convolutions):
    """Add to each atom its neighbours with their bonds and pass the sum through a network, `depth` times.

    See: Hu et al. 2020, Strategies for Pre-training Graph Neural Networks, arXiv 1905.12265 (GINE);
    Xu et al. 2019, How Powerful are Graph Neural Networks?, arXiv 1810.00826.
    """

    order: ClassVar[tuple[str, ...]] = ("atom bond", "layers norms")

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 128,
        depth: int = 4,
        dropout: float = 0.0,
        descriptors: bool = False,
    ) -> None:
        super().__init__(
            schema,
            hidden,
            depth,
            dropout,
            descriptors,
            lambda: GINEConv(FeedForward(hidden, hidden, hidden=2 * hidden), train_eps=True),
        )
