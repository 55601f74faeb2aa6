"""The plug of boosted trees: what they see of the parts of an input, and how they grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.dataset import ABSENT, Input
from molgraph.data.packed import Packed
from molgraph.registry import PREDICTOR


class Grower:
    """Say what trees see and how they grow; a room registers one (`molecule/forest`).

    A subclass writes `features`. `given` is the schema of the parts (of several inputs: the growers of each); each
    split chooses from a random `subset` (share) of the features. The rounds of the lowest validation loss are kept;
    with `patience`, growing ends after so many rounds without a lower one (0: never): sooner, but it may miss it.
    """

    family: ClassVar[str] = "trees"
    opener: ClassVar[str] = PREDICTOR
    shares: ClassVar[tuple[str, ...]] = ()  # as of `Encoder`: settings that are taken over from the model to compare
    needs: ClassVar[tuple[str, ...]] = ()
    space: ClassVar[dict[str, Any]] = {
        "rounds": {"low": 200, "high": 2000, "log": True},
        "depth": [4, 5, 6, 7, 8],
        "lr": {"low": 0.01, "high": 0.2, "log": True},
        "l2": {"low": 1.0, "high": 30.0, "log": True},
        "subset": {"low": 0.05, "high": 1.0, "log": True},
    }

    def __init__(
        self,
        given: Any,
        *,
        rounds: int = 1000,
        depth: int = 6,
        lr: float = 0.05,
        l2: float = 3.0,
        subset: float = 0.2,
        patience: int = 0,
    ) -> None:
        self.given = given
        self.rounds, self.depth, self.lr, self.l2, self.subset = rounds, depth, lr, l2, subset
        self.patience = patience

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the features that the room must prepare for these settings."""
        return cls.needs

    def features(self, parts: Packed) -> NDArray[np.float32]:
        """Return one row per part, float32 [P, D]."""
        raise NotImplementedError

    def features_of(self, inputs: Mapping[str, Input]) -> NDArray[np.float32]:
        """Return one row per row of the only input, float32 [N, D], all NaN where it is absent.

        Each distinct part is made once.
        """
        (given,) = inputs.values()
        used, inverse = torch.unique(given.index, return_inverse=True)
        absent = int((used == ABSENT).sum())
        found = self.features(given.parts.gather(used[absent:]))
        blank = np.full((absent, found.shape[1]), np.nan, dtype=np.float32)
        rows: NDArray[np.float32] = np.concatenate([blank, found])[inverse.numpy()]
        return rows
