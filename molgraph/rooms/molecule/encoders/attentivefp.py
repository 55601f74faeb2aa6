"""Attentive fingerprints."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from molgraph.data.packed import Schema
from molgraph.errors import ConfigError
from molgraph.model.levels import Levels, ordered, under
from molgraph.nn.codes import one_hot
from molgraph.nn.graph import Graph
from molgraph.rooms.molecule.encoders.encoder import MoleculeEncoder
from molgraph.rooms.molecule.encoders.geometric import AttentiveFP as Network


class AttentiveFP(MoleculeEncoder):
    """Attend and update atoms by gated recurrent units `depth` times, then the molecule over its atoms `steps` times.

    The readout is part of the method, so the features are those of whole molecules and no pooling follows.

    See: Xiong et al. 2020, doi 10.1021/acs.jmedchem.9b00959.
    """

    pooled = True
    space: ClassVar[dict[str, Any]] = {**MoleculeEncoder.space, "steps": {"low": 1, "high": 4}}

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 128,
        depth: int = 3,
        steps: int = 2,
        dropout: float = 0.0,
        descriptors: bool = False,
    ) -> None:
        super().__init__(schema, hidden, depth, dropout, descriptors)
        if steps < 1:
            raise ConfigError(f"steps = {steps} is out of range: it must be at least 1.")
        self.network = Network(
            sum(schema["atom"]),
            hidden,
            hidden,
            sum(schema["bond"]),
            num_layers=depth,
            num_timesteps=steps,
            dropout=dropout,
        )
        self.network.lin2 = nn.Identity()  # the model's head predicts

    def levels(self) -> Levels:
        order = ("lin1", "gate_conv gru", "atom_convs atom_grus", "mol_conv mol_gru")
        return under("network", ordered(self.network, order))

    def encode(self, atom: Tensor, bond: Tensor, graph: Graph) -> Tensor:
        weight = self.network.lin1.weight
        x = one_hot(atom, self.schema["atom"]).to(weight.dtype)
        e = one_hot(bond, self.schema["bond"]).to(weight.dtype).repeat_interleave(2, 0)
        features: Tensor = self.network(x, graph.edge_index, e, graph.part)
        return features
