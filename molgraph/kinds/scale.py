"""Where the numbers of a target lie: what a network or trees learn is (value - mean) / std of the training rows.

Of a target that is learnt on its logarithm, all that a task and a predictor hold is log10 of the user's values, from
the rows of training to estimates and intervals; `kept` is the way in and `shown` the way out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
OFFSET = 100  # standard deviations from 0 to the mean; float32 keeps 5 digits of the deviation there
FAR = 10  # standard deviations from the mean within which estimates lie
TINY, HUGE = 1e-30, 1e30  # of a standard deviation, in the range of float32 with some to spare


def kept(values: Floats, log: bool) -> Floats:
    """Return values as a model keeps them: log10 where it does so, NaN of what has none.

    >>> kept(np.array([100.0, 0.0]), log=True).tolist()
    [2.0, nan]
    """
    if not log:
        return values
    return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)


def shown(values: Floats, log: bool) -> Floats:
    """Return kept values in the user's units. Of a logarithm's mean that is the median of what it stands for."""
    if not log:
        return values
    with np.errstate(over="ignore"):  # beyond what float64 holds is infinite, and is told of its row
        return np.asarray(10.0 ** np.asarray(values, dtype=np.float64))


def shown_spread(spread: Floats, values: Floats, log: bool) -> Floats:
    """Return a standard deviation about kept values in the user's units: half the way from one deviation below to one
    above, of a logarithm's mean m and deviation s (10^(m + s) - 10^(m - s)) / 2."""
    return (shown(values + spread, log) - shown(values - spread, log)) / 2 if log else spread


def written_as(mean: float, std: float, log: bool) -> type[np.floating[Any]]:
    """Return the type in which values are written: float32, whose 7 digits are more than a model knows, or float64
    where they are not, as of values near 1e7 that differ by 0.01."""
    if log:
        return np.float32 if abs(mean) + FAR * std < math.log10(HUGE) else np.float64
    return np.float64 if abs(mean) > OFFSET * std or not TINY < std < HUGE else np.float32
