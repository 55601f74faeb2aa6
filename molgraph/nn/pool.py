"""Pooling: the rows of each part to one vector."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from molgraph.data.packed import owners
from molgraph.errors import ConfigError, did_you_mean

Kind = Literal["mean", "sum", "max", "attention", "gated", "last", "none"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Pool(nn.Module):
    """Turn features of rows into features of parts: `mean`, `sum`, `max`, `attention`, `gated`, `last`, or `none`.

    Attention weighs each row by a softmax over its part of a learnt score: linear, or `gated`, as multiple-instance
    learning has it (Ilse 2018, arXiv 1802.04712, equation 9). A part without rows gives zeros.

    Shapes: values [M, dim] and offsets int64 [P + 1] to [P, dim]; offsets None means that the rows are the parts.

    Raises: ConfigError for an unknown kind, and where `none` meets several rows per part.
    """

    def __init__(self, kind: str, dim: int) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ConfigError(f"unknown pooling '{kind}'{did_you_mean(kind, KINDS)}")
        self.kind = kind
        self.score: nn.Module | None = None
        if kind == "attention":  # without bias: a softmax does not change when all its scores are shifted
            self.score = nn.Linear(dim, 1, bias=False)
        elif kind == "gated":
            self.score = Gated(dim)

    def forward(self, values: Tensor, offsets: Tensor | None) -> Tensor:
        if offsets is None:
            return values
        if self.kind == "none":
            raise ConfigError(
                "pooling 'none' leaves several rows per part; choose mean, sum, max, attention, gated or last."
            )
        if self.kind == "last":
            return last(values, offsets)
        if self.kind == "max":
            return largest(values, offsets)
        if self.score is not None:
            values = values * softmax(self.score(values), offsets)
        total = segment_sum(values, offsets)
        return total / offsets.diff().clamp(min=1).unsqueeze(1) if self.kind == "mean" else total


class Gated(nn.Module):
    """Score each row by a tangent gated by a sigmoid: [M, dim] to [M, 1].

    See: Ilse, Tomczak and Welling 2018, arXiv 1802.04712, equation 9 (128 hidden units there)
    """

    def __init__(self, dim: int, hidden: int = 128) -> None:
        super().__init__()
        self.value, self.gate = nn.Linear(dim, hidden), nn.Linear(dim, hidden)
        self.weight = nn.Linear(hidden, 1, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        score: Tensor = self.weight(self.value(values).tanh() * self.gate(values).sigmoid())
        return score


def segment_sum(values: Tensor, offsets: Tensor) -> Tensor:
    """Return the sum of each part's rows: [M, D] to [P, D]."""
    return values.new_zeros(len(offsets) - 1, values.shape[1]).index_add_(0, owners(offsets), values)


def largest(values: Tensor, offsets: Tensor) -> Tensor:
    """Return the largest of each part's rows, column by column, zeros for a part without rows; ties share the gradient.

    `segment_reduce` takes a quarter of the time of `scatter_reduce`, whose gradient is slow on a CPU.
    """
    found = torch.segment_reduce(values, "max", offsets=offsets, axis=0)
    return found.masked_fill((offsets.diff() == 0).unsqueeze(1), 0.0)


def softmax(scores: Tensor, offsets: Tensor) -> Tensor:
    """Return the softmax of scores [M, D] over the rows of each part; the largest score of a part is subtracted."""
    part = owners(offsets)
    largest = scores.new_full((len(offsets) - 1, scores.shape[1]), -torch.inf)
    largest.scatter_reduce_(0, part.unsqueeze(1).expand_as(scores), scores.detach(), "amax")
    weight = (scores - largest.index_select(0, part)).exp()
    return weight / segment_sum(weight, offsets).index_select(0, part)


def last(values: Tensor, offsets: Tensor) -> Tensor:
    """Return the last row of each part, zeros for a part without rows."""
    filled = offsets.diff() > 0
    result = values.new_zeros(len(filled), values.shape[1])
    return result.index_copy(0, filled.nonzero().squeeze(1), values.index_select(0, offsets[1:][filled] - 1))
