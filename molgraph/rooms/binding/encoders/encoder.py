"""What all encoders of complexes share: the pocket cut to size on the device, and who touches whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Packed, Schema, owners, starts
from molgraph.errors import ConfigError
from molgraph.model.encoder import Encoder, Features
from molgraph.rooms.binding.features import COMPLEX
from molgraph.rooms.binding.pocket import REACH
from molgraph.rooms.binding.residues import ION, LIGAND, WATER
from molgraph.rooms.molecule.encoders.encoder import training_parts

SETTINGS: dict[str, Any] = {
    "hidden": [64, 128, 256],
    "depth": {"low": 2, "high": 5},
    "dropout": {"low": 0.0, "high": 0.4},
    "cutoff": {"low": 4.0, "high": 6.0},
}


@dataclass(frozen=True)
class Complexes:
    """Hold P ligands in their pockets, ligand atoms first in each.

    Shapes: `atom` integer codes [N, K]; `xyz` [N, 3] in angstrom; `ligand` bool [N]; `offsets` int64 [P + 1];
    `bonds` int64 [2, M] and `contacts` int64 [2, C] (ligand atom, pocket atom), each pair once, numbered through the
    batch.
    """

    atom: Tensor
    xyz: Tensor
    ligand: Tensor
    offsets: Tensor
    bonds: Tensor
    contacts: Tensor

    @classmethod
    def of(cls, parts: Packed, cutoff: float, *, waters: bool, metals: bool, dtype: torch.dtype) -> Complexes:
        """Cut the pockets: whole residues that come within `cutoff` of the ligand, waters and ions as wanted."""
        kind = parts.values["atom"][:, -1]
        keep = parts.values["near"] <= cutoff
        for wanted, which in ((waters, WATER), (metals, ION)):
            if not wanted:
                keep = keep & (kind != which)
        offsets = starts(keep)[parts.offsets["atom"]]
        shift = torch.repeat_interleave(parts.offsets["atom"][:-1], parts.offsets["bond"].diff())
        bonds = parts.values["ends"].long() + shift.unsqueeze(1)
        bonds = bonds[keep[bonds].all(1)]
        number = torch.cumsum(keep, 0) - 1
        xyz = parts.values["xyz"][keep].to(dtype)
        ligand = kind[keep] == LIGAND
        contacts = _contacts(xyz, ligand, offsets, cutoff)
        return cls(parts.values["atom"][keep], xyz, ligand, offsets, number[bonds].T, contacts)

    @property
    def ligands(self) -> Tensor:
        """Return the offsets of the ligand atoms alone: int64 [P + 1]."""
        offsets: Tensor = starts(self.ligand).index_select(0, self.offsets)
        return offsets

    def distances(self, pairs: Tensor) -> Tensor:
        """Return the distance of each pair [2, E], in angstrom: [E]."""
        first, second = pairs
        line = self.xyz.index_select(0, first) - self.xyz.index_select(0, second)
        length: Tensor = torch.linalg.vector_norm(line, dim=1)
        return length


def _contacts(xyz: Tensor, ligand: Tensor, offsets: Tensor, cutoff: float) -> Tensor:
    """Return the pairs (ligand atom, pocket atom) nearer than `cutoff`, int64 [2, C]."""
    count = starts(ligand)[offsets].diff()
    others = offsets.diff() - count
    ends = starts(count * others)
    part = owners(ends)
    place = torch.arange(len(part), device=part.device) - ends.index_select(0, part)
    wide = others.index_select(0, part)
    begin = offsets.index_select(0, part)
    first = begin + torch.div(place, wide, rounding_mode="floor")
    second = begin + count.index_select(0, part) + place % wide
    near = (xyz.index_select(0, first) - xyz.index_select(0, second)).square().sum(1) < cutoff**2
    return torch.stack([first[near], second[near]])


class ComplexEncoder(Encoder):
    """Turn ligands in their pockets into features of the ligand atoms, which are summed: each atom adds its part.

    A subclass writes `encode`. Only distances, and what does not change with the frame, are read. Features are divided
    by the mean number of ligand atoms in training, so that a sum starts as small as a mean.

    Raises: ConfigError where `hidden` or `depth` is below 1, `dropout` outside [0, 1) or `cutoff` outside (0, 8].
    """

    needs: tuple[str, ...] = (COMPLEX,)
    pooling: ClassVar[str] = "sum"
    space: ClassVar[dict[str, Any]] = SETTINGS

    size: Tensor

    def __init__(
        self, schema: Schema, hidden: int, depth: int, dropout: float, cutoff: float, waters: bool, metals: bool
    ) -> None:
        super().__init__(schema)
        if hidden < 1 or depth < 1:
            raise ConfigError(f"hidden = {hidden}, depth = {depth}: both must be at least 1.")
        if not 0 <= dropout < 1:
            raise ConfigError(f"dropout = {dropout} is out of range: it must be at least 0 and below 1.")
        if not 0 < cutoff <= REACH:
            raise ConfigError(f"cutoff = {cutoff} is out of range: it must be above 0 and at most {REACH:g} angstrom.")
        self.register_buffer("size", torch.ones(()))
        self.dim, self.depth, self.cutoff, self.waters, self.metals = hidden, depth, cutoff, waters, metals

    def adapt(self, train: Dataset) -> None:
        parts = training_parts(train, "atom")
        ligand = parts.values["atom"][:, -1] == LIGAND
        self.size.fill_(max(int(ligand.sum()), 1) / max(len(parts), 1))

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        dtype = next(self.parameters()).dtype
        made = Complexes.of(parts, self.cutoff, waters=self.waters, metals=self.metals, dtype=dtype)
        values = self.encode(made)
        return Features(values, None, index) if self.pooled else Features(values / self.size, made.ligands, index)

    def encode(self, made: Complexes) -> Tensor:
        """Return the features of ligand atoms [L, dim] (of complexes [P, dim] where `pooled`)."""
        raise NotImplementedError
