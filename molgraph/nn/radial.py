"""Distances to features that grow and fade smoothly."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Radial(nn.Module):
    """Expand distances in Gaussians with evenly spaced centres from 0 to `largest`, each as wide as the spacing.

    Shapes: [E] to [E, count].

    See: Schuett et al. 2017, SchNet, arXiv 1706.08566.
    """

    centres: Tensor

    def __init__(self, largest: float, count: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(0, largest, count), persistent=False)
        self.rate = (count - 1) / largest

    def forward(self, distance: Tensor) -> Tensor:
        away = (distance.unsqueeze(1) - self.centres.to(distance.dtype)) * self.rate
        return torch.exp(-0.5 * away.square())


def fade(distance: Tensor, cutoff: float) -> Tensor:
    """Return 1 at distance 0 and, falling smoothly, 0 from `cutoff` on, so that no edge comes or goes with a jump.

    See: Behler 2011, doi 10.1063/1.3553717 (the cosine cutoff).
    """
    inside = (distance < cutoff).to(distance.dtype)
    return inside * (0.5 * torch.cos(distance * (math.pi / cutoff)) + 0.5)
