"""Gradient-boosted trees on the fields of a record."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.packed import Packed
from molgraph.model.grower import Grower
from molgraph.rooms.disease.prepare import RECORD


class Forest(Grower):
    """Say what the trees see and how they grow; what is unknown of a record goes a way of its own.

    See: why trees are what a practitioner takes for tables: Grinsztajn et al. 2022, arXiv 2207.08815
    """

    needs: ClassVar[tuple[str, ...]] = (RECORD,)

    def __init__(
        self,
        given: object,
        *,
        rounds: int = 500,
        depth: int = 4,
        lr: float = 0.03,
        l2: float = 3.0,
        subset: float = 0.8,
        patience: int = 50,
    ) -> None:
        super().__init__(given, rounds=rounds, depth=depth, lr=lr, l2=l2, subset=subset, patience=patience)

    def features(self, parts: Packed) -> NDArray[np.float32]:
        """Return one row per part, float32 [P, D], NaN where a field is unknown."""
        found: NDArray[np.float32] = parts.values[RECORD].numpy()
        return found
