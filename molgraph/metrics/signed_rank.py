"""Wilcoxon's signed-rank test with the median and the interval that belong to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class SignedRank:
    """Hold the Hodges-Lehmann median of differences, its interval, and the probability of such ranks by chance.

    The interval holds 0 exactly where `p` is not below 1 - `level`.
    """

    median: float
    low: float
    high: float
    p: float
    level: float

    @classmethod
    def of(cls, differences: ArrayLike, beyond: float) -> Self:
        """Test differences against 0; the interval errs with a probability of at most `beyond`.

        The means of all pairs of differences, each with itself too, tell all of it: how many lie above 0 is the rank
        sum, their median the estimate, and the interval leaves out as many at either end as the test would reject.
        The distribution is the exact one; equal differences and zeros count against a finding.

        Raises: ValueError for fewer differences than `fewest`.
        See: Wilcoxon 1945, doi 10.2307/3001968; Hodges & Lehmann 1963, doi 10.1214/aoms/1177704172; Hollander, Wolfe &
        Chicken 2014, doi 10.1002/9781119196037, chapter 3

        >>> SignedRank.of([1, 2, 3, 4, 5, 6], 0.05)
        SignedRank(median=3.5, low=1.0, high=6.0, p=0.03125, level=0.95)
        """
        given = np.asarray(differences, dtype=np.float64)
        if len(given) < fewest(beyond):
            raise ValueError(f"{len(given)} differences have no interval that errs at most {beyond:g} of the time")
        i, j = np.triu_indices(len(given))
        means = np.sort((given[i] + given[j]) / 2)
        chance = _chance(len(given))
        left_out = int((2 * chance < beyond).sum())
        rest = min(int((means <= 0).sum()), int((means >= 0).sum()))
        p = min(1.0, 2 * float(chance[rest]))
        return cls(float(np.median(means)), float(means[left_out - 1]), float(means[-left_out]), p, 1 - beyond)


def fewest(beyond: float, pairs: int = 1) -> int:
    """Return how many differences a finding needs at least, of so many pairs that share the level.

    >>> fewest(0.05), fewest(0.05, pairs=3)
    (6, 7)
    """
    return 1 + math.floor(1 - math.log2(beyond / pairs))


@cache
def _chance(n: int) -> NDArray[np.float64]:
    """Return the probability of each rank sum or a lower one, where each rank is taken with probability 1/2."""
    found = np.ones(1)
    for rank in range(1, n + 1):
        found = (np.pad(found, (0, rank)) + np.pad(found, (rank, 0))) / 2
    return np.cumsum(found)
