"""How good predicted times to an event are, where of some rows only the time is known up to which none happened.

Estimates are the probabilities of the event by each of the times `Sample.at`. A row whose bound is ABOVE was seen
without the event up to its time; how many would have been seen longer is estimated from the rows themselves
(Kaplan-Meier of being lost), and weighs those that were.
"""

from __future__ import annotations

import numpy as np

from molgraph.data.targets import ABOVE, EXACT
from molgraph.metrics.formulas import Floats, Sample, concordance, ratio

SEEN = 0.05  # of the rows must be watched at a time that is judged: beyond, a few would be weighed by 20 and more


def c_index(sample: Sample, counts: Floats) -> Floats:
    """Return Harrell's concordance index of the time that is expected within the last time: of two rows of which it is
    known whose event came first, the share in which the estimate says so.

    See: Harrell et al. 1982, doi 10.1001/jama.1982.03320430047030
    """
    return concordance(Sample(sample.truth, expected_time(sample.estimate, sample.at), sample.bound), counts)


def expected_time(chance: Floats, at: tuple[float, ...]) -> Floats:
    """Return the mean time without the event within the last of the times, straight between them.

    Shapes: `chance` [n, K], the probability of the event by each time; returns [n].
    See: the restricted mean survival time, Royston & Parmar 2013, doi 10.1186/1471-2288-13-152
    """
    left = 1.0 - np.concatenate([np.zeros((len(chance), 1)), chance], axis=1)
    steps = np.diff(np.array([0.0, *at]))
    return np.asarray((left[:, 1:] + left[:, :-1]) @ steps / 2)


def surviving(time: Floats, happened: Floats, counts: Floats, at: Floats, *, before: bool = False) -> Floats:
    """Return the Kaplan-Meier estimate of not having happened by times (with `before`: by just before them).

    Shapes: `time`, `happened` [n]; `counts` [R, n]; `at` [K]; returns [R, K].
    See: Kaplan & Meier 1958, doi 10.1080/01621459.1958.10501452
    """
    order = np.argsort(time, kind="stable")
    first = np.flatnonzero(np.diff(time[order], prepend=-np.inf) > 0)
    drawn = counts[:, order]
    at_risk = np.cumsum(drawn[:, ::-1], axis=1)[:, ::-1][:, first]
    events = np.add.reduceat(drawn * happened[order], first, axis=1)
    left = np.cumprod(1.0 - np.divide(events, at_risk, out=np.zeros_like(events), where=at_risk > 0), axis=1)
    left = np.concatenate([np.ones((len(counts), 1)), left], axis=1)
    return np.asarray(left[:, np.searchsorted(time[order][first], at, side="left" if before else "right")])


def _weights(sample: Sample, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the chance of being watched, just before each row's time [R, n] and at each of the times [R, K], and which
    times are judged [K]."""
    lost = (sample.bound == ABOVE).astype(np.float64)
    at = np.array(sample.at)
    own = surviving(sample.truth, lost, counts, sample.truth, before=True)
    judged = (sample.truth[:, None] > at).mean(axis=0) >= SEEN
    return own, surviving(sample.truth, lost, counts, at), judged


def brier(sample: Sample, counts: Floats) -> tuple[Floats, Floats]:
    """Return the Brier score at each of the times that are judged, and those times.

    Shapes: [R, K], [K].
    See: Graf et al. 1999, doi 10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5
    """
    own, there, judged = _weights(sample, counts)
    found = []
    for k in np.flatnonzero(judged):
        chance, time = sample.estimate[:, k], sample.at[k]
        before = (sample.truth <= time) & (sample.bound == EXACT)
        after = sample.truth > time
        wrong = counts * (before * (1 - chance) ** 2) / np.maximum(own, 1e-12)
        wrong += counts * (after * chance**2) / np.maximum(there[:, k : k + 1], 1e-12)
        found.append(wrong.sum(axis=1) / counts.sum(axis=1))
    return np.stack(found, axis=1) if found else np.zeros((len(counts), 0)), np.array(sample.at)[judged]


def integrated_brier(sample: Sample, counts: Floats) -> Floats:
    """Return the mean of the Brier score over time, from the first to the last time that is judged.

    See: Graf et al. 1999, section 3
    """
    scores, at = brier(sample, counts)
    if len(at) < 2:
        return np.full(len(counts), np.nan)
    return np.asarray(np.trapezoid(scores, at, axis=1) / (at[-1] - at[0]))


def auroc_by_time(sample: Sample, counts: Floats) -> Floats:
    """Return the mean, over the times that are judged, of the AUROC that tells rows with the event by then from those
    without; each time weighs by the events since the one before.

    See: Uno et al. 2007, doi 10.1198/016214507000000149 (cumulative cases, dynamic controls); the mean: Lambert &
    Chevret 2016, doi 10.1177/0962280213515571
    """
    own, _, judged = _weights(sample, counts)
    places = np.flatnonzero(judged)
    if not len(places):
        return np.full(len(counts), np.nan)
    at = np.array(sample.at)[places]
    happened = (sample.bound == EXACT).astype(np.float64)
    left = surviving(sample.truth, happened, counts, at)
    weight = -np.diff(np.concatenate([np.ones((len(counts), 1)), left], axis=1), axis=1)
    each = np.stack([_auroc_at(sample, counts, own, int(k)) for k in places], axis=1)
    known = ~np.isnan(each)
    return ratio((np.where(known, each, 0) * weight).sum(axis=1), (known * weight).sum(axis=1))


def _auroc_at(sample: Sample, counts: Floats, own: Floats, k: int) -> Floats:
    """Return the AUROC at one of the times; NaN where a resample has no cases or no controls."""
    risk, time = sample.estimate[:, k], sample.at[k]
    order = np.argsort(risk, kind="stable")
    cases = (counts * ((sample.truth <= time) & (sample.bound == EXACT)) / np.maximum(own, 1e-12))[:, order]
    controls = (counts * (sample.truth > time))[:, order]
    first = np.flatnonzero(np.diff(risk[order], prepend=-np.inf) > 0)
    cases, controls = np.add.reduceat(cases, first, axis=1), np.add.reduceat(controls, first, axis=1)
    below = np.cumsum(controls, axis=1) - controls
    return ratio((cases * (below + controls / 2)).sum(axis=1), cases.sum(axis=1) * controls.sum(axis=1))
