"""Yes or no for every voxel: which of them belong to a lesion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.data.packed import owners
from molgraph.data.targets import Targets
from molgraph.errors import DataError
from molgraph.kinds.kind import Kind

SMOOTH = 1.0  # voxels: what keeps the overlap of a few voxels from jumping


@dataclass(frozen=True)
class Segmentation(Kind):
    """Predict the probability that a voxel belongs to each target's mask.

    The loss of a row is the mean cross entropy of its voxels plus, where it shows any of the mask, 1 - soft Dice.

    Shapes: raw [M, T] of all voxels, targets with offsets [B + 1]; losses and weights are per row, [B, T].

    See: Milletari et al. 2016 (Dice), doi 10.1109/3DV.2016.79; Isensee et al. 2021 (their sum), doi
    10.1038/s41592-020-01008-z
    """

    word: ClassVar[str] = "segmentation"

    def adapt(self, train: Targets) -> Segmentation:
        for i, name in enumerate(self.names):
            if not bool((train.values[:, i] * train.observed[:, i] > 0.5).any()):
                raise DataError(f"target '{name}': no training mask marks a voxel; there is nothing to learn.")
        return self

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        offsets = targets.offsets
        assert offsets is not None  # masks are of voxels
        row, rows = owners(offsets), len(offsets) - 1
        logits, truth = raw.float(), targets.values.float()
        counts = targets.weight * targets.observed

        def total(values: Tensor) -> Tensor:
            return values.new_zeros(rows, values.shape[1]).index_add(0, row, values * counts)

        voxels = total(torch.ones_like(truth))
        entropy = total(F.binary_cross_entropy_with_logits(logits, truth, reduction="none")) / voxels.clamp(min=1e-6)
        chance, there = torch.sigmoid(logits), total(truth)
        overlap = (2 * total(chance * truth) + SMOOTH) / (total(chance) + there + SMOOTH)
        loss = entropy + (1 - overlap) * (there > 0)
        return loss, (voxels > 0).to(loss.dtype)

    def predict(self, raw: Tensor) -> Tensor:
        return torch.sigmoid(raw.float())
