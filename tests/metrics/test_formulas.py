"""Every formula against scikit-learn, SciPy or RDKit, on the sample itself and on resamples of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from rdkit.ML.Scoring.Scoring import CalcBEDROC, CalcEnrichment
from scipy import stats
from sklearn import metrics as sk

from molgraph.metrics import formulas
from molgraph.metrics.formulas import Sample

Array = NDArray[np.float64]


def resamples(n: int, seed: int, how_many: int = 6) -> tuple[list[NDArray[np.int64]], Array]:
    random = np.random.default_rng(seed)
    drawn = [np.arange(n)] + [random.integers(0, n, n) for _ in range(how_many)]
    return drawn, np.stack([np.bincount(rows, minlength=n) for rows in drawn]).astype(float)


def exact(truth: Array, estimate: Array) -> Sample:
    return Sample(truth.astype(float), estimate.astype(float), np.zeros(len(truth), np.int8))


def numbers(n: int, seed: int, ties: bool) -> Sample:
    random = np.random.default_rng(seed)
    truth = random.normal(5, 2, n)
    estimate = truth + random.normal(0, 1, n)
    return exact(truth.round(0), estimate.round(0)) if ties else exact(truth, estimate)


def binary(n: int, seed: int, ties: bool) -> Sample:
    random = np.random.default_rng(seed)
    truth = random.random(n) < 0.3
    estimate = np.clip(0.4 * truth + random.random(n) * 0.6, 0, 1)
    return exact(truth, estimate.round(1) if ties else estimate)


def classes(n: int, seed: int) -> Sample:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, n)
    given = random.random((n, 4)) + 0.5 * np.eye(4)[truth]
    return exact(truth, given / given.sum(1, keepdims=True))


def by_comparing_all(truth: Array, estimate: Array) -> float:
    """Return the concordance index from all pairs, as DeepDTA and its step function define it."""
    comparable = truth[:, None] > truth
    difference = estimate[:, None] - estimate
    return float(np.heaviside(difference, 0.5)[comparable].mean())


def through_origin(truth: Array, estimate: Array, power: int) -> float:
    """Return r_m^2, with the squares raised to a power inside the root."""
    k = np.sum(truth * estimate) / np.sum(estimate**2)
    r02 = sk.r2_score(truth, k * estimate)
    r2 = stats.pearsonr(truth, estimate).statistic ** 2
    return float(r2 * (1 - np.sqrt(np.abs(r2**power - r02**power))))


OF_NUMBERS: dict[str, Callable[[Array, Array], float]] = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "pearson": lambda t, e: stats.pearsonr(t, e).statistic,
    "spearman": lambda t, e: stats.spearmanr(t, e).statistic,
    "mse": sk.mean_squared_error,
    "kendall": lambda t, e: stats.kendalltau(t, e).statistic,
    "concordance": by_comparing_all,
    "rm2": lambda t, e: through_origin(t, e, 2),
    "rm2_roy": lambda t, e: through_origin(t, e, 1),
}
OF_BINARY: dict[str, Callable[[Array, Array], float]] = {
    "auroc": sk.roc_auc_score,
    "auprc": sk.average_precision_score,
    "accuracy": lambda t, e: sk.accuracy_score(t, e >= 0.5),
    "balanced_accuracy": lambda t, e: sk.balanced_accuracy_score(t, e >= 0.5),
    "mcc": lambda t, e: sk.matthews_corrcoef(t, e >= 0.5),
    "brier": sk.brier_score_loss,
    "log_loss": lambda t, e: sk.log_loss(t, np.clip(e, 2**-23, 1 - 2**-23)),
}
OF_CLASSES: dict[str, Callable[[Array, Array], float]] = {
    "accuracy": lambda t, e: sk.accuracy_score(t, e.argmax(1)),
    "balanced_accuracy": lambda t, e: sk.balanced_accuracy_score(t, e.argmax(1)),
    "mcc": lambda t, e: sk.matthews_corrcoef(t, e.argmax(1)),
    "brier": lambda t, e: ((e - np.eye(4)[t.astype(int)]) ** 2).sum(1).mean(),
    "log_loss": lambda t, e: sk.log_loss(t, e, labels=range(4)),
}


def agrees(name: str, oracle: Callable[[Array, Array], float], sample: Sample, seed: int) -> None:
    drawn, counts = resamples(len(sample), seed)
    ours = getattr(formulas, name)(sample, counts)
    theirs = [oracle(sample.truth[rows], sample.estimate[rows]) for rows in drawn]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [25, 400])
@pytest.mark.parametrize("name", OF_NUMBERS)
def test_of_numbers(name: str, n: int, ties: bool) -> None:
    for seed in range(5):
        agrees(name, OF_NUMBERS[name], numbers(n, seed, ties), seed)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [60, 400])
@pytest.mark.parametrize("name", OF_BINARY)
def test_of_two_classes(name: str, n: int, ties: bool) -> None:
    for seed in range(5):
        agrees(name, OF_BINARY[name], binary(n, seed, ties), seed)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_of_several_classes(name: str) -> None:
    for seed in range(5):
        agrees(name, OF_CLASSES[name], classes(200, seed), seed)


def test_correlations_far_from_zero() -> None:
    """A constant added to a target (312.437, a melting point in kelvin) does not cost digits."""
    sample = numbers(200, 0, ties=False)
    shifted = exact(sample.truth + 1e6, sample.estimate + 1e6)
    for name in ("r2", "pearson", "spearman"):
        agrees(name, OF_NUMBERS[name], shifted, 1)


@pytest.mark.parametrize("n", [255, 257, 700, 1300])
@pytest.mark.parametrize("ties", [False, True])
def test_pairs_are_counted_alike_in_blocks_and_beyond(n: int, ties: bool) -> None:
    sample = numbers(n, n, ties)
    for name in ("concordance", "kendall"):
        agrees(name, OF_NUMBERS[name], sample, n)


@pytest.mark.parametrize(
    ("truth", "estimate", "expected"),
    [
        ([1, 2, 3], [10, 20, 30], 1.0),
        ([1, 2, 3], [30, 20, 10], 0.0),
        ([1, 2, 3], [5, 5, 5], 0.5),  # estimates that say nothing
        ([1, 1, 2], [3, 7, 7], 0.75),  # the pair of equal truths does not count, the tie counts half
        ([1, 1, 1], [1, 2, 3], np.nan),  # no pair to order
        ([5, 5, 5, 9], [1, 2, 3, 2], 0.5),  # one right, one tie, one wrong
        ([1, 2], [2, 2], 0.5),
    ],
)
def test_concordance_by_hand(truth: list[float], estimate: list[float], expected: float) -> None:
    found = formulas.concordance(exact(np.array(truth), np.array(estimate)), np.ones((1, len(truth))))
    np.testing.assert_allclose(found, [expected], atol=1e-15)


def test_rm2_of_a_perfect_and_of_a_shifted_estimate() -> None:
    truth = np.array([5.0, 6.0, 7.0, 9.0])
    for name in ("rm2", "rm2_roy"):
        formula = getattr(formulas, name)
        assert formula(exact(truth, truth), np.ones((1, 4)))[0] == pytest.approx(1.0, abs=1e-6)
        assert formula(exact(truth, truth + 3), np.ones((1, 4)))[0] < 0.9  # r is 1, and the line misses the origin
        assert np.isnan(formula(exact(truth, np.full(4, 2.0)), np.ones((1, 4)))[0])


@pytest.mark.parametrize("alpha", [5.0, 20.0, 100.0])
@pytest.mark.parametrize("n", [30, 731])
def test_bedroc_is_that_of_rdkit(n: int, alpha: float) -> None:
    for seed in range(5):
        sample = binary(n, seed, ties=False)
        order = np.argsort(-sample.estimate)
        theirs = CalcBEDROC([[bool(sample.truth[i])] for i in order], 0, alpha)
        assert formulas.bedroc(sample, np.ones((1, n)), alpha)[0] == pytest.approx(theirs, abs=1e-12)


def test_bedroc_of_ties_is_the_mean_over_their_orders() -> None:
    truth, estimate = np.array([1, 0, 0, 1, 0, 0]), np.array([3, 3, 2, 2, 2, 1])
    orders = []
    for seed in range(3000):
        order = np.lexsort((np.random.default_rng(seed).random(6), -estimate))
        orders.append(CalcBEDROC([[bool(truth[i])] for i in order], 0, 20.0))
    found = formulas.bedroc(exact(truth, estimate), np.ones((1, 6)))[0]
    assert found == pytest.approx(np.mean(orders), abs=4 * np.std(orders) / np.sqrt(3000))


def test_bedroc_at_its_ends() -> None:
    truth = np.array([1.0] * 3 + [0.0] * 17)
    rank = np.arange(20.0)
    found = [formulas.bedroc(exact(truth, rank * sign), np.ones((1, 20)))[0] for sign in (-1, 1)]
    assert found == pytest.approx([1.0, 0.0], abs=1e-12)
    for constant in (0.0, 1.0):
        assert np.isnan(formulas.bedroc(exact(np.full(20, constant), rank), np.ones((1, 20)))[0])


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("n", [99, 100, 731])
def test_enrichment_is_that_of_rdkit(n: int, share: float) -> None:
    sample = binary(n, n, ties=False)
    order = np.argsort(-sample.estimate)
    theirs = CalcEnrichment([[bool(sample.truth[i])] for i in order], 0, [share])[0]
    assert formulas.enrichment(sample, np.ones((1, n)), share)[0] == pytest.approx(theirs)


def test_enrichment_of_ties_is_the_mean_over_their_orders() -> None:
    random = np.random.default_rng(0)
    sample = exact(random.random(100) < 0.3, random.random(100).round(1))
    shuffled = []
    for _ in range(4000):
        order = np.lexsort((random.random(100), -sample.estimate))
        shuffled.append(sample.truth[order[:13]].mean() / sample.truth.mean())
    standard_error = np.std(shuffled) / np.sqrt(len(shuffled))
    ours = formulas.enrichment(sample, np.ones((1, 100)), 0.13)[0]
    assert standard_error > 0 and abs(ours - np.mean(shuffled)) < 4 * standard_error


@pytest.mark.parametrize("rows", [6, 40, 600])
def test_concordance_counts_the_pairs_of_certain_order(rows: int) -> None:
    random = np.random.default_rng(rows)
    truth, estimate = (random.integers(0, 9 if rows < 100 else 90, rows).astype(float) for _ in range(2))
    bound, counts = random.integers(-1, 2, rows).astype(np.int8), np.ones((3, rows))
    counts[1:] = random.integers(0, 3, (2, rows))
    lower, higher = np.where(bound == -1, -np.inf, truth), np.where(bound == 1, np.inf, truth)
    exact = bound == 0
    certain = (higher[:, None] < lower) | ((higher[:, None] == lower) & ~(exact[:, None] & exact))
    gain = (estimate[:, None] < estimate) + 0.5 * (estimate[:, None] == estimate)
    expected = [
        (certain * gain * np.outer(drawn, drawn)).sum() / (certain * np.outer(drawn, drawn)).sum() for drawn in counts
    ]
    np.testing.assert_allclose(formulas.concordance(Sample(truth, estimate, bound), counts), expected)


def test_a_bound_counts_where_it_says_which_of_two_is_higher() -> None:
    """Of `<5`, 5, `>5` and 4: `<5` is below 5 and `>5`, 5 below `>5`, 4 below 5 and `>5`; `<5` and 4 may be either."""
    sample = Sample(np.array([5.0, 5, 5, 4]), np.array([1.0, 2, 3, 0]), np.array([-1, 0, 1, 0], np.int8))
    assert formulas.concordance(sample, np.ones((1, 4)))[0] == 1
    wrong = Sample(sample.truth, np.array([2.5, 2, 3, 0]), sample.bound)
    assert formulas.concordance(wrong, np.ones((1, 4)))[0] == pytest.approx(4 / 5)
    nothing = Sample(np.array([5.0, 4]), np.array([1.0, 2]), np.array([-1, -1], np.int8))
    assert np.isnan(formulas.concordance(nothing, np.ones((1, 2)))[0])


@pytest.mark.parametrize("bend", [np.exp, np.cbrt, lambda x: 3 * x - 7])
def test_ranks_ignore_a_monotone_bend(bend: Callable[[Array], Array]) -> None:
    for seed in range(5):
        sample = numbers(80, seed, ties=True)
        bent = exact(sample.truth, bend(sample.estimate))
        _, counts = resamples(80, seed)
        np.testing.assert_allclose(formulas.spearman(sample, counts), formulas.spearman(bent, counts), rtol=1e-12)
        pair = binary(80, seed, ties=True)
        bent = exact(pair.truth, bend(pair.estimate))
        for ranking in (formulas.auroc, formulas.auprc, partial(formulas.enrichment, share=0.05)):
            np.testing.assert_allclose(ranking(pair, counts), ranking(bent, counts), rtol=1e-12)


def test_turned_round() -> None:
    """Reversing the list turns AUROC into 1 - AUROC and the correlations into their negatives."""
    sample, pair = numbers(90, 0, ties=True), binary(90, 0, ties=True)
    _, counts = resamples(90, 0)
    back = exact(pair.truth, 1 - pair.estimate)
    np.testing.assert_allclose(formulas.auroc(back, counts), 1 - formulas.auroc(pair, counts))
    back = exact(sample.truth, -sample.estimate)
    for name in (formulas.spearman, formulas.pearson):
        np.testing.assert_allclose(name(back, counts), -name(sample, counts))


@pytest.mark.parametrize("value", [312.437, 0.1, -7.3e-5])
def test_no_variance_is_seen_through_rounding(value: float) -> None:
    varied = np.linspace(0, 1, 77)
    same = np.full(77, value)
    _, counts = resamples(77, 0)
    assert np.isnan(formulas.r2(exact(same, varied), counts)).all()
    for name in (formulas.pearson, formulas.spearman):
        assert np.isnan(name(exact(same, varied), counts)).all()
        assert np.isnan(name(exact(varied, same), counts)).all()


def test_one_row_drawn_again_and_again_has_no_variance() -> None:
    sample = numbers(30, 1, ties=False)
    counts = 30.0 * np.eye(30)
    for name in (formulas.r2, formulas.pearson, formulas.spearman):
        assert np.isnan(name(sample, counts)).all()
    assert np.isnan(formulas.auroc(binary(30, 0, ties=False), counts)).all()
