"""Ways to group pictures, so that the same one stays on one side of a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from molgraph.imaging.identity import identity


def picture(keys: Sequence[str]) -> NDArray[np.int64]:
    """Group rows that show the same pixels, numbered as they appear."""
    number: dict[str, int] = {}
    return np.array([number.setdefault(name, len(number)) for name in identity(keys)], dtype=np.int64)
