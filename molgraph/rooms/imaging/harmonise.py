"""One scale for pictures of different scanners, learnt from the training rows only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.imaging.view import LARGEST

Kind = Literal["scale", "zscore", "histogram"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS = (0.01, *(0.1 * decile for decile in range(1, 10)), 0.99)  # the landmarks of Nyul: deciles and robust ends
BINS = LARGEST + 1
FLAT = 1 / LARGEST  # a standard deviation below one step of the stored values is that of a flat picture


class Harmony(nn.Module):
    """Bring pictures to one scale.

    - `scale`: the mean and standard deviation of the training pictures, one pair per channel.
    - `zscore`: each picture's own mean and standard deviation; nothing is learnt.
    - `histogram`: each picture's landmarks are moved to the mean landmarks of the training pictures, linearly in
      between, and the result is scaled.

    Raises: ConfigError for an unknown kind.
    See: Nyul, Udupa and Zhang 2000, doi 10.1109/42.836373 (histogram landmarks)
    """

    mean: Tensor
    std: Tensor
    landmarks: Tensor

    def __init__(self, kind: str, channels: int) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ConfigError(f"unknown harmonise '{kind}'{did_you_mean(kind, KINDS)}")
        self.kind = kind
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))
        self.register_buffer("landmarks", torch.zeros(channels, len(LEVELS)))

    def learn(self, blocks: Iterable[Tensor]) -> None:
        """Learn from the training pictures, uint8 [n, C, ...] at a time."""
        counts = torch.cat([histograms(block) for block in blocks])  # [N, C, BINS]
        self.landmarks.copy_(landmarks(counts).mean(0))
        share = counts / counts.sum(-1, keepdim=True)
        values = self._table(counts) if self.kind == "histogram" else torch.arange(BINS) / LARGEST
        mean = (share * values).sum(-1).mean(0)
        self.mean.copy_(mean)
        self.std.copy_((share * (values - mean[:, None]).square()).sum(-1).mean(0).sqrt().clamp(min=FLAT))

    def levelled(self, pictures: Tensor, dtype: torch.dtype) -> Tensor:
        """Return pictures as numbers from 0 to 1, their histograms matched where that is wanted: [M, C, ...]."""
        if self.kind != "histogram":
            return pictures.to(dtype) / LARGEST
        table = self._table(histograms(pictures))
        found = table.gather(-1, pictures.flatten(2).long())
        return found.view(pictures.shape).to(dtype)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return levelled pictures on the scale of the network: [M, C, ...]."""
        ones = (1,) * (pictures.ndim - 2)
        if self.kind == "zscore":
            flat = pictures.flatten(2)
            own, spread = flat.mean(2), flat.std(2, correction=0).clamp(min=FLAT)
            return (pictures - own.view(*own.shape, *ones)) / spread.view(*own.shape, *ones)
        mean, std = (each.to(pictures.dtype).view(-1, *ones) for each in (self.mean, self.std))
        return (pictures - mean) / std

    def _table(self, counts: Tensor) -> Tensor:
        """Return what each stored value of each picture becomes, float32 [M, C, BINS]."""
        own = landmarks(counts)
        own, goal = (torch.cat([0 * at[..., :1], at, 0 * at[..., :1] + 1], -1) for at in (own, self.landmarks))
        values = (torch.arange(BINS, device=own.device) / LARGEST).expand(*own.shape[:2], BINS).contiguous()
        upper = torch.searchsorted(own, values).clamp(1, own.shape[-1] - 1)
        low, high = own.gather(-1, upper - 1), own.gather(-1, upper)
        goal = goal.expand(own.shape)
        start, end = goal.gather(-1, upper - 1), goal.gather(-1, upper)
        return start + (end - start) * (values - low) / (high - low).clamp(min=FLAT)


def histograms(pictures: Tensor) -> Tensor:
    """Count the values of each channel of each picture: uint8 [M, C, ...] to float32 [M, C, BINS]."""
    flat = pictures.flatten(2)
    rows = torch.arange(flat.shape[0] * flat.shape[1], device=flat.device).view(*flat.shape[:2], 1)
    counts = torch.bincount((rows * BINS + flat).flatten(), minlength=rows.numel() * BINS)
    return counts.view(*flat.shape[:2], BINS).float()


def landmarks(counts: Tensor) -> Tensor:
    """Return the value at each of LEVELS, from 0 to 1: [M, C, BINS] to [M, C, levels]."""
    share = (counts.cumsum(-1) / counts.sum(-1, keepdim=True)).contiguous()
    levels = torch.tensor(LEVELS, device=counts.device).expand(*counts.shape[:2], len(LEVELS)).contiguous()
    return torch.searchsorted(share, levels).clamp(max=LARGEST) / LARGEST
