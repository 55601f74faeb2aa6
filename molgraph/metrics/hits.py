"""Is what is looked for among the first k: of each molecule, its targets; of each protein, its ligands."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from molgraph.metrics.formulas import Floats
from molgraph.metrics.scores import Score, draws, interval


def hit_rate(
    truth: ArrayLike,
    estimate: ArrayLike,
    k: int,
    *,
    observed: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Score:
    """Return the share of rows with a hit among their k highest estimates, with its bootstrap interval over rows.

    Only observed cells are ranked. A row counts where it has a hit and something that is none. Where equal estimates
    straddle the k-th place, a row counts by the chance of a hit among all orders of the tie.

    Shapes: `truth` (1 a hit, 0 none, NaN not observed), `estimate` and `observed` [N, T].
    Raises: ValueError for k below 1 or shapes that differ.

    >>> hit_rate([[1, 0, 0], [0, 0, 1]], [[0.9, 0.2, 0.1], [0.8, 0.7, 0.3]], 1, bootstrap=0).value
    0.5
    """
    hits, scores = np.asarray(truth, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
    if k < 1 or hits.ndim != 2 or hits.shape != scores.shape:
        raise ValueError(
            f"k = {k}, truth {hits.shape}, estimate {scores.shape}: k at least 1, both of one shape [N, T]"
        )
    seen = ~np.isnan(hits) if observed is None else np.asarray(observed, dtype=bool) & ~np.isnan(hits)
    positives, cells = (seen & (hits == 1)).sum(1), seen.sum(1)
    usable = (positives > 0) & (positives < cells)
    found = np.array([_chance(hits[i][seen[i]] == 1, scores[i][seen[i]], k) for i in np.flatnonzero(usable)])
    if not len(found):
        return Score(None, None, None, "no row has both a hit and something that is none", 0)
    means = np.concatenate([counts @ found / counts.sum(1) for counts in draws(len(found), bootstrap, seed, None)])
    low, high = interval(means[1:]) or (None, None)
    return Score(float(means[0]), low, high, None, len(found))


def _chance(hit: NDArray[np.bool_], scores: Floats, k: int) -> float:
    """Return the chance that k of the highest scores hold a hit: that of drawing none is C(n - p, d) / C(n, d)."""
    if k >= len(scores):
        return 1.0
    edge = np.sort(scores)[-k]
    above, tied = scores > edge, scores == edge
    if hit[above].any():
        return 1.0
    n, p, drawn = int(tied.sum()), int(hit[tied].sum()), k - int(above.sum())
    if n - p < drawn:
        return 1.0
    return float(1.0 - np.exp(gammaln([n - p + 1, n - drawn + 1]).sum() - gammaln([n - p - drawn + 1, n + 1]).sum()))
