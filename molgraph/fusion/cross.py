"""Fusion by attention between the elements of two inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from molgraph.data.dataset import ABSENT
from molgraph.errors import ConfigError
from molgraph.fusion.fusion import MODALITY_DROPOUT, Encoded, Fusion, at_least_one, presence
from molgraph.model.encoder import Encoder

CELLS = 2**22  # numbers in a chunk's largest tensors: 16 MB each in float32


class Cross(Fusion):
    """Weigh the atoms of a drug by what the residues of its target attend to, and the residues by the atoms.

    The two inputs may be any whose encoders leave elements to attend to. With scores S = Q K^T / sqrt(d) of each pair
    of elements, n of one side and m of the other, a residue weighs the mean over the atoms of softmax_m(S), an atom
    the mean over the residues of softmax_n(S); the weighted sums of each head join the pooled vectors. Rows are
    computed in chunks of bounded size, again in the backward pass, so that memory does not grow with the batch.

    See: Vaswani et al. 2017, arXiv 1706.03762, equation 1 (scores); Lu et al. 2016, arXiv 1606.00061 (both ways);
    Zhao et al. 2022, HyperAttentionDTI, doi 10.1093/bioinformatics/btab715 (one map, averaged over each side)
    """

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
        sides = []
        for name, key, value in zip(self.names, self.keys, self.values, strict=True):
            elements, offsets = encoded[name].elements, encoded[name].offsets
            assert offsets is not None  # refused in __init__
            sides.append((torch.cat([key(elements), value(elements)], 1), offsets))
        chunks, found = [], []
        for chunk in self._chunks(index, [offsets for _, offsets in sides]):
            given = [(values, offsets, at) for (values, offsets), at in zip(sides, index[chunk].unbind(1), strict=True)]
            chunks.append(chunk)
            if torch.is_grad_enabled():
                found.append(checkpoint(self._attend, *given, use_reentrant=False, preserve_rng_state=False))
            else:
                found.append(self._attend(*given))
        both = rows[0].new_zeros(len(index), 2 * self.hidden)
        if chunks:
            both = both.index_copy(0, torch.cat(chunks), torch.cat(found).to(both.dtype))
        return torch.cat([*rows, both, presence(index, both)], 1)

    def _chunks(self, index: Tensor, offsets: list[Tensor]) -> Iterator[Tensor]:
        """Yield the rows that have elements on both sides, rows of like lengths together."""
        there = (index != ABSENT).all(1).nonzero().squeeze(1)
        lengths = torch.stack(
            [o.diff().index_select(0, at) for o, at in zip(offsets, index[there].unbind(1), strict=True)], 1
        )
        there, lengths = there[lengths.amin(1) > 0], lengths[lengths.amin(1) > 0]
        order = lengths.amax(1).argsort()
        sizes = lengths[order].tolist()
        begin, most = 0, (0, 0)
        for end, (n, m) in enumerate(sizes):
            most = max(n, most[0]), max(m, most[1])
            cells = self.heads * most[0] * most[1] + 2 * self.hidden * (most[0] + most[1])
            if end > begin and (end - begin + 1) * cells > CELLS:
                yield there[order[begin:end]]
                begin, most = end, (n, m)
        if sizes:
            yield there[order[begin:]]

    def _attend(self, one: tuple[Tensor, Tensor, Tensor], other: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Return the weighted sums of both sides, [b, 2 hidden]."""
        (a, a_there), (b, b_there) = padded(*one), padded(*other)
        a_key, a_value = self._split(a)
        b_key, b_value = self._split(b)
        scores = a_key @ b_key.transpose(2, 3) / a_key.shape[3] ** 0.5  # [b, heads, N, M]
        to_b = scores.masked_fill(~b_there[:, None, None, :], -torch.inf).softmax(3)
        to_a = scores.masked_fill(~a_there[:, None, :, None], -torch.inf).softmax(2)
        b_weight = mean(to_b, a_there[:, None, :, None], 2)
        a_weight = mean(to_a, b_there[:, None, None, :], 3)
        sums = [(w.unsqueeze(2) @ v).flatten(1) for w, v in ((a_weight, a_value), (b_weight, b_value))]
        return torch.cat(sums, 1)

    def _split(self, side: Tensor) -> tuple[Tensor, Tensor]:
        """Cut [b, L, 2 hidden] into keys and values [b, heads, L, hidden / heads]."""
        key, value = side.unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return key, value


def padded(values: Tensor, offsets: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of the parts `ids`, filled up to the longest: [b, L, D], and which are rows: bool [b, L]."""
    begin, length = offsets.index_select(0, ids), offsets.diff().index_select(0, ids)
    place = torch.arange(int(length.max()), device=ids.device)
    there = place < length.unsqueeze(1)
    at = (begin.unsqueeze(1) + place).where(there, 0)
    return values.index_select(0, at.view(-1)).view(*at.shape, -1), there


def mean(values: Tensor, there: Tensor, dim: int) -> Tensor:
    """Return the mean over a dimension of the values that are there."""
    return (values * there).sum(dim) / there.sum(dim)
