"""An equation of a few classical descriptors, as anybody could write it down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import Input
from molgraph.model.grower import Grower
from molgraph.model.linear import Linear
from molgraph.rooms.molecule.classical import CLASSICAL


class Classical(Grower):
    """See the classical descriptors of molecules."""

    def features_of(self, inputs: Mapping[str, Input]) -> NDArray[np.float64]:  # type: ignore[override]
        (given,) = inputs.values()
        return CLASSICAL.of_rows(given.keys, given.index.numpy())


class Equation(Linear):
    """Say that the equation which every model has to beat is a model itself: with the penalty that it has there.

    See: `molgraph.predictor.simple`
    """

    sees: ClassVar[type[Grower]] = Classical

    def __init__(self, given: Any, *, penalty: float = 1.0) -> None:
        super().__init__(given, penalty=penalty)
