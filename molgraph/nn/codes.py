"""Integer codes to features."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Codes(nn.Module):
    """Map rows of integer codes to features: a linear layer on their concatenated one-hots.

    A one-hot vector times a matrix is a row of the matrix, so the layer sums one row per column of codes.
    The weights start as those of `nn.Linear` with `fan_in` inputs do (by default, the number of codes).

    Shapes: codes integer [N, K], column k below sizes[k]; result [N, dim].
    """

    start: Tensor

    def __init__(self, sizes: Sequence[int], dim: int, *, fan_in: int | None = None, bias: bool = False) -> None:
        super().__init__()
        bound = (fan_in or sum(sizes)) ** -0.5
        self.weight = nn.Parameter(torch.empty(sum(sizes), dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(dim).uniform_(-bound, bound)) if bias else None
        self.register_buffer("start", torch.tensor([0, *accumulate(sizes)][:-1]), persistent=False)

    def forward(self, codes: Tensor) -> Tensor:
        total = F.embedding_bag(codes + self.start, self.weight, mode="sum")
        return total if self.bias is None else total + self.bias


def one_hot(codes: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return the concatenated one-hots [N, sum(sizes)] of integer codes [N, K]."""
    start = torch.tensor([0, *accumulate(sizes)][:-1], device=codes.device)
    hot = torch.zeros(len(codes), sum(sizes), device=codes.device)
    return hot.scatter_(1, codes + start, 1.0)
