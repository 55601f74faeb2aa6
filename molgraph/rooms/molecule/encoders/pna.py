"""Principal neighbourhood aggregation."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch_geometric.nn.aggr import DegreeScalerAggregation

from molgraph.data.dataset import Dataset
from molgraph.data.packed import Schema
from molgraph.nn.graph import Graph
from molgraph.rooms.molecule.encoders.encoder import Convolutions, share_out, training_parts
from molgraph.rooms.molecule.encoders.geometric import PNAConv


class PNA(Convolutions):
    """Aggregate neighbours by mean, minimum, maximum and deviation, each scaled by degree, `depth` times.

    The scaling is relative to the mean degree of the training molecules, which `adapt` learns.

    See: Corso et al. 2020, Principal Neighbourhood Aggregation for Graph Nets, arXiv 2004.05718.
    """

    order: ClassVar[tuple[str, ...]] = ("atom bond", "layers norms")
    space: ClassVar[dict[str, Any]] = {**Convolutions.space, "towers": [1, 2, 4]}

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 64,
        depth: int = 4,
        towers: int = 4,
        dropout: float = 0.0,
        descriptors: bool = False,
    ) -> None:
        share_out(hidden, "towers", towers)
        super().__init__(
            schema,
            hidden,
            depth,
            dropout,
            descriptors,
            lambda: PNAConv(
                hidden,
                hidden,
                aggregators=["mean", "min", "max", "std"],
                scalers=["identity", "amplification", "attenuation"],
                deg=torch.tensor([0, 1], device="cpu"),
                edge_dim=hidden,
                towers=towers,
                divide_input=True,
            ),
        )

    def adapt(self, train: Dataset) -> None:
        super().adapt(train)
        parts = training_parts(train, "atom", "ends")
        graph = Graph.of(parts.values["ends"], parts.offsets["atom"], parts.offsets["bond"])
        degree = torch.bincount(graph.target, minlength=graph.nodes).double()
        if degree.any():  # without a bond there is nothing to scale
            for scaler in self.modules():
                if isinstance(scaler, DegreeScalerAggregation):
                    scaler.avg_deg_lin.fill_(degree.mean())
                    scaler.avg_deg_log.fill_((degree + 1).log().mean())
