"""Convolutions over volumes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from molgraph.errors import ConfigError


class Residual3d(nn.Module):
    """Convolve a volume twice and add what went in, with half as many voxels along each side where `stride` is 2.

    Norms are those of groups of channels, not of a batch, so that a volume's features do not depend on its batch.

    Shapes: [B, inputs, Z, Y, X] to [B, outputs, Z / stride, Y / stride, X / stride], rounded up.

    See: He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv 1603.05027; Wu and He 2018, Group
    Normalization, arXiv 1803.08494.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.second = nn.Conv3d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(_groups(outputs), outputs) for _ in range(2))
        self.skip = nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norms[0](self.first(x)).relu()
        inner = self.norms[1](self.second(self.dropout(inner)))
        out: Tensor = (inner + self.skip(x)).relu()
        return out


class Convolution3d(nn.Sequential):
    """Stack residual blocks, each with half the voxels along a side and the next of `widths` channels.

    Shapes: [B, inputs, Z, Y, X] to [B, widths[-1], z, y, x]; `pooled` takes the mean over the voxels.

    Raises: ConfigError where there is no width or one is below 1.
    """

    def __init__(self, inputs: int, widths: Sequence[int], *, dropout: float = 0.0) -> None:
        if not widths or min(widths) < 1:
            raise ConfigError(f"widths = {list(widths)}: a convolution network needs at least one, each 1 or more.")
        sizes = pairwise([inputs, *widths])
        super().__init__(*(Residual3d(wide, next_wide, dropout=dropout) for wide, next_wide in sizes))
        self.dim = widths[-1]

    def pooled(self, volumes: Tensor) -> Tensor:
        """Return one vector per volume: [B, inputs, Z, Y, X] to [B, widths[-1]]."""
        found: Tensor = self(volumes).mean((2, 3, 4))
        return found


def _groups(channels: int) -> int:
    """Return the number of groups: 8 channels in each where that is possible, else all in one."""
    return channels // 8 if channels % 8 == 0 else 1
