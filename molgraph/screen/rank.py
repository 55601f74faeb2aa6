"""Rank rows: desirability over several targets, and the best k of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molgraph.errors import ConfigError, did_you_mean

DESIRABILITY = "desirability"
DIRECTIONS = ("max", "min")
DOMAINS = ("first", "only", "any")  # in the domain first, nothing else, or as if there were none

Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Goal:
    """Say what is wanted of one target: which way, and between which values it is scaled to 0 ... 1."""

    target: str
    direction: str = "max"
    low: float = 0.0
    high: float = 1.0
    source: str = "given"

    def desirability(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale values linearly to [0, 1], 1 at the wanted end and beyond it.

        See: Derringer and Suich 1980, one-sided, with r = 1, doi:10.1080/00224065.1980.11980968
        """
        span = self.high - self.low
        scaled = (values - self.low) / span if span > 0 else (values >= self.high).astype(np.float64)
        scaled = np.where(np.isnan(values), np.nan, np.clip(scaled, 0.0, 1.0))
        return 1.0 - scaled if self.direction == "min" else scaled


def overall(goals: Sequence[Goal], values: Values) -> NDArray[np.float64]:
    """Return the geometric mean of the desirabilities of all goals, NaN where a value is missing.

    See: Derringer and Suich 1980, doi:10.1080/00224065.1980.11980968
    """
    each = np.stack([goal.desirability(values[goal.target]) for goal in goals])
    return np.asarray(np.prod(each, axis=0) ** (1.0 / len(goals)))


def directions(targets: Sequence[str], direction: str | Mapping[str, str]) -> dict[str, str]:
    """Return the wanted direction of every target; those not named are maximised.

    Raises: ConfigError for an unknown target or a direction other than max and min.
    """
    given = dict.fromkeys(targets, direction) if isinstance(direction, str) else dict(direction)
    for target, way in given.items():
        if target not in targets:
            raise ConfigError(f"direction is given for an unknown target '{target}'{did_you_mean(target, targets)}")
        if way not in DIRECTIONS:
            raise ConfigError(f"direction of '{target}' is '{way}'{did_you_mean(way, DIRECTIONS)}")
    return {target: given.get(target, "max") for target in targets}


def ranked_by(targets: Sequence[str], by: str | None) -> str:
    """Return what the rows are ranked by: the first target unless one, or `desirability`, is named.

    Raises: ConfigError for a name that is neither.
    """
    if by is None:
        return targets[0]
    known = (*targets, DESIRABILITY)
    if by not in known:
        raise ConfigError(f"cannot rank by '{by}'{did_you_mean(by, known)}")
    return by


def best(merit: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return the positions of the `count` largest merits, largest first, ties by position, NaN left out.

    Shapes: `merit` [n, K]; a later column decides where the earlier ones are equal.

    >>> best(np.array([[0, 1.0], [1, 3.0], [1, np.nan], [0, 9.0], [1, 3.0]]), 3)
    array([1, 4, 3])
    """
    known = np.flatnonzero(~np.isnan(merit).any(axis=1))
    return known[np.lexsort(-merit[known, ::-1].T)[:count]]
