"""Fusion by attention between the elements of two inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from molgraph.data.dataset import ABSENT
from molgraph.data.packed import owners, spans
from molgraph.errors import ConfigError
from molgraph.fusion.fusion import MODALITY_DROPOUT, Fusion, at_least_one, presence
from molgraph.fusion.kept import Encoded
from molgraph.model.encoder import Encoder
from molgraph.nn.pool import segment_sum

CELLS = 2**22  # numbers in the largest tensor of a chunk: 16 MB in float32


class Cross(Fusion):
    """Weigh the atoms of a drug by what the residues of its target attend to, and the residues by the atoms.

    The two inputs may be any whose encoders leave elements. With A[n, m] = phi(x_n) . phi(y_m) of each two elements,
    phi = elu + 1, each atom shares its attention out to the residues and each residue to the atoms; an element weighs
    the mean share that it gets, head by head, and the weighted sums join the pooled vectors. A is never made: the sums
    of phi over the parts stand for it, so a pair costs N + M and not N M, and chunks bound what is held at once.

    See: Katharopoulos et al. 2020, Transformers are RNNs, arXiv 2006.16236, equations 4 to 7 (phi, linear attention);
    Lu et al. 2016, arXiv 1606.00061 (attention both ways); Zhao et al. 2022, HyperAttentionDTI,
    doi 10.1093/bioinformatics/btab715 (elements of drug and target weighed by one map, averaged over each side)
    """

    attends: ClassVar[bool] = True
    space: ClassVar[dict[str, Any]] = {
        "hidden": [64, 128, 256],
        "heads": [1, 2, 4, 8],
        "modality_dropout": MODALITY_DROPOUT,
    }

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        *,
        hidden: int = 128,
        heads: int = 4,
        pooling: str = "auto",
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__(encoders, pooling, modality_dropout)
        if len(encoders) != 2:
            raise ConfigError(f"fusion/cross joins two inputs, not {len(encoders)}; use another fusion.")
        for name, encoder in encoders.items():
            if encoder.pooled:
                raise ConfigError(
                    f"fusion/cross: the encoder of '{name}' gives whole parts and leaves no elements to attend to; "
                    "use another encoder, or another fusion."
                )
        if hidden % at_least_one("heads", heads) or hidden < 1:
            raise ConfigError(f"hidden = {hidden} cannot be shared out to heads = {heads}; choose a multiple.")
        self.heads, self.hidden = heads, hidden
        self.dim = sum(self.widths.values()) + 2 * hidden + 2
        self.keys = nn.ModuleList(nn.Linear(encoder.dim, hidden) for encoder in encoders.values())
        self.values = nn.ModuleList(nn.Linear(encoder.dim, hidden) for encoder in encoders.values())

    def fuse(self, rows: list[Tensor], index: Tensor, encoded: Mapping[str, Encoded]) -> Tensor:
        sides = [self._side(at, encoded[name]) for at, name in enumerate(self.names)]
        there = (index != ABSENT).all(1).nonzero().squeeze(1)
        for at, side in enumerate(sides):  # a part may have no element
            there = there[side.offsets.diff().index_select(0, index[there, at]) > 0]
        long = max((0, 1), key=lambda at: len(sides[at].keys) / max(len(sides[at].sums), 1))
        order = there[index[there, long].argsort(stable=True)]
        found = rows[0].new_zeros(len(index), 2 * self.hidden)
        if len(order):
            sums = attend(sides[1 - long], sides[long], index[order, 1 - long], index[order, long])
            both = torch.cat([s.flatten(1) for s in (sums if long else sums[::-1])], 1)
            found = found.index_copy(0, order, both.to(found.dtype))
        return torch.cat([*rows, found, presence(index, found)], 1)

    def _side(self, at: int, given: Encoded) -> Side:
        assert given.offsets is not None  # refused in __init__
        keys = F.elu(self.keys[at](given.elements)) + 1
        values = self.values[at](given.elements).unflatten(1, (self.heads, -1))
        sums = segment_sum(keys, given.offsets).unflatten(1, (self.heads, -1))
        return Side(keys.unflatten(1, (self.heads, -1)), values, sums, given.offsets)


@dataclass(frozen=True)
class Side:
    """Hold the elements of one input's parts.

    Shapes: `keys` (phi) and `values` [M, heads, d]; `sums` [U, heads, d], of the keys of each part; `offsets` [U + 1].
    """

    keys: Tensor
    values: Tensor
    sums: Tensor
    offsets: Tensor


def attend(short: Side, long: Side, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weighted sums of both sides of B pairs, each [B, heads, d].

    The elements of `short` are repeated for each pair; those of `long`, as many pairs share one, are multiplied.
    Shapes: `one` and `other` int64 [B], the part of each side; `other` ascends.
    """
    at, offsets = spans(short.offsets, one)
    row = owners(offsets)
    keys = short.keys.index_select(0, at)
    shares = keys / _dot(keys, long.sums.index_select(0, other).index_select(0, row))
    query = _by_part(shares, offsets) / offsets.diff().view(-1, 1, 1)
    parts, sizes = _runs(other, long.offsets, short.sums.shape[1])
    # `split` has one gradient for all its pieces, slices would have one each of the size of the whole
    lengths = long.offsets.diff().tolist()
    keys_of, values_of = (v.transpose(0, 1).split(lengths, 1) for v in (long.keys, long.values))  # [heads, M, d]
    sums = short.sums.index_select(0, one).transpose(0, 1).split(sizes, 1)  # [heads, b, d]
    to_short, to_long = [], []
    for part, asked, total in zip(parts, query.transpose(0, 1).split(sizes, 1), sums, strict=True):
        key, value = keys_of[part], values_of[part]
        got = total @ key.transpose(1, 2)  # [heads, b, M]
        to_short.append((got.reciprocal() @ key / key.shape[1]).transpose(0, 1))
        to_long.append((asked @ (key.transpose(1, 2) @ value)).transpose(0, 1))
    weight = _dot(keys, torch.cat(to_short).index_select(0, row))
    return _by_part(weight * short.values.index_select(0, at), offsets), torch.cat(to_long)


def _runs(parts: Tensor, offsets: Tensor, heads: int) -> tuple[list[int], list[int]]:
    """Cut ascending `parts` into runs of one part each, so few that a chunk stays small: the part and size of each."""
    used, counts = torch.unique_consecutive(parts, return_counts=True)
    of, sizes = [], []
    for part, count, length in torch.stack([used, counts, offsets.diff()[used]], 1).tolist():
        step = max(1, CELLS // (heads * length))
        for at in range(0, count, step):
            of.append(part)
            sizes.append(min(step, count - at))
    return of, sizes


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return torch.einsum("nhd,nhd->nh", one, other).unsqueeze(2)


def _by_part(values: Tensor, offsets: Tensor) -> Tensor:
    return segment_sum(values.flatten(1), offsets).view(-1, *values.shape[1:])
