"""Directed-edge message passing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from molgraph.data.packed import Schema
from molgraph.nn.codes import Codes
from molgraph.nn.dropout import dropout
from molgraph.nn.feedforward import make_activation
from molgraph.nn.graph import Graph, Kinds, code_keys, surroundings
from molgraph.rooms.molecule.encoders.encoder import MoleculeEncoder


class DMPNN(MoleculeEncoder):
    """Pass messages along directed bonds, never straight back, for `depth` steps.

    With x_v, e_vw the one-hot codes of atoms and bonds and tau the activation (numbers as in the paper):

    - h0_vw = tau(W_i [x_v, e_vw])                          (eq. 3)
    - m_vw  = sum of h_uv over the neighbours u of v, w left out   (eq. 1, 4)
    - h_vw  = tau(h0_vw before tau + W_h m_vw)              (eq. 5)
    - m_v   = sum of h_uv over the neighbours u of v        (eq. 6)
    - h_v   = tau(W_o [x_v, m_v])                           (eq. 7)

    Edges that have seen the same surroundings have the same h_vw: on a CPU each is computed once per batch, and W_h,
    being linear, acts on them before the sum. The result is the same, the matrix products are several times smaller.
    Dropout treats edges apart and so switches that off, while training, from the first message on.

    See: Yang et al. 2019, doi 10.1021/acs.jcim.9b00237.
    """

    order: ClassVar[tuple[str, ...]] = ("W_i_atom W_i_bond", "W_h", "W_o_atom W_o")
    space: ClassVar[dict[str, Any]] = {
        **MoleculeEncoder.space,
        "hidden": [150, 300, 600],
        "activation": ["relu", "leaky_relu", "elu"],
        "bias": [False, True],
    }

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 300,
        depth: int = 3,
        dropout: float = 0.0,
        activation: str = "relu",
        bias: bool = False,
        descriptors: bool = False,
    ) -> None:
        super().__init__(schema, hidden, depth, dropout, descriptors)
        atoms, bonds = schema["atom"], schema["bond"]
        inputs, outputs = sum(atoms) + sum(bonds), sum(atoms) + hidden
        self.W_i_atom = Codes(atoms, hidden, fan_in=inputs, bias=bias)
        self.W_i_bond = Codes(bonds, hidden, fan_in=inputs)
        self.W_h = nn.Linear(hidden, hidden, bias=bias) if depth > 1 else None
        self.W_o_atom = Codes(atoms, hidden, fan_in=outputs, bias=True)
        self.W_o = nn.Linear(hidden, hidden, bias=False)
        nn.init.uniform_(self.W_o.weight, -(outputs**-0.5), outputs**-0.5)  # a slice of a layer with `outputs` inputs
        self.tau = make_activation(activation)
        self.dropout = dropout
        self.share = True
        """Whether like edges are computed once; without, every atom has its own gradient (for attribution)."""

    def encode(self, atom: Tensor, bond: Tensor, graph: Graph) -> Tensor:
        atoms, edges, nodes = self._kinds(atom, bond, graph)
        incoming = graph.incoming()
        start = edges[0]
        source = graph.source.index_select(0, start.first)
        h_0 = _rows(self.W_i_atom(atom.index_select(0, atoms.first)), atoms.of, source)
        h_0 = h_0 + self.W_i_bond(bond.index_select(0, start.first // 2))
        h = self.tau(h_0)
        for before, now in pairwise(edges):
            assert self.W_h is not None
            message = graph.onward(incoming, now.first).renamed(before.of)(F.linear(h, self.W_h.weight))
            if self.W_h.bias is not None:
                message = message + self.W_h.bias
            h = self.tau(_rows(h_0, start.of, now.first) + message)
            h = dropout(h, self.dropout, self.training)
        m = incoming.take(nodes.first).renamed(edges[-1].of)(h)
        x = _rows(self.W_o_atom(atom.index_select(0, atoms.first)), atoms.of, nodes.first)
        h = self.tau(x + self.W_o(m))
        return dropout(h.index_select(0, nodes.of), self.dropout, self.training)

    def _kinds(self, atom: Tensor, bond: Tensor, graph: Graph) -> tuple[Kinds, list[Kinds], Kinds]:
        """Return which atoms are alike; which edges are, before each step; and which atoms are after the last."""
        if not (self.share and atom.device.type == "cpu"):
            edge, node = Kinds.all_different(graph.source), Kinds.all_different(atom)
            return node, [edge] * self.depth, node
        keys = code_keys(atom)
        edges, nodes = surroundings(graph, keys, code_keys(bond), self.depth)
        if self.training and self.dropout > 0:
            apart = Kinds.all_different(graph.source)
            return Kinds.alike(keys), [Kinds.alike(edges[0])] + [apart] * (self.depth - 1), Kinds.all_different(atom)
        return Kinds.alike(keys), [Kinds.alike(e) for e in edges], Kinds.alike(nodes)


def _rows(values: Tensor, kind: Tensor, things: Tensor) -> Tensor:
    """Return for each of some things the row of its kind."""
    return values.index_select(0, kind.index_select(0, things))
