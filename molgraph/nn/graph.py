"""Graphs of a batch: directed edges, sums over neighbours, and which edges see the same surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from molgraph.data.packed import owners, spans, starts


@dataclass(frozen=True)
class Graph:
    """Hold the directed edges of all graphs of a batch; a bond k is the edges 2k (begin to end) and 2k + 1 (back).

    So the reverse of edge i is i ^ 1.

    Shapes: `source`, `target` int64 [E], nodes numbered through the batch; `offsets` int64 [P + 1] over nodes.
    """

    source: Tensor
    target: Tensor
    offsets: Tensor

    @classmethod
    def of(cls, ends: Tensor, nodes: Tensor, bonds: Tensor) -> Graph:
        """Build the graph from ends [M, 2] (numbered within their part) and the offsets of nodes and bonds."""
        shift = torch.repeat_interleave(nodes[:-1], bonds.diff())
        ends = ends + shift.unsqueeze(1)
        return cls(ends.reshape(-1), ends.flip(1).reshape(-1), nodes)

    @property
    def nodes(self) -> int:
        return int(self.offsets[-1])

    @property
    def edge_index(self) -> Tensor:
        """Return int64 [2, E]: source, target."""
        return torch.stack([self.source, self.target])

    @property
    def part(self) -> Tensor:
        """Return for each node the part that owns it: int64 [N]."""
        return owners(self.offsets)

    def incoming(self) -> Sums:
        """Return for every node the sum over the edges that end there."""
        index = torch.argsort(self.target, stable=True)
        return Sums(index, starts(torch.bincount(self.target, minlength=self.nodes)))

    def onward(self, incoming: Sums, edges: Tensor) -> Sums:
        """Return for each of `edges`, v -> w, the sum over the edges u -> v with u other than w."""
        into = incoming.take(self.source.index_select(0, edges))
        lengths = into.offsets.diff()
        keep = into.index != torch.repeat_interleave(edges ^ 1, lengths)
        return Sums(into.index[keep], starts(lengths - 1))


@dataclass(frozen=True)
class Sums:
    """Sum rows: row r of the result is the sum of the rows index[offsets[r]:offsets[r + 1]] of the argument.

    Shapes: `index` int64 [L], `offsets` int64 [R + 1].
    """

    index: Tensor
    offsets: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        """Return [R, D] from values [C, D]."""
        result: Tensor = _Sum.apply(values, self.index, self.offsets)  # type: ignore[no-untyped-call]
        return result

    def take(self, rows: Tensor) -> Sums:
        """Return the sums of some rows."""
        at, offsets = spans(self.offsets, rows)
        return Sums(self.index.index_select(0, at), offsets)

    def renamed(self, names: Tensor) -> Sums:
        """Return the same sums over values in which row c is now row names[c]."""
        return Sums(names.index_select(0, self.index), self.offsets)


class _Sum(torch.autograd.Function):
    """Sum rows by list; autograd's own gradient of `embedding_bag` takes up to 3 times longer on a CPU."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, index: Tensor, offsets: Tensor) -> Tensor:
        ctx.save_for_backward(index, offsets)
        ctx.rows = len(values)
        return F.embedding_bag(index, values.detach(), offsets, mode="sum", include_last_offset=True)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        index, offsets = ctx.saved_tensors
        back = owners(offsets).index_select(0, torch.argsort(index, stable=True))
        begin = starts(torch.bincount(index, minlength=ctx.rows))
        return F.embedding_bag(back, gradient.contiguous(), begin, mode="sum", include_last_offset=True), None, None


