"""Graph attention."""

from __future__ import annotations

from typing import Any, ClassVar

from molgraph.data.packed import Schema
from molgraph.rooms.molecule.encoders.encoder import Convolutions, share_out
from molgraph.rooms.molecule.encoders.geometric import GATv2Conv


class GAT(Convolutions):
    """Let each atom attend to itself and its neighbours, over their bonds, `depth` times.

    See: Brody, Alon and Yahav 2022, How Attentive are Graph Attention Networks?, arXiv 2105.14491.
    """

    order: ClassVar[tuple[str, ...]] = ("atom bond", "layers norms")
    space: ClassVar[dict[str, Any]] = {**Convolutions.space, "heads": [2, 4, 8]}

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 128,
        depth: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
        descriptors: bool = False,
    ) -> None:
        share = share_out(hidden, "heads", heads)
        super().__init__(
            schema,
            hidden,
            depth,
            dropout,
            descriptors,
            lambda: GATv2Conv(hidden, share, heads=heads, edge_dim=hidden),
        )
