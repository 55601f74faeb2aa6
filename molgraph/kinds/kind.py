"""What a task is: pure functions from raw outputs and targets to a loss, and from raw outputs to estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from molgraph.data.targets import Targets


class Kind(Protocol):
    """Turn features into a loss and a prediction; hold what was learnt from the training targets.

    `names` are the target columns it reads, `outputs` the width of the network's raw output, `columns` the
    names of the estimates: one per regression or binary target, one per class (`target=class`) of a multiclass
    target. Estimates have one meaning in every predictor: a value in the user's units, or a probability.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def outputs(self) -> int: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def kind(self, name: str) -> str:
        """Return "regression", "binary" or "multiclass" for a target."""
        ...

    def adapt(self, train: Targets) -> Self:
        """Return the task with what the training targets teach: scaling, class weights.

        Raises: DataError where a target has no measured row, one value or one class only.
        """
        ...

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        """Return loss and weight, both [B, T], from raw [B, outputs]; the weight is 0 where nothing was measured."""
        ...

    def predict(self, raw: Tensor) -> Tensor:
        """Return estimates [B, len(columns)] from raw [B, outputs]: numbers in float64, probabilities in float32."""
        ...

    def state(self) -> dict[str, Any]:
        """Return the task as plain JSON values; `molgraph.kinds.restore` is the way back."""
        ...


@dataclass(frozen=True)
class OneEach:
    """Name the outputs and the columns of a task that has one of both for each target."""

    names: tuple[str, ...]

    @property
    def outputs(self) -> int:
        return len(self.names)

    @property
    def columns(self) -> tuple[str, ...]:
        return self.names


def focused(loss: Tensor, gamma: float) -> Tensor:
    """Return the weight (1 - p)^gamma of the focal loss from the log loss -log p.

    Never quite 0, where the slope of a power below 1 is infinite. See: Lin 2017, doi 10.1109/ICCV.2017.324
    """
    return (-torch.expm1(-loss)).clamp(min=1e-12).pow(gamma)
