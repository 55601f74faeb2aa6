"""The formulas: each gives one value per resample of the same rows, all resamples at once.

A resample is a row of `counts` [R, n]: how often each of the n rows was drawn. A row drawn twice counts
twice, so every formula here is the usual one with whole-number weights, and the plain score is the resample
that draws each row once. Where a score does not exist in a resample the value is NaN; the caller of this
module turns that into a reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molgraph.data.targets import ABOVE, BELOW, EXACT

Floats = NDArray[np.float64]

BLOCK = 256  # rows whose pairs are counted by a matrix product; a quarter or twice as many take as long or longer
FLAT = 1e-12  # a variance below this share of the squared range is rounding, not variance


@dataclass(frozen=True)
class Sample:
    """Hold the measured rows of one target.

    Shapes: `truth` [n]; `estimate` [n], or the probabilities [n, C] of C classes, or of an event by each of the times
    `at`, or quantiles at the levels `at`; `bound` int8 [n].
    """

    truth: Floats
    estimate: Floats
    bound: NDArray[np.int8]
    at: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def point(self) -> Floats:
        """Return one number for each row: the estimate, of quantiles the median."""
        return self.estimate if self.estimate.ndim == 1 else self.estimate[:, self.at.index(0.5)]

    def take(self, rows: NDArray[np.bool_]) -> Sample:
        """Return some of the rows."""
        return Sample(self.truth[rows], self.estimate[rows], self.bound[rows], self.at)


def ratio(above: Floats, below: Floats) -> Floats:
    """Divide; NaN where the divisor is 0."""
    quotient = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient


def _mean(loss: Floats, counts: Floats) -> Floats:
    return ratio(counts @ loss, counts.sum(1))


def mse(sample: Sample, counts: Floats) -> Floats:
    """Return the mean squared error."""
    return _mean((sample.point - sample.truth) ** 2, counts)


def rmse(sample: Sample, counts: Floats) -> Floats:
    """Return the root of the mean squared error."""
    return np.sqrt(mse(sample, counts))


def mae(sample: Sample, counts: Floats) -> Floats:
    """Return the mean absolute error."""
    return _mean(np.abs(sample.point - sample.truth), counts)


def _centred(values: Floats) -> Floats:
    """Shift by one of the values, near the middle, so that equal values become exactly 0."""
    middle: float = np.partition(values, len(values) // 2)[len(values) // 2]
    return values - middle


def _spread(values: Floats, counts: Floats) -> Floats:
    """Return the sum of squares about the mean of each resample, exactly 0 where all its values are equal."""
    total = counts.sum(1)
    squares = counts @ values**2 - (counts @ values) ** 2 / total
    return np.where(squares > FLAT * total * np.max(values**2, initial=0.0), squares, 0.0)


def r2(sample: Sample, counts: Floats) -> Floats:
    """Return the coefficient of determination, 1 - SSE / SST about the mean of the resample itself."""
    squares = counts @ (sample.estimate - sample.truth) ** 2
    return 1.0 - ratio(squares, _spread(_centred(sample.truth), counts))


def pearson(sample: Sample, counts: Floats) -> Floats:
    """Return the linear correlation."""
    x, y = _centred(sample.truth), _centred(sample.estimate)
    joint = counts @ (x * y) - (counts @ x) * (counts @ y) / counts.sum(1)
    return np.clip(ratio(joint, np.sqrt(_spread(x, counts) * _spread(y, counts))), -1.0, 1.0)


def _ranks(values: Floats, counts: Floats) -> Floats:
    """Return the mid-rank of each row in each resample [R, n], less the mean rank."""
    order, starts = _ties(values)
    size = np.add.reduceat(counts[:, order], starts, axis=1)
    rank: Floats = np.cumsum(size, axis=1) - size / 2 - counts.sum(1, keepdims=True) / 2
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(values)))
    return rank[:, place]


def spearman(sample: Sample, counts: Floats) -> Floats:
    """Return the rank correlation: Pearson's of the mid-ranks.

    See: Spearman 1904, doi 10.2307/1412159
    """
    x, y = _ranks(sample.truth, counts), _ranks(sample.estimate, counts)
    weighted = counts * x
    joint, xx = np.einsum("rn,rn->r", weighted, y), np.einsum("rn,rn->r", weighted, x)
    yy = np.einsum("rn,rn,rn->r", counts, y, y)
    return np.clip(ratio(joint, np.sqrt(xx * yy)), -1.0, 1.0)


def _ties(values: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ascending order and where in it each group of equal values starts."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    return order, np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])


def ranking(sample: Sample, counts: Floats) -> tuple[Floats, Floats]:
    """Return how many positives and how many rows [R, K] share each of the K estimates, highest first."""
    order, starts = _ties(-sample.estimate)
    drawn = counts[:, order]
    return (
        np.add.reduceat(drawn * sample.truth[order], starts, axis=1),
        np.add.reduceat(drawn, starts, axis=1),
    )


def rm2(sample: Sample, counts: Floats) -> Floats:
    """Return r^2 (1 - sqrt(|r^4 - r0^4|)), which papers on drug-target affinity print as r_m^2.

    r is Pearson's correlation, r0^2 the determination by the best line through the origin. The code these papers share
    squares both where Roy's formula (`rm2_roy`) does not.

    See: the evaluation of DeepDTA, Ozturk 2018, doi 10.1093/bioinformatics/bty593
    """
    r2, r02 = _through_origin(sample, counts)
    return r2 * (1.0 - np.sqrt(np.abs(r2**2 - r02**2)))


def rm2_roy(sample: Sample, counts: Floats) -> Floats:
    """Return r_m^2 = r^2 (1 - sqrt(|r^2 - r0^2|)) as it was defined.

    See: Pratim Roy et al. 2009, doi 10.3390/molecules14051660
    """
    r2, r02 = _through_origin(sample, counts)
    return r2 * (1.0 - np.sqrt(np.abs(r2 - r02)))


def _through_origin(sample: Sample, counts: Floats) -> tuple[Floats, Floats]:
    """Return r^2, and r0^2 of the line truth = k estimate that fits best."""
    truth, estimate = sample.truth, sample.estimate
    left = counts @ truth**2 - ratio((counts @ (truth * estimate)) ** 2, counts @ estimate**2)
    return pearson(sample, counts) ** 2, 1.0 - ratio(left, _spread(_centred(truth), counts))


def concordance(sample: Sample, counts: Floats) -> Floats:
    """Return the concordance index: the share of pairs of different truths that the estimates order alike.

    A pair of equal estimates counts half. With bounds those pairs count whose order is certain: `<5` is below 5 and
    below `>5`; of 4 and `<5`, or of two bounds of one direction, nothing is known.

    See: Gonen & Heller 2005, doi 10.1093/biomet/92.4.965; bounds: the usable pairs of Harrell et al. 1982, doi
    10.1001/jama.1982.03320430047030
    """
    if (sample.bound != EXACT).any():
        return _certain(sample, counts)
    alike, all_pairs, truth, estimate, both = _pairs(sample, counts)
    return ratio(alike + (estimate - both) / 2, all_pairs - truth)


def _certain(sample: Sample, counts: Floats) -> Floats:
    """Return the concordance over pairs of certain order: the lower is no `>`, the higher no `<`, and of equal numbers
    a `<` comes before the exact ones and a `>` after them."""
    order = np.lexsort((sample.bound, sample.truth))
    steps = np.diff(sample.truth[order]) + np.abs(np.diff(sample.bound[order])) != 0
    place = np.empty(len(order))
    place[order] = np.r_[0, np.cumsum(steps)]
    lower, higher = counts * (sample.bound != ABOVE), counts * (sample.bound != BELOW)
    estimate = _levels(sample.estimate)
    alike = _ordered_alike(place, estimate, lower, higher)
    tied = _ordered(place, estimate, lower, higher)
    return ratio(alike + tied / 2, _ordered(place, np.zeros_like(place), lower, higher))


def _ordered(place: Floats, same: Floats, lower: Floats, higher: Floats) -> Floats:
    """Count the pairs, equal in `same`, of which one has a lower place than the other."""
    order = np.lexsort((place, same))
    before = np.cumsum(lower[:, order], axis=1) - lower[:, order]
    group = np.flatnonzero(np.diff(same[order], prepend=np.nan) != 0)
    step = np.flatnonzero((np.diff(same[order], prepend=np.nan) != 0) | (np.diff(place[order], prepend=np.nan) != 0))
    size = np.diff(step, append=len(order))
    start_of_group = np.repeat(group, np.diff(group, append=len(order)))
    below = before[:, np.repeat(step, size)] - before[:, start_of_group]
    return np.asarray(np.einsum("rn,rn->r", higher[:, order], below))


def kendall(sample: Sample, counts: Floats) -> Floats:
    """Return the rank correlation tau-b: pairs ordered alike less those ordered otherwise, corrected for ties.

    See: Kendall 1945, doi 10.1093/biomet/33.3.239
    """
    alike, all_pairs, truth, estimate, both = _pairs(sample, counts)
    otherwise = all_pairs - truth - estimate + both - alike
    return ratio(alike - otherwise, np.sqrt((all_pairs - truth) * (all_pairs - estimate)))


def _pairs(sample: Sample, counts: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return how many pairs are ordered alike, how many there are, and how many tie in truth, estimate, both.

    In the last four a drawn row is a pair with itself, for one half; that drops out wherever they are subtracted.
    """
    truth, estimate = (_levels(values) for values in (sample.truth, sample.estimate))
    tied = []
    for values in (truth, estimate, truth * len(sample) + estimate):
        order, starts = _ties(values)
        tied.append((np.add.reduceat(counts[:, order], starts, axis=1) ** 2).sum(1) / 2)
    return _ordered_alike(truth, estimate, counts, counts), counts.sum(1) ** 2 / 2, tied[0], tied[1], tied[2]