@dataclass(frozen=True)
class Kinds:
    """Hold which of n things are alike.

    Shapes: `of` int64 [n], the kind of each thing; `first` int64 [K], one thing of each kind.
    """

    of: Tensor
    first: Tensor

    @classmethod
    def all_different(cls, things: Tensor) -> Kinds:
        """Make every thing a kind of its own."""
        each = torch.arange(len(things), device=things.device)
        return cls(each, each)

    @classmethod
    def alike(cls, keys: Tensor) -> Kinds:
        """Make things with equal keys (int64 [n]) one kind."""
        order = torch.argsort(keys, stable=True)
        ordered = keys.index_select(0, order)
        new = torch.ones_like(order, dtype=torch.bool)
        new[1:] = ordered[1:] != ordered[:-1]
        return cls(torch.empty_like(order).index_copy_(0, order, torch.cumsum(new, 0) - 1), order[new])


def scramble(keys: Tensor) -> Tensor:
    """Return pseudo-random int64 that depend on nothing but int64 keys, one to one.

    See: SplitMix64, Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195.
    """
    keys = (keys ^ _shifted(keys, 30)) * (0xBF58476D1CE4E5B9 - 2**64)
    keys = (keys ^ _shifted(keys, 27)) * (0x94D049BB133111EB - 2**64)
    return keys ^ _shifted(keys, 31)


def _shifted(keys: Tensor, bits: int) -> Tensor:
    """Shift right and fill with zeros; torch fills with the sign, which would make a key and its complement one."""
    mask: int = 2 ** (64 - bits) - 1
    return (keys >> bits) & mask


def code_keys(codes: Tensor) -> Tensor:
    """Return one int64 key per row of integer codes [N, K]."""
    keys = torch.zeros(len(codes), dtype=torch.int64, device=codes.device)
    for column in codes.unbind(1):
        keys = scramble(keys + column + 1)
    return keys


def surroundings(graph: Graph, nodes: Tensor, bonds: Tensor, depth: int) -> tuple[list[Tensor], Tensor]:
    """Return keys that are equal where directed message passing cannot tell edges, or nodes, apart.

    An edge v -> w starts with the keys of v and of its bond; each step adds what the edges u -> v, u other than w,
    have seen. This is colour refinement: things of one colour have one representation, which is computed once.
    Keys are 64 pseudo-random bits: two of a batch's n surroundings share one by accident with a chance of about
    n^2 / 2^65, 3e-12 for 10,000 of them.

    Shapes: `nodes` int64 [N] and `bonds` int64 [E / 2] are keys; the result is `depth` times [E], and [N].

    See: Bollen et al. 2023, Learning Graph Neural Networks using Exact Compression, arXiv 2304.14793.
    """
    first = scramble(nodes.index_select(0, graph.source) + scramble(bonds).repeat_interleave(2))
    edges = [first]
    for _ in range(depth - 1):
        seen = scramble(edges[-1])
        into = torch.zeros_like(nodes).index_add_(0, graph.target, seen)
        onward = into.index_select(0, graph.source) - seen.view(-1, 2).flip(1).reshape(-1)
        edges.append(scramble(first + onward))
    last = torch.zeros_like(nodes).index_add_(0, graph.target, scramble(edges[-1]))
    return edges, scramble(scramble(nodes) + last)


def return_probabilities(graph: Graph, steps: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return for each node the chance that a random walk from it is back after 1, ..., `steps` steps: [N, steps].

    See: Dwivedi et al. 2022, arXiv 2110.07875, equation 9.
    """
    place = torch.arange(graph.nodes, device=graph.source.device) - graph.offsets.index_select(0, graph.part)
    largest = int(graph.offsets.diff().amax())
    part = graph.part.index_select(0, graph.source)
    begin, end = place.index_select(0, graph.source), place.index_select(0, graph.target)
    share = 1 / torch.bincount(graph.source, minlength=graph.nodes).to(dtype).index_select(0, graph.source)
    walk = torch.zeros(len(graph.offsets) - 1, largest, largest, dtype=dtype, device=graph.source.device)
    walk[part, begin, end] = share
    chances, power = [], walk
    for _ in range(steps):
        chances.append(power.diagonal(dim1=1, dim2=2)[graph.part, place])
        power = power @ walk
    return torch.stack(chances, 1)
