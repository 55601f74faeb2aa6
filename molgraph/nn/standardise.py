"""Scaling of measured or computed numbers by what the training rows teach."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CLIP = 10.0  # in standard deviations: an outlier counts as extreme, and no more, so that it cannot swamp the network


class Standardise(nn.Module):
    """Bring columns to mean 0 and standard deviation 1 over the training rows, and clip them.

    A column that is constant in training says nothing and becomes 0. What is NaN teaches nothing and stays so.

    Shapes: [P, D] to [P, D].
    """

    mean: Tensor
    rate: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("rate", torch.ones(width))

    def learn(self, values: Tensor) -> None:
        """Learn mean and rate (1 / standard deviation) from training values [P, D]."""
        exact = values.double()  # some descriptors span 20 orders of magnitude; float32 squares overflow
        mean, spread = exact.mean(0), exact.std(0, unbiased=False)
        for at in exact.isnan().any(0).nonzero()[:, 0].tolist():
            known = exact[~exact[:, at].isnan(), at]
            mean[at] = known.mean() if len(known) else 0.0
            spread[at] = known.std(unbiased=False) if len(known) else 0.0
        self.mean.copy_(mean)
        self.rate.copy_(torch.where(spread > 0, 1 / spread, 0))

    def forward(self, values: Tensor) -> Tensor:
        return ((values - self.mean) * self.rate).clamp(-CLIP, CLIP)
