"""What a step is: one batch, one move of the optimiser."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from molgraph.data.dataset import Batch
from molgraph.fit import processes
from molgraph.fit.device import Place
from molgraph.model.learner import Learner, Loss

Step = Callable[[Learner, Batch, torch.optim.Optimizer, Place, float], tuple[Tensor, Tensor]]
"""Take one optimiser step on a batch, with gradients clipped to a norm (0: none); return the sums of loss and of weight
over this process's rows. A named one (see `steps.STEPS`) is a class: its keyword-only arguments are its settings."""


def descend(learner: Learner, loss: Loss, optimiser: torch.optim.Optimizer, clip: float) -> tuple[Tensor, Tensor]:
    """Move against the gradient of the mean loss over the rows of all processes; return the sums of this one."""
    optimiser.zero_grad(set_to_none=True)
    (loss.sum / processes.total(loss.weight.detach()).clamp(min=1e-12)).backward()
    processes.sum_gradients(learner.parameters())
    if clip:
        nn.utils.clip_grad_norm_(learner.parameters(), clip)
    optimiser.step()
    return loss.sum.detach(), loss.weight.detach()
