"""Gradient-boosted trees on what a protein is made of."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.packed import Packed
from molgraph.model.grower import Grower
from molgraph.rooms.protein.prepare import COMPOSED, EMBEDDING


class Forest(Grower):
    """Say what the trees see and how they grow; each split chooses from a random `subset` (share) of the features.

    They see length and shares of residues, pairs, triads and physico-chemical groups (`composition.COMPOSITION`), or,
    where proteins are vectors computed elsewhere, the numbers of the vector.
    """

    needs: ClassVar[tuple[str, ...]] = (COMPOSED,)

    def features(self, parts: Packed) -> NDArray[np.float32]:
        """Return one row per part, float32 [P, D]."""
        name = EMBEDDING if EMBEDDING in self.given else COMPOSED
        return np.asarray(parts.values[name].numpy(), dtype=np.float32)
