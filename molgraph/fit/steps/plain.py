"""A step on the rows of a batch as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from molgraph.data.dataset import Batch
from molgraph.fit.device import Place
from molgraph.fit.steps.step import descend
from molgraph.model.learner import Learner


def plain(
    learner: Learner, batch: Batch, optimiser: torch.optim.Optimizer, place: Place, clip: float
) -> tuple[Tensor, Tensor]:
    """Take one optimiser step on a batch."""
    with place.autocast():
        loss = learner.losses(batch)
    return descend(learner, loss, optimiser, clip)
