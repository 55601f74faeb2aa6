"""The best few together: trials chosen one by one for what they add."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def greedy(
    estimates: Mapping[int, Array], loss: Callable[[Array], float], *, most: int, first: int
) -> tuple[list[int], list[float]]:
    """Return which of several estimates to average, in the order chosen, and the loss after each choice.

    It begins with `first` (the best) and adds the one whose mean with those chosen has the lowest loss, until none
    lowers it or there are `most`. Each is chosen at most once: a panel of models averages them with equal weights.

    See: Caruana et al. 2004, Ensemble Selection from Libraries of Models, doi 10.1145/1015330.1015432

    >>> made = {1: np.array([1.0]), 2: np.array([-1.2]), 3: np.array([1.5])}
    >>> chosen, losses = greedy(made, lambda mean: float(abs(mean[0])), most=3, first=1)
    >>> chosen, [round(each, 2) for each in losses]
    ([1, 2], [1.0, 0.1])
    """
    chosen, total = [first], estimates[first].astype(np.float64)
    losses = [loss(estimates[first])]
    while len(chosen) < most:
        left = [n for n in estimates if n not in chosen]
        tried = [(loss((total + estimates[n]) / (len(chosen) + 1)), n) for n in left]
        best, number = min(tried, default=(losses[-1], 0))
        if best >= losses[-1]:
            break
        chosen.append(number)
        losses.append(best)
        total += estimates[number]
    return chosen, losses
