"""Convolutions over the densities of a complex on a grid that turns with it."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from molgraph.data.packed import Schema, owners
from molgraph.errors import ConfigError
from molgraph.nn.convolution import Convolution
from molgraph.rooms.binding.encoders.encoder import SETTINGS, ComplexEncoder, Complexes
from molgraph.rooms.molecule.graphs import ATOM

_ELEMENTS = ATOM[0].values
# Channels of the ligand and, after them, of the pocket: elements that share one, the rest in the last.
_OF_LIGAND = ((6,), (7,), (8,), (15, 16), (9, 17, 35, 53))
_OF_POCKET = ((6,), (7,), (8,), (16,))
CHANNELS = len(_OF_LIGAND) + len(_OF_POCKET) + 2


class CNN3D(ComplexEncoder):
    """Spread each atom over the 27 voxels around it, one channel per group of elements, and convolve `depth` times.

    The grid is centred on the ligand and lies along the principal axes of ligand and pocket together, each pointing to
    the side of the larger third moment: a complex that is turned or shifted gives the same volume. Two complexes that
    are nearly alike may still lie differently where two axes are nearly equally long.

    See: Ragoza et al. 2017, doi 10.1021/acs.jcim.6b00740 (densities by atom type); Hockney and Eastwood 1981, Computer
    Simulation Using Particles, section 5-3 (the triangular-shaped cloud, which moves smoothly from voxel to voxel).
    """

    pooled: ClassVar[bool] = True
    space: ClassVar[dict[str, Any]] = {
        **SETTINGS,
        "hidden": [32, 64, 128],
        "depth": {"low": 2, "high": 4},
        "side": [20, 24, 28],
        "cutoff": {"low": 5.0, "high": 8.0},
    }

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 64,
        depth: int = 3,
        dropout: float = 0.1,
        cutoff: float = 6.0,
        waters: bool = False,
        metals: bool = True,
        side: int = 24,
        spacing: float = 1.0,
    ) -> None:
        super().__init__(schema, hidden, depth, dropout, cutoff, waters, metals)
        if side < 4 or spacing <= 0:
            raise ConfigError(f"side = {side}, spacing = {spacing}: at least 4 voxels, each above 0 angstrom.")
        self.side, self.spacing = side, spacing
        widths = [max(hidden >> (depth - 1 - step), 8) for step in range(depth - 1)] + [hidden]
        self.network = Convolution(CHANNELS, widths, dropout=dropout)

    def encode(self, made: Complexes) -> Tensor:
        return self.network.pooled(voxels(made, self.side, self.spacing))


def voxels(made: Complexes, side: int, spacing: float) -> Tensor:
    """Return the densities [P, CHANNELS, side, side, side]; what lies outside the grid is cut off."""
    place = in_own_frame(made).to(made.xyz.dtype) / spacing + (side - 1) / 2
    nearest = place.round()
    away = place - nearest
    weights = torch.stack([0.5 * (0.5 - away).square(), 0.75 - away.square(), 0.5 * (0.5 + away).square()], 1)
    steps = torch.cartesian_prod(*[torch.arange(3, device=place.device)] * 3)
    weight = weights[:, steps[:, 0], 0] * weights[:, steps[:, 1], 1] * weights[:, steps[:, 2], 2]
    voxel = nearest.long().unsqueeze(1) + steps - 1
    inside = ((voxel >= 0) & (voxel < side)).all(2)
    start = owners(made.offsets) * CHANNELS + channel(made)
    flat = ((start.unsqueeze(1) * side + voxel[..., 0]) * side + voxel[..., 1]) * side + voxel[..., 2]
    count = len(made.offsets) - 1
    volume = place.new_zeros(count * CHANNELS * side**3).index_add(0, flat[inside], weight[inside])
    return volume.view(count, CHANNELS, side, side, side)


def channel(made: Complexes) -> Tensor:
    """Return the channel of each atom: int64 [N]."""
    tables = made.atom.new_zeros((2, len(_ELEMENTS) + 1), dtype=torch.int64)
    first = 0
    for row, groups in enumerate((_OF_LIGAND, _OF_POCKET)):
        tables[row] = first + len(groups)
        for number, elements in enumerate(groups):
            for element in elements:
                tables[row, _ELEMENTS.index(element)] = first + number
        first += len(groups) + 1
    return tables[(~made.ligand).long(), made.atom[:, 0].long()]


def in_own_frame(made: Complexes) -> Tensor:
    """Return places float64 [N, 3] about the ligand's centroid, along the principal axes of each complex."""
    xyz, part = made.xyz.double(), owners(made.offsets)
    own = part[made.ligand]
    centre = _means(xyz[made.ligand], own, made.ligands.diff())
    xyz = xyz - centre.index_select(0, part)
    about = xyz - _means(xyz, part, made.offsets.diff()).index_select(0, part)
    count = len(made.offsets) - 1
    spread = about.new_zeros(count, 3, 3).index_add(0, part, about.unsqueeze(2) * about.unsqueeze(1))
    axes = torch.linalg.eigh(spread)[1]
    along = (about.unsqueeze(1) @ axes.index_select(0, part)).squeeze(1)
    skew = about.new_zeros(count, 3).index_add(0, part, along**3)
    axes = axes * torch.where(skew < 0, -1.0, 1.0).unsqueeze(1)
    third = torch.linalg.cross(axes[..., 0], axes[..., 1])  # right-handed: a mirror image is another complex
    axes = torch.stack([axes[..., 0], axes[..., 1], third], 2)
    return (xyz.unsqueeze(1) @ axes.index_select(0, part)).squeeze(1)


def _means(values: Tensor, part: Tensor, counts: Tensor) -> Tensor:
    total = values.new_zeros(len(counts), values.shape[1]).index_add(0, part, values)
    return total / counts.clamp(min=1).unsqueeze(1)
