"""Message passing with an edge network and a gated recurrent unit."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from molgraph.data.packed import Schema
from molgraph.errors import ConfigError
from molgraph.nn.codes import Codes
from molgraph.nn.dropout import dropout
from molgraph.nn.graph import Graph, Kinds, code_keys
from molgraph.rooms.molecule.encoders.encoder import MoleculeEncoder
from molgraph.rooms.molecule.encoders.geometric import NNConv


class MPNN(MoleculeEncoder):
    """Sum over neighbours a matrix made from the bond times the neighbour, and update by a GRU, `depth` times.

    The matrices and the unit are the same at every step.

    See: Gilmer et al. 2017, Neural Message Passing for Quantum Chemistry, arXiv 1704.01212, section 5.
    """

    order: ClassVar[tuple[str, ...]] = ("atom bond", "edge layer update")
    space: ClassVar[dict[str, Any]] = {**MoleculeEncoder.space, "hidden": [32, 64, 96], "edge_hidden": [32, 64, 128]}

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 64,
        depth: int = 3,
        edge_hidden: int = 64,
        dropout: float = 0.0,
        descriptors: bool = False,
    ) -> None:
        super().__init__(schema, hidden, depth, dropout, descriptors)
        if edge_hidden < 1:
            raise ConfigError(f"edge_hidden = {edge_hidden} is out of range: it must be at least 1.")
        self.atom = Codes(schema["atom"], hidden)
        self.bond = Codes(schema["bond"], edge_hidden)
        self.edge = nn.Sequential(nn.ReLU(), nn.Linear(edge_hidden, hidden * hidden))
        self.layer = NNConv(hidden, hidden, nn.Identity(), aggr="add", root_weight=False)
        self.update = nn.GRUCell(hidden, hidden)
        self.dropout = dropout

    def encode(self, atom: Tensor, bond: Tensor, graph: Graph) -> Tensor:
        x: Tensor = self.atom(atom).relu()
        kinds = Kinds.alike(code_keys(bond))  # a matrix per kind of bond is much cheaper than one per bond and step
        matrices = self.edge(self.bond(bond.index_select(0, kinds.first)))
        e = matrices.index_select(0, kinds.of.repeat_interleave(2))
        for _ in range(self.depth):
            x = dropout(self.update(self.layer(x, graph.edge_index, e), x), self.dropout, self.training)
        return x
