"""Rows that come twice in every batch, so that a network sees each in two ways."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Packed


@dataclass(frozen=True)
class Twice(Dataset):
    """Give each row of a batch twice, with parts of its own: first all rows, then all again.

    An encoder that changes its parts at random in training changes the two differently. Every row has all its inputs.
    """

    def batch(self, rows: Tensor, epoch: int = 0) -> Batch:
        once = super().batch(rows, epoch)
        parts = {name: each.gather(_all(each).repeat(2)) for name, each in once.parts.items()}
        index = {name: torch.cat([at, at + len(once.parts[name])]) for name, at in once.index.items()}
        return Batch(parts, index, once.targets.take(_all(rows).repeat(2)))


def _all(of: Tensor | Packed) -> Tensor:
    return torch.arange(len(of), device=of.device)
