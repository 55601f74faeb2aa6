"""Yes or no for every voxel: which of them belong to a lesion."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.data.dataset import Batch
from molgraph.data.packed import owners
from molgraph.data.targets import Targets
from molgraph.model.encoder import Encoder
from molgraph.model.headed import Headed
from molgraph.model.learner import Loss, exactly

SMOOTH = 1.0  # voxels: what keeps the overlap of a few voxels from jumping


class Segmentation(Headed):
    """Learn the probability that a voxel belongs to a mask, by one linear map of its features."""

    called: ClassVar[str] = "a model that predicts voxels"

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder, 1, pooling="none", depth=0)

    def losses(self, batch: Batch) -> Loss:
        raw = self(batch)
        with exactly(raw):
            return Loss.of(*overlap_loss(raw, batch.targets), exact=not self.training)

    def chance(self, features: Tensor) -> Tensor:
        """Return the probability of voxels from their features, [..., dim] to [...]."""
        raw: Tensor = self.head(features)
        with exactly(raw):
            return torch.sigmoid(raw.float())[..., 0]


def overlap_loss(raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return loss and weight of each row: the mean cross entropy of its voxels plus, where it shows any of the mask,
    1 - soft Dice.

    Shapes: raw [M, T] of all voxels, targets with offsets [B + 1]; losses and weights are per row, [B, T].

    See: Milletari et al. 2016 (Dice), doi 10.1109/3DV.2016.79; Isensee et al. 2021 (their sum), doi
    10.1038/s41592-020-01008-z
    """
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
