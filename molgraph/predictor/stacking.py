"""What the parts of a consensus weigh, by estimates of rows that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from molgraph.data.targets import Targets
from molgraph.kinds import Kind

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stack:
    """Hold the weight of each part for one target, by how many rows, and the share of the way from the better part to
    the weights that fit those rows best."""

    weights: tuple[float, ...]
    rows: int
    share: float


def stacked(kind: Kind, estimates: Array, targets: Targets) -> Stack | None:
    """Weigh the parts for one target by estimates [parts, n, columns of the target] of rows that they have not seen;
    None where its kind says not how likely estimates make what was measured."""
    _, observed, _ = kind.measured(targets)

    def misfit(weights: Array) -> float:
        found = kind.misfit(np.tensordot(weights, estimates, axes=1), targets)
        return float("nan") if found is None else found

    count = int(observed.sum())
    if not count or np.isnan(misfit(np.full(len(estimates), 1 / len(estimates)))):
        return None
    weights, share = weighed(misfit, len(estimates))
    return Stack(tuple(weights.tolist()), count, share)


def weighed(misfit: Callable[[Array], float], parts: int) -> tuple[Array, float]:
    """Return weights of lowest misfit (twice the negative log likelihood), none below 0 and one in sum, drawn back
    towards the better part; and the share of the way that is left.

    That is (gain - p) / gain, where p weights are free and gain is how much less misfit they leave than the better part
    alone: of few rows the gain is small, and the better part is taken.

    See: stacking without negative weights, Breiman 1996, doi 10.1007/BF00117832; of sum one, van der Laan, Polley and
    Hubbard 2007, doi 10.2202/1544-6115.1309; the share, van Houwelingen and le Cessie 1990, doi
    10.1002/sim.4780091109

    >>> truth, first, second = np.array([0.0, 2.0] * 50), np.ones(100), np.array([0.0, 2.1] * 50)
    >>> def misfit(w):
    ...     return 100 * np.log(np.mean((w[0] * first + w[1] * second - truth) ** 2))
    >>> weights, share = weighed(misfit, 2)
    >>> weights.round(2).tolist(), round(share, 2)
    ([0.05, 0.95], 0.99)
    """
    corners = np.eye(parts)
    alone = [misfit(corner) for corner in corners]
    better = corners[int(np.argmin(alone))]
    made = minimize(
        misfit,
        0.9 * better + 0.1 / parts,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * parts,
        constraints=[{"type": "eq", "fun": lambda weights: weights.sum() - 1}],
    )
    best = np.clip(made.x, 0.0, 1.0)
    best /= best.sum()
    gain = min(alone) - misfit(best)
    share = float(max(0.0, 1 - (parts - 1) / gain)) if gain > 0 else 0.0
    return better + share * (best - better), share


def averaged(found: Array, task: Kind, weights: Mapping[str, Sequence[float]]) -> tuple[Array, Array]:
    """Return the mean of members' estimates [M, N, columns] and their standard deviation, by the weights that each
    target gives them; alike where it gives none.

    The deviation counts the freedom that weights leave; of one member alone there is none.

    See: reliability weights, https://en.wikipedia.org/wiki/Weighted_arithmetic_mean
    """
    spread = found.std(axis=0, ddof=1) if len(found) > 1 else np.full(found.shape[1:], np.nan)
    mean = found.mean(axis=0)
    for name, each in weights.items():
        where, weight = task.block(name), np.array(each, dtype=np.float64)
        mine = found[:, :, where]
        mean[:, where] = np.tensordot(weight, mine, axes=1)
        freedom = 1 - float(np.square(weight).sum())
        squares = np.tensordot(weight, np.square(mine - mean[:, where]), axes=1)
        spread[:, where] = np.sqrt(squares / freedom) if freedom > 1e-9 else np.nan
    return mean, spread
