"""A step on mixtures of the rows of a batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Beta

from molgraph.data.dataset import Batch
from molgraph.errors import ConfigError
from molgraph.fit.device import Place
from molgraph.fit.steps.step import descend
from molgraph.model.learner import Learner


class Mixup:
    """Mix each row with another, all of a batch in one proportion drawn from Beta(alpha, alpha).

    Features are mixed, as the head takes them, and the loss is that of both rows' targets in this proportion. Inputs
    are not mixed, so that graphs and bags can be, too.

    Raises: ConfigError for an alpha out of range, and where the learner predicts voxels, which stand for themselves.
    See: Verma et al. 2019, arXiv 1806.05236 (manifold mixup); Zhang et al. 2018, arXiv 1710.09412 (mixup)
    """

    def __init__(
        self,
        *,
        alpha: float = 0.2,  # the smaller, the more mixtures are nearly one of their rows
    ) -> None:
        if not alpha > 0:
            raise ConfigError(f"train.mixup.alpha = {alpha} is out of range: it must be above 0.")
        self.alpha = alpha

    def __call__(
        self, learner: Learner, batch: Batch, optimiser: torch.optim.Optimizer, place: Place, clip: float
    ) -> tuple[Tensor, Tensor]:
        share = float(Beta(self.alpha, self.alpha).sample())
        order = torch.randperm(len(batch)).to(batch.targets.values.device)
        with place.autocast():
            loss = learner.mixture(batch, order, share)
        return descend(learner, loss, optimiser, clip)