def _levels(values: Floats) -> Floats:
    """Return for each value how many different ones are smaller."""
    return np.unique(values, return_inverse=True)[1].astype(np.float64)


def _ordered_alike(truth: Floats, estimate: Floats, lower: Floats, higher: Floats) -> Floats:
    """Count the pairs in which both are larger: in blocks of rows by products, then as a merge sort joins the blocks.

    Rows count as `lower` where they are the smaller of a pair and as `higher` where the larger, [R, n] each.
    Of equal truths the larger estimate comes first, so that an earlier row with a smaller estimate has a smaller truth.
    """
    order = np.lexsort((-estimate, truth))
    rank, place = estimate[order], np.arange(len(order))
    small = np.ascontiguousarray(lower.T[order])
    large = small if higher is lower else np.ascontiguousarray(higher.T[order])
    total = np.zeros(len(lower))
    for start in range(0, len(order), BLOCK):
        rows = slice(start, start + BLOCK)
        earlier = np.triu(rank[rows, None] < rank[rows]).astype(np.float64)
        total += np.einsum("nr,nr->r", small[rows], earlier @ large[rows])
    width = BLOCK
    while width < len(order):
        first = place // width % 2 == 0  # of two blocks that are joined, the one of smaller truths
        by = np.lexsort((first, rank, place // (2 * width)))
        smaller = small[by] * first[by, None]
        larger, below = large[by] * ~first[by, None], np.cumsum(smaller, axis=0)
        starts = np.arange(0, len(order), 2 * width)
        total += np.einsum("nr,nr->r", larger, below)
        total -= np.einsum("nr,nr->r", np.add.reduceat(larger, starts, axis=0)[1:], below[starts[1:] - 1])
        width *= 2
    return total


def auroc(sample: Sample, counts: Floats) -> Floats:
    """Return the area under the ROC curve: how often a positive stands above a negative, a tie counting half.

    See: Hanley & McNeil 1982, doi 10.1148/radiology.143.1.7063747
    """
    positive, both = ranking(sample, counts)
    negative = both - positive
    below = negative.sum(1, keepdims=True) - np.cumsum(negative, axis=1) + negative / 2
    pairs = np.einsum("rk,rk->r", positive, below)
    return ratio(pairs, positive.sum(1) * negative.sum(1))


def auprc(sample: Sample, counts: Floats) -> Floats:
    """Return the average precision: the precision at each positive, not interpolated.

    See: Davis & Goadrich 2006, doi 10.1145/1143844.1143874
    """
    positive, both = ranking(sample, counts)
    precision = np.nan_to_num(ratio(np.cumsum(positive, axis=1), np.cumsum(both, axis=1)))
    found = ratio(np.einsum("rk,rk->r", positive, precision), positive.sum(1))
    return np.where(positive.sum(1) < both.sum(1), found, np.nan)


def enrichment(sample: Sample, counts: Floats, share: float) -> Floats:
    """Return how many times more positives stand in the top `share` of the list than by chance.

    The top is ceil(share * n) rows; where equal estimates straddle its end, the positives among them count
    in proportion, which is the mean over all orders of the tie.

    See: Truchon & Bayly 2007, doi 10.1021/ci600426e
    """
    positive, both = ranking(sample, counts)
    rows, found = both.sum(1), positive.sum(1)
    top = np.ceil(share * rows - 1e-9)
    above = np.cumsum(both, axis=1) - both
    inside = np.clip(top[:, None] - above, 0.0, both)
    hits = np.einsum("rk,rk->r", positive, np.nan_to_num(ratio(inside, both)))
    factor = ratio(hits * rows, top * found)
    return np.where(found < rows, factor, np.nan)


def bedroc(sample: Sample, counts: Floats, alpha: float = 20.0) -> Floats:
    """Return the chance that a positive stands before one drawn from an exponential law of the rank, scaled to [0, 1].

    With alpha 20, the top 8 % of the list make 80 % of the score. Positives among equal estimates count as the mean
    over all orders of the tie. Where positives are not rare (alpha times their share is not far below 1), scores of
    lists with other shares cannot be compared.

    See: Truchon & Bayly 2007, doi 10.1021/ci600426e, equation 36
    """
    positive, both = ranking(sample, counts)
    rows, found = both.sum(1), positive.sum(1)
    end = np.cumsum(both, axis=1) / rows[:, None]
    begin = end - both / rows[:, None]
    # the sum of exp(-alpha rank / n) over the ranks of a tie, but for a factor that cancels
    weight = np.exp(-alpha * begin) - np.exp(-alpha * end)
    seen = np.einsum("rk,rk->r", positive, np.nan_to_num(ratio(weight, both)))
    best, worst = 1.0 - np.exp(-alpha * found / rows), np.exp(alpha * (found / rows - 1.0)) - np.exp(-alpha)
    return np.where(found < rows, ratio(seen - worst, np.where(found > 0, best - worst, 0.0)), np.nan)


def _probabilities(sample: Sample) -> Floats:
    """Return one column per class, [n, 2] for a binary target."""
    if sample.estimate.ndim == 2:
        return sample.estimate
    return np.stack([1.0 - sample.estimate, sample.estimate], axis=1)


def _called(sample: Sample) -> NDArray[np.int64]:
    """Return the most probable class; 1 at a probability of exactly one half."""
    binary = sample.estimate.ndim == 1
    called: NDArray[np.int64] = (sample.estimate >= 0.5).astype(np.int64) if binary else sample.estimate.argmax(1)
    return called


def _confusion(sample: Sample, counts: Floats) -> Floats:
    """Return the rows [R, C, C] of each true class (first) called each class (second)."""
    classes = _probabilities(sample).shape[1]
    cell = sample.truth.astype(np.int64) * classes + _called(sample)
    table = np.zeros((len(sample), classes * classes))
    table[np.arange(len(sample)), cell] = 1.0
    return (counts @ table).reshape(len(counts), classes, classes)


def accuracy(sample: Sample, counts: Floats) -> Floats:
    """Return the share of rows whose most probable class is the true one."""
    return _mean((_called(sample) == sample.truth).astype(np.float64), counts)


def balanced_accuracy(sample: Sample, counts: Floats) -> Floats:
    """Return the recall averaged over the classes that occur; it needs two of them.

    See: Brodersen 2010, doi 10.1109/ICPR.2010.764
    """
    table = _confusion(sample, counts)
    size = table.sum(2)
    recall = np.nan_to_num(ratio(np.einsum("rcc->rc", table), size))
    present = (size > 0).sum(1)
    return np.where(present > 1, recall.sum(1) / np.maximum(present, 1), np.nan)


def mcc(sample: Sample, counts: Floats) -> Floats:
    """Return Matthews' correlation, for several classes in Gorodkin's form.

    See: Matthews 1975, doi 10.1016/0005-2795(75)90109-9; Gorodkin 2004, doi 10.1016/j.compbiolchem.2004.09.006
    """
    table = _confusion(sample, counts)
    rows, right = table.sum((1, 2)), np.einsum("rcc->r", table)
    true, called = table.sum(2), table.sum(1)
    joint = right * rows - (true * called).sum(1)
    return ratio(joint, np.sqrt((rows**2 - (true**2).sum(1)) * (rows**2 - (called**2).sum(1))))


def brier(sample: Sample, counts: Floats) -> Floats:
    """Return the mean squared error of the probability; of several classes, the squares are summed over them.

    See: Brier 1950, doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    if sample.estimate.ndim == 1:
        return _mean((sample.point - sample.truth) ** 2, counts)
    wanted = np.eye(sample.estimate.shape[1])[sample.truth.astype(np.int64)]
    return _mean(((sample.estimate - wanted) ** 2).sum(1), counts)


def log_loss(sample: Sample, counts: Floats) -> Floats:
    """Return the mean negative log probability of the true class (natural logarithm).

    A probability is kept 1.2e-7 (the float32 resolution in which models compute) away from 0 and 1, so that
    one row which was certain and wrong costs 16 and not infinity.
    """
    tiny = float(np.finfo(np.float32).eps)
    given = np.clip(_probabilities(sample), tiny, 1.0 - tiny)
    given /= given.sum(1, keepdims=True)
    return _mean(-np.log(given[np.arange(len(sample)), sample.truth.astype(np.int64)]), counts)
