"""Equivariant network: atoms exchange messages and move a little, whatever the frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from molgraph.data.packed import Schema
from molgraph.nn.codes import Codes
from molgraph.nn.feedforward import FeedForward
from molgraph.nn.radial import fade
from molgraph.rooms.binding.encoders.encoder import ComplexEncoder, Complexes


class EGNN(ComplexEncoder):
    """Update features by messages that know the distance, and places along the lines to neighbours, `depth` times.

    Edges are covalent bonds and contacts, told apart; a contact fades to nothing at `cutoff`. A step along a line is
    divided by its length + 1, as in the authors' code, so that it stays small. The last layer moves nothing, since
    only features are read.

    See: Satorras et al. 2021, E(n) Equivariant Graph Neural Networks, arXiv 2102.09844, equations 3 to 6.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 64,
        depth: int = 3,
        dropout: float = 0.1,
        cutoff: float = 5.0,
        waters: bool = False,
        metals: bool = True,
    ) -> None:
        super().__init__(schema, hidden, depth, dropout, cutoff, waters, metals)
        self.atom = Codes(schema["atom"], hidden)
        self.layers = nn.ModuleList(
            _Layer(hidden, dropout, cutoff, moves=number < depth - 1) for number in range(depth)
        )

    def encode(self, made: Complexes) -> Tensor:
        x: Tensor = self.atom(made.atom)
        place = made.xyz
        pairs = torch.cat([made.bonds, made.contacts], 1)
        edges = torch.cat([pairs, pairs.flip(0)], 1)
        is_bond = (torch.arange(pairs.shape[1], device=pairs.device) < made.bonds.shape[1]).to(x.dtype)
        weight = torch.where(is_bond > 0, is_bond, fade(made.distances(pairs), self.cutoff))
        kind, weight = torch.cat([is_bond, is_bond]).unsqueeze(1), torch.cat([weight, weight]).unsqueeze(1)
        for layer in self.layers:
            x, place = layer(x, place, edges, kind, weight)
        return x[made.ligand]


class _Layer(nn.Module):
    def __init__(self, hidden: int, dropout: float, cutoff: float, *, moves: bool) -> None:
        super().__init__()
        self.scale = cutoff**-2  # squared distances of 0 to 1
        self.receiver, self.sender = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden, bias=False)
        self.between = nn.Linear(2, hidden, bias=False)
        self.message = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.step = FeedForward(hidden, 1, hidden=hidden, activation="silu") if moves else None
        self.update = FeedForward(2 * hidden, hidden, hidden=hidden, dropout=dropout, activation="silu")
        self.norm = nn.LayerNorm(hidden)

    def forward(self, x: Tensor, place: Tensor, edges: Tensor, kind: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        source, target = edges
        line = place.index_select(0, target) - place.index_select(0, source)
        square = line.square().sum(1, keepdim=True)
        # the first layer on [h_i, h_j, d^2, a_ij], taken apart: what belongs to an atom is computed once per atom
        ends = self.receiver(x).index_select(0, target) + self.sender(x).index_select(0, source)
        message = self.message(ends + self.between(torch.cat([square * self.scale, kind], 1))) * weight
        if self.step is not None:
            moved = line / (square.clamp(min=1e-8).sqrt() + 1) * self.step(message) * weight
            count = torch.bincount(target, minlength=len(x)).clamp(min=1).unsqueeze(1)
            place = place + torch.zeros_like(place).index_add(0, target, moved) / count
        total = torch.zeros_like(x).index_add(0, target, message)
        return x + self.update(torch.cat([self.norm(x), total], 1)), place
