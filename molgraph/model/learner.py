"""What can be trained: a `Learner` says what a batch costs, and the one loop asks for nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from molgraph.data.dataset import Batch
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError


@dataclass(frozen=True)
class Loss:
    """Hold what the rows of one process cost: the weighted `sum` of their losses, and the sum of their weights.

    `per_unit` says whether it is a sum over rows (patients, patches) each of which has a loss of its own. Such a sum
    can be cut into micro-batches, or clipped row by row for privacy; contrast, where rows are told from each other,
    cannot.

    Shapes: two scalars.
    """

    sum: Tensor
    weight: Tensor
    per_unit: bool = True

    @classmethod
    def of(cls, losses: Tensor, weights: Tensor, *, exact: bool, per_unit: bool = True) -> Loss:
        """Add up losses by their weights, of like shapes; `exact` adds in float64, as is due to many batches."""
        kind = torch.float64 if exact else None
        return cls((losses * weights).sum(dtype=kind), weights.sum(dtype=kind), per_unit)


class Learner(nn.Module):
    """Say what batches cost; whatever the loop trains is one.

    A subclass writes `losses`. What else a step or a sampler asks for (mixtures of rows, classes of rows) it refuses
    unless the subclass knows better.
    """

    at_once: int = 256
    """How many rows are looked at together outside training."""

    called: ClassVar[str] = "what is trained"

    def losses(self, batch: Batch) -> Loss:
        """Return what a batch costs; called under autocast, with sums in float64 outside training."""
        raise NotImplementedError

    def mixture(self, batch: Batch, order: Tensor, share: float) -> Loss:
        """Return what rows cost of which each is mixed with another: `share` of row b, and the rest of `order[b]`.

        Raises: ConfigError where rows cannot be mixed.
        """
        raise ConfigError(f"train.mixup mixes whole rows; {self.called} has none. Set it to 0.")

    def strata(self, train: Targets) -> Tensor:
        """Return the class of each row, by which batches are balanced: [N], -1 where it was not measured.

        Raises: ConfigError where rows have no classes.
        """
        raise ConfigError(f"train.batches = 'balanced': {self.called} does not sort rows into classes; use random.")

    def heights(self) -> dict[str, int]:
        """Return how far below the outputs parameters lie, by name: layers from the head down, which is at 0."""
        return {}


def exactly(near: Tensor) -> torch.autocast:
    """Return the context in which losses and estimates are computed: in the precision of their numbers, though the
    network itself may run in a lower one."""
    return torch.autocast(near.device.type, enabled=False)
