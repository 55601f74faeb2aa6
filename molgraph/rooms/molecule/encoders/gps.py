"""General, powerful, scalable graph transformer."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from molgraph.data.packed import Schema
from molgraph.errors import ConfigError
from molgraph.nn.codes import Codes
from molgraph.nn.feedforward import FeedForward
from molgraph.nn.graph import Graph, return_probabilities
from molgraph.rooms.molecule.encoders.encoder import MoleculeEncoder, share_out
from molgraph.rooms.molecule.encoders.geometric import GINEConv, GPSConv


class GPS(MoleculeEncoder):
    """Pass messages along bonds and attend to all atoms of the molecule side by side, `depth` times.

    An atom's place is encoded by the chance that a random walk from it is back after 1, ..., `walk` steps.

    See: Rampasek et al. 2022, Recipe for a General, Powerful, Scalable Graph Transformer, arXiv 2205.12454;
    Dwivedi et al. 2022, arXiv 2110.07875 (random walks).
    """

    order: ClassVar[tuple[str, ...]] = ("atom bond place", "layers")
    space: ClassVar[dict[str, Any]] = {**MoleculeEncoder.space, "heads": [2, 4, 8], "walk": [8, 16]}

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 64,
        depth: int = 4,
        heads: int = 4,
        walk: int = 16,
        dropout: float = 0.0,
        descriptors: bool = False,
    ) -> None:
        super().__init__(schema, hidden, depth, dropout, descriptors)
        share_out(hidden, "heads", heads)
        if walk < 1:
            raise ConfigError(f"walk = {walk} is out of range: it must be at least 1.")
        self.atom = Codes(schema["atom"], hidden)
        self.bond = Codes(schema["bond"], hidden)
        self.walk = walk
        self.place = nn.Linear(walk, hidden, bias=False)
        self.layers = nn.ModuleList(
            GPSConv(
                hidden,
                GINEConv(FeedForward(hidden, hidden, hidden=hidden)),
                heads=heads,
                dropout=dropout,
                norm="layer_norm",  # a batch norm refuses to train on a batch of one atom
                norm_kwargs={"mode": "node"},
            )
            for _ in range(depth)
        )

    def encode(self, atom: Tensor, bond: Tensor, graph: Graph) -> Tensor:
        x: Tensor = self.atom(atom)
        e = self.bond(bond).repeat_interleave(2, 0)
        x = x + self.place(return_probabilities(graph, self.walk, x.dtype))
        for layer in self.layers:
            x = layer(x, graph.edge_index, graph.part, edge_attr=e)
        return x
