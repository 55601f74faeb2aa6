"""Gradient-boosted trees on fingerprints and descriptors: the recipe that leads on small ADMET sets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.packed import Packed, Schema
from molgraph.model.grower import Grower


class Forest(Grower):
    """Say what the trees see and how they grow; each split chooses from a random `subset` (share) of the features.

    See: Notwell & Wood 2023, arXiv 2310.00174 (MapLight: CatBoost on ECFP, Avalon, ErG and RDKit descriptors)
    """

    needs: ClassVar[tuple[str, ...]] = ("ecfp", "avalon", "erg", "descriptors")
    space: ClassVar[dict[str, Any]] = {
        "rounds": {"low": 200, "high": 2000, "log": True},
        "depth": [4, 5, 6, 7, 8],
        "lr": {"low": 0.01, "high": 0.2, "log": True},
        "l2": {"low": 1.0, "high": 30.0, "log": True},
        "subset": {"low": 0.05, "high": 1.0, "log": True},
    }

    def __init__(
        self,
        schema: Schema,
        *,
        rounds: int = 1000,
        depth: int = 6,
        lr: float = 0.05,
        l2: float = 3.0,
        subset: float = 0.2,
    ) -> None:
        self.schema = schema
        self.rounds, self.depth, self.lr, self.l2, self.subset = rounds, depth, lr, l2, subset

    def features(self, parts: Packed) -> NDArray[np.float32]:
        """Return one row per part, float32 [P, D]."""
        return np.concatenate([parts.values[name].numpy().astype(np.float32) for name in self.needs], axis=1)
