"""Pictures as another scanner, or the same one another day, would have made them: drawn anew in every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from molgraph.errors import ConfigError, did_you_mean

Kind = Literal["none", "light", "scanner", "views"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TURN, SCALE, SHIFT = math.radians(10), 0.1, 0.05  # largest rotation, change of scale, shift as a share of the side
CONTRAST, LIGHT = 0.2, 0.1
OFTEN = 0.3  # how often each fault of a scanner is drawn
CROP = 0.2  # the smallest share of the area that is cut out
BIAS, NOISE, GAMMA, GHOST = 0.4, 0.05, 0.3, 0.15  # the largest of each
FIELD = 4  # points a side from which a bias field is spread


class Augment(nn.Module):
    """Change pictures at random, on their device: each in its own way, reproducibly from torch's random numbers.

    `light` turns, scales, shifts and changes contrast and brightness a little; `scanner` adds, each in 30 % of the
    pictures, a bias field, noise, blur, gamma, coarser spacing and ghosting; `views`, for pretraining, first cuts out a
    part and enlarges it. `flip` mirrors left and right in half of them: not where the side matters. Training seeds
    torch's random numbers from (seed, epoch), so that what is drawn depends on these alone.

    Shapes: [M, C, (Z,) Y, X] of numbers from 0 to 1, both ways.

    Raises: ConfigError for an unknown kind.
    See: Perez-Garcia 2021, doi 10.1016/j.cmpb.2021.106236 (TorchIO: the faults); Isensee 2021, doi
    10.1038/s41592-020-01008-z (nnU-Net: how often and how much); He 2020, doi 10.1109/CVPR42600.2020.00975 (MoCo: the
    parts)
    """

    def __init__(self, kind: str, *, flip: bool = False) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ConfigError(f"unknown augment '{kind}'{did_you_mean(kind, KINDS)}")
        self.kind, self.flip = kind, flip

    def forward(self, x: Tensor) -> Tensor:
        if self.flip:
            x = _in_some(x, 0.5, mirrored)
        if self.kind == "none":
            return x
        if self.kind == "views":
            x = cropped(x)
        x = contrast(moved(x))
        if self.kind != "light":
            faults: tuple[Callable[[Tensor], Tensor], ...] = (biased, blurred, coarse, ghosted, gamma, noisy)
            for fault in faults:
                x = _in_some(x, OFTEN, fault)
        return x.clamp(0, 1)


def mirrored(x: Tensor) -> Tensor:
    """Exchange left and right."""
    return x.flip(-1)


def moved(x: Tensor) -> Tensor:
    """Turn (in the plane of a slice), scale and shift."""
    dims, count = x.ndim - 2, len(x)
    angle = _between(x, -TURN, TURN)
    scale = 1 + _between(x, -SCALE, SCALE)
    theta = torch.eye(dims, dims + 1, device=x.device, dtype=x.dtype).repeat(count, 1, 1)
    theta[:, :2, :2] = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    theta[:, :, :dims] *= scale.view(-1, 1, 1)
    far = 2 * torch.rand(count, dims, device=x.device, dtype=x.dtype) - 1
    theta[:, :, dims] = far * 2 * SHIFT  # from side to side it is 2
    return _sampled(x, theta)


def cropped(x: Tensor) -> Tensor:
    """Cut out a part, from 20 % of the area (or the volume) on, in the proportions of the whole, and enlarge it."""
    dims, count = x.ndim - 2, len(x)
    side = (_between(x, CROP, 1) ** (1 / dims)).view(-1, 1)
    theta = torch.eye(dims, dims + 1, device=x.device, dtype=x.dtype) * side.unsqueeze(2)
    theta[:, :, dims] = (2 * torch.rand(count, dims, device=x.device, dtype=x.dtype) - 1) * (1 - side)
    return _sampled(x, theta, beyond="border")


def contrast(x: Tensor) -> Tensor:
    """Stretch about the mean, and lighten or darken."""
    mean = x.flatten(2).mean(2).view(*x.shape[:2], *_ones(x))
    stretch, light = _each(x, 1 - CONTRAST, 1 + CONTRAST), _each(x, -LIGHT, LIGHT)
    return ((x - mean) * stretch + mean + light).clamp(0, 1)


def biased(x: Tensor) -> Tensor:
    """Multiply by a smooth field, as an uneven coil does."""
    dims = x.ndim - 2
    field = BIAS * (2 * torch.rand(len(x), 1, *(FIELD,) * dims, device=x.device, dtype=x.dtype) - 1)
    return x * F.interpolate(field, x.shape[2:], mode=_linear(dims), align_corners=True).exp()


def noisy(x: Tensor) -> Tensor:
    """Add Gaussian noise."""
    return x + torch.randn_like(x) * _each(x, 0, NOISE)


def gamma(x: Tensor) -> Tensor:
    """Raise to a power."""
    return x.clamp(min=1e-6) ** _each(x, -GAMMA, GAMMA).exp()


def blurred(x: Tensor) -> Tensor:
    """Mix with a copy smoothed by the binomial kernel 1 4 6 4 1, of standard deviation 1 pixel, along each axis."""
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=x.device, dtype=x.dtype) / 16
    soft = x
    for axis in range(2, x.ndim):
        moved_axis = soft.movedim(axis, -1)
        line = F.pad(moved_axis.reshape(-1, 1, moved_axis.shape[-1]), (2, 2), mode="replicate")
        soft = F.conv1d(line, kernel.view(1, 1, -1)).view(moved_axis.shape).movedim(-1, axis)
    return torch.lerp(x, soft, _each(x, 0, 1))


def coarse(x: Tensor) -> Tensor:
    """Mix with a copy of twice the spacing."""
    dims = x.ndim - 2
    half = F.interpolate(x, [max(size // 2, 1) for size in x.shape[2:]], mode="area")
    back = F.interpolate(half, x.shape[2:], mode=_linear(dims), align_corners=False)
    return torch.lerp(x, back, _each(x, 0, 1))


def ghosted(x: Tensor) -> Tensor:
    """Add a faint copy half a picture away, as a patient's breath does along the phase axis."""
    return x + _each(x, 0, GHOST) * x.roll(x.shape[-2] // 2, -2)


def _sampled(x: Tensor, theta: Tensor, beyond: str = "zeros") -> Tensor:
    """Return each picture as its affine map [M, dims, dims + 1] finds it; beyond it are zeros, or its border."""
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode=beyond, align_corners=False)


def _linear(dims: int) -> str:
    return "bilinear" if dims == 2 else "trilinear"


def _ones(x: Tensor) -> tuple[int, ...]:
    return (1,) * (x.ndim - 2)


def _between(x: Tensor, low: float, high: float) -> Tensor:
    """Draw one number per picture: [M]."""
    return low + (high - low) * torch.rand(len(x), device=x.device, dtype=x.dtype)


def _each(x: Tensor, low: float, high: float) -> Tensor:
    """Draw one number per picture, to be laid over it."""
    return _between(x, low, high).view(-1, 1, *_ones(x))


def _in_some(x: Tensor, share: float, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Change a share of the pictures; which, is drawn on the CPU, so that no device is waited for."""
    chosen = (torch.rand(len(x)) < share).nonzero()[:, 0].to(x.device)
    return x.index_copy(0, chosen, change(x.index_select(0, chosen))) if len(chosen) else x
