"""Convolutions over pictures and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from molgraph.errors import ConfigError
from molgraph.nn.dropout import Dropout

_VECTOR = 8  # channels that a processor takes at once
_CONVOLUTIONS: dict[int, Any] = {2: nn.Conv2d, 3: nn.Conv3d}


class Residual(nn.Module):
    """Convolve a picture or volume twice and add what went in, with half as many pixels a side where `stride` is 2.

    Norms are those of groups of channels, not of a batch, and nothing is done in place: features do not depend on the
    batch, and gradients per sample go through. What went in is added as it is where its size stays the same.

    Shapes: [B, inputs, (Z,) Y, X] to [B, outputs, (Z,) Y, X], each size divided by `stride` and rounded up.

    See: He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv 1603.05027; Wu and He 2018, Group
    Normalization, arXiv 1803.08494.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 2, dropout: float = 0.0, dims: int = 3) -> None:
        super().__init__()
        conv = convolution(dims)
        same = stride == 1 and inputs == outputs
        self.first = conv(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.second = conv(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(group_norm(outputs) for _ in range(2))
        # oneDNN 3.12 (torch 2.13) crashes on processors without AVX-512 in the backward pass of a strided convolution
        # of one pixel with 2 to 5 channels laid out last; leaving the pixels out before it is the same.
        self.thin = stride if inputs < _VECTOR else 1
        self.skip = nn.Identity() if same else conv(inputs, outputs, 1, stride=stride // self.thin, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norms[0](self.first(x)).relu()
        inner = self.norms[1](self.second(self.dropout(inner)))
        left = x[(slice(None), slice(None), *[slice(None, None, self.thin)] * (x.ndim - 2))] if self.thin > 1 else x
        out: Tensor = (inner + self.skip(left)).relu()
        return out


class Convolution(nn.Sequential):
    """Stack residual blocks, each with half the pixels along a side and the next of `widths` channels.

    Shapes: [B, inputs, (Z,) Y, X] to [B, widths[-1], (z,) y, x]; `pooled` takes the mean over the pixels.

    Raises: ConfigError where there is no width or one is below 1.
    """

    def __init__(self, inputs: int, widths: Sequence[int], *, dropout: float = 0.0, dims: int = 3) -> None:
        if not widths or min(widths) < 1:
            raise ConfigError(f"widths = {list(widths)}: a convolution network needs at least one, each 1 or more.")
        sizes = pairwise([inputs, *widths])
        super().__init__(*(Residual(wide, next_wide, dropout=dropout, dims=dims) for wide, next_wide in sizes))
        self.dim = widths[-1]

    def pooled(self, pictures: Tensor) -> Tensor:
        """Return one vector per picture or volume: [B, inputs, (Z,) Y, X] to [B, widths[-1]]."""
        found: Tensor = self(pictures).flatten(2).mean(2)
        return found


def convolution(dims: int) -> Any:
    """Return the convolution over so many dimensions.

    Raises: ConfigError where they are neither 2 nor 3.
    """
    if dims not in _CONVOLUTIONS:
        raise ConfigError(f"dims = {dims}: 2 for pictures and slices, 3 for volumes.")
    return _CONVOLUTIONS[dims]


def group_norm(channels: int) -> nn.GroupNorm:
    """Return a norm over groups of 8 channels where they divide so, else over all."""
    return nn.GroupNorm(channels // 8 if channels % 8 == 0 else 1, channels)
