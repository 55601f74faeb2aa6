"""One step of the optimiser: on the rows of a batch as they are, or on mixtures of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Beta

from molgraph.data.dataset import Batch
from molgraph.errors import ConfigError
from molgraph.fit import processes
from molgraph.fit.device import Place
from molgraph.model.model import Model

Step = Callable[[Model, Batch, torch.optim.Optimizer, Place, float], tuple[Tensor, Tensor]]


def plain(
    model: Model, batch: Batch, optimiser: torch.optim.Optimizer, place: Place, clip: float
) -> tuple[Tensor, Tensor]:
    """Take one optimiser step on a batch; return the sums of loss and of weight over this process's rows."""
    with place.autocast():
        raw = model(batch)
    loss, weight = model.task.loss(raw, batch.targets)
    return _descend(model, (loss * weight).sum(), weight.sum(), optimiser, clip)


def mixed(alpha: float) -> Step:
    """Return a step on mixtures of the rows of a batch: their features, as the head takes them, and their losses.

    Each row is mixed with another, all of a batch in one proportion drawn from Beta(alpha, alpha): the loss is that of
    both rows' targets in this proportion. Features are mixed and not inputs, so that graphs and bags can be, too.

    Raises: ConfigError where the model predicts voxels, which stand for themselves.
    See: Verma et al. 2019, arXiv 1806.05236 (manifold mixup); Zhang et al. 2018, arXiv 1710.09412 (mixup)
    """

    def step(
        model: Model, batch: Batch, optimiser: torch.optim.Optimizer, place: Place, clip: float
    ) -> tuple[Tensor, Tensor]:
        if model.encoder.dense:
            raise ConfigError("train.mixup mixes whole rows; a model that predicts voxels has none. Set it to 0.")
        share = float(Beta(alpha, alpha).sample())
        order = torch.randperm(len(batch)).to(batch.targets.values.device)
        with place.autocast():
            features = model.features(batch)
            rows = model.vectors(features).index_select(0, features.index)
            raw = model.head(torch.lerp(rows.index_select(0, order), rows, share))
        loss, weight = model.task.loss(raw, batch.targets)
        other, its = model.task.loss(raw, batch.targets.take(order))
        losses = share * (loss * weight).sum() + (1 - share) * (other * its).sum()
        return _descend(model, losses, share * weight.sum() + (1 - share) * its.sum(), optimiser, clip)

    return step


def _descend(
    model: Model, loss_sum: Tensor, weight_sum: Tensor, optimiser: torch.optim.Optimizer, clip: float
) -> tuple[Tensor, Tensor]:
    optimiser.zero_grad(set_to_none=True)
    (loss_sum / processes.total(weight_sum.detach()).clamp(min=1e-12)).backward()
    processes.sum_gradients(model.parameters())
    if clip:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimiser.step()
    return loss_sum.detach(), weight_sum.detach()
