"""Gradient-boosted trees on what a protein is made of."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.packed import Packed, Schema
from molgraph.model.grower import Grower
from molgraph.protein.prepare import COMPOSED, EMBEDDING


class Forest(Grower):
    """Say what the trees see and how they grow; each split chooses from a random `subset` (share) of the features.

    They see length and shares of residues, pairs, triads and physico-chemical groups (`composition.COMPOSITION`), or,
    where proteins are vectors computed elsewhere, the numbers of the vector.
    """

    needs: ClassVar[tuple[str, ...]] = (COMPOSED,)
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
        name = EMBEDDING if EMBEDDING in self.schema else COMPOSED
        return np.asarray(parts.values[name].numpy(), dtype=np.float32)
