"""How good predicted quantiles are, all of them together.

Estimates are quantiles at the levels `Sample.at`, of which one is the median and the others come in pairs.
"""

from __future__ import annotations

import numpy as np

from molgraph.metrics.formulas import Floats, Sample, ratio


def wis(sample: Sample, counts: Floats) -> Floats:
    """Return the mean weighted interval score, in the units of what was measured: of a point alone it is the absolute
    error.

    With K intervals of level 1 - a_k, weighed by a_k / 2, and the median by 1 / 2, over K + 1 / 2: that is twice the
    mean of the pinball losses of all quantiles.

    See: Bracher et al. 2021, doi 10.1371/journal.pcbi.1008618
    """
    return ratio(counts @ (2 * pinball(sample.truth, sample.estimate, sample.at).mean(axis=1)), counts.sum(1))


def pinball(truth: Floats, quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """Return the pinball loss of each quantile, [n, K].

    See: Koenker & Bassett 1978, doi 10.2307/1913643
    """
    off = truth[:, None] - quantiles
    at = np.array(levels)
    return np.asarray(np.maximum(at * off, (at - 1) * off))
