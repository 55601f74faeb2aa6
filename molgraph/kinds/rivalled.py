"""How simple methods and trees answer what a network answers: what a model has to beat."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from molgraph.kinds.asked import Array
from molgraph.kinds.worded import Worded


class Rivalled(Worded):
    """Turn what simple methods and trees say into estimates of a kind, of one target."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Return how many columns the estimates of each target have."""
        raise NotImplementedError

    @property
    def scale(self) -> tuple[float, float]:
        """Return mean and standard deviation of the training values; 0 and 1 of what is no number."""
        return 0.0, 1.0

    def as_estimate(self, values: Array) -> Array:
        """Return measured values as estimates that are sure of them, [N, columns of the target]."""
        return values[:, None]

    def sure(self, values: Array, bound: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Tell which values a simple method may learn from."""
        return ~np.isnan(values)

    def guess(self, values: Array, bound: NDArray[np.int8]) -> float | list[float]:
        """Return the simplest guess, as training values teach it."""
        return float(values.mean())

    def strays(self, last: Array, values: Array) -> list[float]:
        """Return what training rows teach of how far values stray from the last ones that were known; nothing where a
        last value is said as it is."""
        return []

    def from_last(self, last: Array, strays: Sequence[float]) -> Array:
        """Return the estimates [N, columns] of who says the last value again."""
        return self.as_estimate(last)

    @property
    def answers(self) -> int:
        """Return how many answers there are to choose from, 0 of a number."""
        return 0

    def linked(self, logits: Array) -> Array:
        """Return the estimates [N, columns] of an equation's values."""
        return logits

    def for_trees(self, values: Array) -> Array:
        """Return values as trees learn them: numbers in standard deviations, for CatBoost takes them in float32."""
        mean, std = self.scale
        return (values - mean) / std

    @property
    def trees_loss(self) -> str:
        """Return CatBoost's name of the loss of trees."""
        raise NotImplementedError

    def of_trees(self, raw: Array, classes: NDArray[np.int64]) -> Array:
        """Return estimates [N, columns] from what trees sum up, of the classes that they know."""
        raise NotImplementedError

    def units_of_trees(self, outputs: int) -> tuple[Array, Array]:
        """Return by what each output of trees is to be multiplied, and what is then added, to be in the units of the
        values; a second output is the logarithm of a deviation."""
        mean, std = self.scale
        return np.array([std, 1.0])[:outputs], np.array([mean, math.log(std)])[:outputs]

    def fits_trees(self, outputs: int, classes: NDArray[np.int64]) -> bool:
        """Tell whether trees have the outputs that the target needs."""
        return outputs == self.widths[0]
