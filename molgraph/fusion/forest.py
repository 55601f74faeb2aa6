"""Gradient-boosted trees on the features of several inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import Input
from molgraph.model.grower import Grower


class Growers(Grower):
    """Say what trees see of several inputs, side by side, and how they grow.

    A row that lacks an input has no numbers (NaN) there. How each input's own trees would grow does not count.
    """

    space: ClassVar[dict[str, Any]] = {
        "rounds": {"low": 200, "high": 2000, "log": True},
        "depth": [4, 5, 6, 7, 8],
        "lr": {"low": 0.01, "high": 0.2, "log": True},
        "l2": {"low": 1.0, "high": 30.0, "log": True},
        "subset": {"low": 0.05, "high": 1.0, "log": True},
    }

    def __init__(
        self,
        growers: Mapping[str, Grower],
        *,
        rounds: int = 1000,
        depth: int = 6,
        lr: float = 0.05,
        l2: float = 3.0,
        subset: float = 0.2,
    ) -> None:
        self.growers = dict(growers)
        self.rounds, self.depth, self.lr, self.l2, self.subset = rounds, depth, lr, l2, subset

    def features_of(self, inputs: Mapping[str, Input]) -> NDArray[np.float32]:
        return np.concatenate([made.features_of({name: inputs[name]}) for name, made in self.growers.items()], axis=1)
