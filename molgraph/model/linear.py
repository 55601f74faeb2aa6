"""The plug of linear models: what they see of the parts of an input, and how strongly they are held back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import Input
from molgraph.errors import ConfigError
from molgraph.model.grower import Grower
from molgraph.registry import PREDICTOR


class Linear:
    """Say what a linear model sees, which is what the trees of its room see; a room registers one (`molecule/linear`).

    A subclass names those trees (`sees`). `given` is the schema of the parts (of several inputs: the linear models of
    each). `penalty` is that on the squared weights of standardised features (of classes, half of it); 0: the one of
    the lowest validation loss is taken.
    """

    family: ClassVar[str] = "linear"
    opener: ClassVar[str] = PREDICTOR
    shares: ClassVar[tuple[str, ...]] = ()  # as of `Grower`
    sees: ClassVar[type[Grower]]
    space: ClassVar[dict[str, Any]] = {"penalty": {"low": 1.0, "high": 1e5, "log": True}}

    def __init__(self, given: Any, *, penalty: float = 0.0) -> None:
        if penalty < 0:
            raise ConfigError(f"encoder.penalty = {penalty} is out of range: it must be at least 0.")
        self.penalty = penalty
        self.seen = self.sees(given)

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the features that the room must prepare for these settings."""
        return cls.sees.asks(settings)

    def features_of(self, inputs: Mapping[str, Input]) -> NDArray[np.floating[Any]]:
        """Return one row per row of the inputs, [N, D], NaN where one is absent."""
        found: NDArray[np.floating[Any]] = self.seen.features_of(inputs)
        return found
