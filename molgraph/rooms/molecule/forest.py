"""Gradient-boosted trees on fingerprints and descriptors: the recipe that leads on small ADMET sets."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.packed import Packed
from molgraph.model.grower import Grower


class Forest(Grower):
    """Say what the trees see and how they grow; each split chooses from a random `subset` (share) of the features.

    See: Notwell & Wood 2023, arXiv 2310.00174 (MapLight: CatBoost on ECFP, Avalon, ErG and RDKit descriptors)
    """

    needs: ClassVar[tuple[str, ...]] = ("ecfp", "avalon", "erg", "descriptors")

    def features(self, parts: Packed) -> NDArray[np.float32]:
        """Return one row per part, float32 [P, D]."""
        return np.concatenate([parts.values[name].numpy().astype(np.float32) for name in self.needs], axis=1)
