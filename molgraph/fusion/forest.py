"""Gradient-boosted trees on the features of several inputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import Input
from molgraph.model.grower import Grower


class Growers(Grower):
    """Say what trees see of several inputs, side by side, and how they grow.

    A row that lacks an input has no numbers (NaN) there. How each input's own trees would grow does not count.
    """

    def features_of(self, inputs: Mapping[str, Input]) -> NDArray[np.float32]:
        return np.concatenate([made.features_of({name: inputs[name]}) for name, made in self.given.items()], axis=1)
