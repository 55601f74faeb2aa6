"""Interaction network: covalent bonds and contacts pass messages side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from molgraph.data.packed import Schema
from molgraph.nn.codes import Codes
from molgraph.nn.dropout import Dropout
from molgraph.nn.radial import Radial, fade
from molgraph.rooms.binding.encoders.encoder import ComplexEncoder, Complexes


class Interaction(ComplexEncoder):
    """Sum over bonds and, apart from it, over contacts what neighbours send by distance; add both, `depth` times.

    A contact fades to nothing at `cutoff`, norms are those of layers and the features are those of the ligand atoms;
    otherwise as published.

    See: Yang et al. 2023, doi 10.1021/acs.jpclett.2c03906 (GIGN).
    """

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 128,
        depth: int = 3,
        dropout: float = 0.1,
        cutoff: float = 5.0,
        waters: bool = False,
        metals: bool = True,
        radial: int = 16,
    ) -> None:
        super().__init__(schema, hidden, depth, dropout, cutoff, waters, metals)
        self.atom = Codes(schema["atom"], hidden)
        self.radial = Radial(cutoff, radial)
        self.layers = nn.ModuleList(_Layer(hidden, radial, dropout) for _ in range(depth))

    def encode(self, made: Complexes) -> Tensor:
        x: Tensor = self.atom(made.atom)
        distance = made.distances(made.contacts)
        bonds = self.radial(made.distances(made.bonds))
        contacts, weight = self.radial(distance), fade(distance, self.cutoff).unsqueeze(1)
        for layer in self.layers:
            x = layer(x, made, bonds, contacts, weight)
        return x[made.ligand]


class _Layer(nn.Module):
    def __init__(self, hidden: int, radial: int, dropout: float) -> None:
        super().__init__()
        self.by_bond = nn.Sequential(nn.Linear(radial, hidden), nn.SiLU())
        self.by_contact = nn.Sequential(nn.Linear(radial, hidden), nn.SiLU())
        self.bonded = _update(hidden, dropout)
        self.touching = _update(hidden, dropout)

    def forward(self, x: Tensor, made: Complexes, bonds: Tensor, contacts: Tensor, weight: Tensor) -> Tensor:
        bonded = _received(x, made.bonds, self.by_bond(bonds))
        touching = _received(x, made.contacts, self.by_contact(contacts) * weight)
        out: Tensor = self.bonded(x + bonded) + self.touching(x + touching)
        return out


def _update(hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(hidden, hidden), Dropout(dropout), nn.LeakyReLU(), nn.LayerNorm(hidden))


def _received(x: Tensor, pairs: Tensor, filters: Tensor) -> Tensor:
    """Sum for each atom what it gets from the other end of its pairs: features times the filter of the distance."""
    first, second = pairs
    total = torch.zeros_like(x)
    total = total.index_add(0, first, x.index_select(0, second) * filters)
    return total.index_add(0, second, x.index_select(0, first) * filters)
