"""Pairs of models over folds, beside scipy and beside what chance does."""

import math

import numpy as np
import pytest
from scipy import stats

from molgraph.errors import ConfigError, DataError
from molgraph.metrics import repeated
from molgraph.metrics.repeated import fewest_folds, rank, standardised


def folds_of(models, folds=25, gap=0.0, seed=0):
    """Return scores that differ far more between folds than between models; the first is better by `gap`."""
    random = np.random.default_rng(seed)
    scores = 1 + 0.5 * random.normal(size=(folds, 1)) + 0.1 * random.normal(size=(folds, models))
    scores[:, 0] -= gap
    return scores


@pytest.fixture
def quick(monkeypatch):
    """Answer by the critical value alone, looked up once: the distribution takes milliseconds for each question."""
    border, plain = {}, stats.studentized_range

    class Quick:
        def ppf(self, level, models, free):
            if (models, free) not in border:
                border[models, free] = plain.ppf(level, models, free)
            return border[models, free]

        def sf(self, q, models, free):
            return 0.0 if q > self.ppf(0.95, models, free) else 1.0

    monkeypatch.setattr(repeated.stats, "studentized_range", Quick())


def test_of_two_models_it_is_the_paired_t_test():
    scores = folds_of(2, gap=0.03)
    (pair,) = rank(["a", "b"], scores, "rmse").pairs
    paired = stats.ttest_rel(scores[:, 0], scores[:, 1])
    ends = paired.confidence_interval(0.95)
    sign = 1 if pair.first == "a" else -1
    assert pair.p == pytest.approx(paired.pvalue, rel=1e-4)
    assert (sign * pair.difference) == pytest.approx(np.mean(scores[:, 0] - scores[:, 1]))
    assert sorted((sign * pair.low, sign * pair.high)) == pytest.approx([ends.low, ends.high], rel=1e-4)


def test_the_corrected_interval_of_two_models_is_nadeau_and_bengios():
    scores, share = folds_of(2, gap=0.05), 0.25
    (pair,) = rank(["a", "b"], scores, "rmse", share=share).pairs
    gaps = scores[:, 0] - scores[:, 1]
    t = gaps.mean() / math.sqrt((1 / 25 + share) * gaps.var(ddof=1))
    assert pair.p == pytest.approx(2 * stats.t.sf(abs(t), 24), rel=1e-4)
    half = stats.t.ppf(0.975, 24) * math.sqrt((1 / 25 + share) * gaps.var(ddof=1))
    assert (pair.high - pair.low) / 2 == pytest.approx(half, rel=1e-4)


def test_where_all_folds_are_alike_it_nears_scipys_tukey():
    """Without an effect of folds, the error of the blocked analysis is that of the plain one, but for its freedom."""
    random = np.random.default_rng(3)
    scores = 1 + 0.1 * random.normal(size=(400, 3)) + np.array([0.0, 0.02, 0.05])
    found = rank(list("abc"), scores, "rmse")
    plain = stats.tukey_hsd(*scores.T)
    interval = plain.confidence_interval(0.95)
    for pair in found.pairs:
        i, j = "abc".index(pair.first), "abc".index(pair.second)
        assert pair.difference == pytest.approx(plain.statistic[i, j])
        assert pair.p == pytest.approx(plain.pvalue[i, j], abs=0.01)
        assert pair.low == pytest.approx(interval.low[i, j], abs=0.001)


def test_wilcoxon_is_scipys_with_bonferronis_correction():
    scores = folds_of(3, gap=0.06)
    found = rank(list("abc"), scores, "rmse", test="wilcoxon")
    for pair in found.pairs:
        gaps = scores[:, "abc".index(pair.first)] - scores[:, "abc".index(pair.second)]
        assert pair.p == pytest.approx(min(1, 3 * stats.wilcoxon(gaps).pvalue))
        won = stats.binomtest(int((gaps < 0).sum()), len(gaps))
        ends = won.proportion_ci(1 - 0.05 / 3)
        assert (pair.effect, pair.effect_low, pair.effect_high) == pytest.approx((won.statistic, ends.low, ends.high))


@pytest.mark.parametrize("test", ["tukey", "wilcoxon"])
def test_an_interval_holds_no_difference_exactly_where_the_test_finds_none(test, quick):
    """Of a noisy third model too, which widens the intervals of one test and not of the other."""
    seen = set()
    for seed in range(60):
        scores = folds_of(3, folds=10, gap=0.12, seed=seed)
        scores[:, 2] += 0.2 * np.random.default_rng(seed).normal(size=10)
        for pair in rank(list("abc"), scores, "rmse", test=test).pairs:
            seen.add(pair.differs)
            assert pair.low <= pair.difference <= pair.high and pair.effect_low <= pair.effect <= pair.effect_high
            assert pair.differs == (pair.low > 0 or pair.high < 0)
            if test == "tukey":
                assert pair.differs == (pair.effect_low > 0 or pair.effect_high < 0)
    assert seen == {True, False}


def test_the_best_mean_is_not_called_better_where_the_ranks_say_it_is_worse():
    """One lucky fold makes a mean; the signed ranks look at all of them."""
    scores = np.stack([np.full(25, 1.0), np.full(25, 0.9)], axis=1) + folds_of(1) * 0
    scores[:, 1] += 0.001 * np.arange(25)
    scores[7, 0] = -9
    found = rank(["lucky", "steady"], scores, "rmse", test="wilcoxon")
    assert found.names[0] == "lucky" and found.sentences[1].startswith("steady is better than lucky: RMSE ")
    assert found.words(found.pairs[0]) == "is worse than"


def test_an_effect_is_in_the_unit_of_its_interval():
    """A third model that varies a hundred times more widens both alike, and does not make an effect of -25 to 18."""
    scores = folds_of(3, folds=10, gap=0.01)
    scores[:, 2] += 5 * np.random.default_rng(1).normal(size=10)
    pair = rank(list("abc"), scores, "rmse", share=0.25).pair("a", "b")
    residuals = scores - scores.mean(1, keepdims=True) - scores.mean(0) + scores.mean()
    spread = math.sqrt(2 * np.square(residuals).sum() / 18)
    assert pair.effect == pytest.approx(pair.difference / spread)
    assert -2 < pair.effect_low < pair.effect < pair.effect_high < 2


def test_the_interval_of_an_effect_is_that_of_the_noncentral_t():
    """Beside the definition, and beside the limit of an effect so large that only its unit is uncertain."""
    for d, n in ((0.3, 10), (-1.2, 25), (3.0, 5)):
        unit = 1 / math.sqrt(n)
        _, low, high = standardised(d, unit, n - 1, 0.05)
        assert stats.nct.sf(d / unit, n - 1, low / unit) == pytest.approx(0.025, abs=1e-6)
        assert stats.nct.cdf(d / unit, n - 1, high / unit) == pytest.approx(0.025, abs=1e-6)
    near, far = (np.array(standardised(t * 0.2, 0.2, 24, 0.05)) / t for t in (99.9, 100.1))
    np.testing.assert_allclose(near, far, rtol=2e-3)


@pytest.mark.parametrize("effect", [0.0, 1.0, 3.0])
def test_the_interval_of_an_effect_holds_it_where_folds_share_rows(effect, quick):
    """500 sets of 10 folds with the correlation that a share of 0.25 makes: within 4 standard errors of 95 %."""
    inside = []
    for seed in range(500):
        scores = overlapping(0.25, 10, seed)
        scores[:, 0] -= effect * math.sqrt(2 * (1 - 0.25 / 1.25))  # in deviations of a difference within one data set
        pair = rank(["a", "b"], scores, "rmse", share=0.25).pairs[0]
        sign = -1 if pair.first == "a" else 1
        low, high = sorted((sign * pair.effect_low, sign * pair.effect_high))
        inside.append(low <= effect <= high)
    assert abs(np.mean(inside) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 500)


def test_a_tie_that_only_pooling_makes_is_told():
    random = np.random.default_rng(1)
    fold = random.normal(1, 0.1, (10, 1))
    scores = fold + random.normal([0, 0.05, 0.1], [0.01, 0.01, 0.3], (10, 3))
    found = rank(["a", "b", "noisy"], scores, "rmse", share=0.25)
    assert not found.pair("a", "b").differs
    assert "that of noisy widens every interval" in found.pooling and "a less b is -0.0" in found.pooling
    assert found.sentences[-1] == found.pooling and "noisy less" not in found.pooling
    assert rank(["a", "b"], scores[:, :2], "rmse", share=0.25).pair("a", "b").differs  # what the sentence says
    assert rank(list("abc"), folds_of(3), "rmse", share=0.25).pooling is None
    assert rank(["a", "b", "noisy"], scores, "rmse", test="wilcoxon").pooling is None


@pytest.mark.parametrize("test", ["tukey", "wilcoxon"])
def test_of_equal_models_on_independent_folds_one_set_in_twenty_shows_a_difference(test, quick):
    sets = (rank(list("abc"), folds_of(3, folds=15, seed=seed), "rmse", test=test) for seed in range(600))
    assert 0.025 < np.mean([any(pair.differs for pair in found.pairs) for found in sets]) < 0.075


def overlapping(share, folds, seed):
    """Return scores of two equal models whose differences over folds have the correlation that folds of one set do."""
    random = np.random.default_rng(seed)
    rho = share / (1 + share)  # test rows over all rows, as Nadeau & Bengio assume
    return 1 + math.sqrt(rho) * random.normal(size=(1, 2)) + math.sqrt(1 - rho) * random.normal(size=(folds, 2))


def test_the_correction_keeps_its_word_where_folds_share_rows(quick):

    def false(share):
        sets = (rank(["a", "b"], overlapping(0.25, 25, seed), "rmse", share=share) for seed in range(600))
        return np.mean([found.pairs[0].differs for found in sets])

    assert false(0.0) > 0.3  # uncorrected, a third of equal pairs "differ"
    assert 0.02 < false(0.25) < 0.08


def crossed(random, rows=150, features=6, folds=5, repeats=5):
    """Return the errors over folds of two ridge regressions that each see one half of features drawn alike."""
    x = random.normal(size=(rows, 2 * features))
    y = 0.5 * x.sum(axis=1) + random.normal(size=rows)
    errors = []
    for _ in range(repeats):
        fold = random.permutation(rows) % folds
        for number in range(folds):
            train, test = x[fold != number], x[fold == number]
            row = []
            for half in (slice(0, features), slice(features, None)):
                a = train[:, half]
                weights = np.linalg.solve(a.T @ a + np.eye(features), a.T @ y[fold != number])
                row.append(np.sqrt(np.mean((y[fold == number] - test[:, half] @ weights) ** 2)))
            errors.append(row)
    return np.array(errors)


def test_equal_models_in_a_real_cross_validation_are_called_tied(quick):
    random = np.random.default_rng(0)
    sets = [crossed(random) for _ in range(150)]
    plain, corrected = (
        np.mean([rank(["a", "b"], each, "rmse", share=share).pairs[0].differs for each in sets]) for share in (0, 0.25)
    )
    assert plain > 0.3 and corrected < 0.09


def test_the_best_stands_first_and_words_say_who_is_tied():
    scores = folds_of(3, gap=0.0)
    scores[:, 2] += 0.4
    found = rank(["one", "two", "far"], scores, "rmse", share=0.25)
    assert found.names[2] == "far" and set(found.names) == {"one", "two", "far"}
    best, second = found.names[:2]
    assert found.sentences[0] == f"{best} has the best mean RMSE and is statistically tied with {second}."
    assert found.sentences[1].startswith(f"{second} is statistically tied with {best}: RMSE ")
    assert found.sentences[2].startswith(f"far is worse than {best}: RMSE ")
    turned = rank(["one", "two", "far"], scores, "auroc")
    assert turned.names[0] == "far"
    assert turned.sentences[0] == "far has the best mean AUROC of 3."
    gap = found.pair("far", best)
    gaps = scores[:, ["one", "two", "far"].index(gap.first)] - scores[:, ["one", "two", "far"].index(gap.second)]
    assert gap.difference == pytest.approx(gaps.mean())


def test_models_that_are_the_same_are_tied_and_a_constant_gap_is_not():
    same = np.repeat(folds_of(1), 2, axis=1)
    (pair,) = rank(["a", "b"], same, "rmse").pairs
    assert (pair.difference, pair.p, pair.differs, pair.effect) == (0, 1, False, None)
    assert rank(["a", "b"], same, "rmse").normal is None
    assert not rank(["a", "b"], same, "rmse", test="wilcoxon").pairs[0].differs
    for gap in (0.1, 0.25):  # of 0.1, rounding leaves a spread that is not 0
        (pair,) = rank(["a", "b"], same + np.array([0.0, gap]), "rmse", share=0.25).pairs
        assert pair.differs and pair.low == pytest.approx(pair.high) and pair.effect is None
        (pair,) = rank(["a", "b"], same + np.array([0.0, gap]), "rmse", test="wilcoxon").pairs
        assert pair.differs and pair.low == pytest.approx(pair.high) and pair.effect == 1


def test_scores_that_are_not_normal_are_told():
    random = np.random.default_rng(0)
    assert rank(list("abc"), 1 + random.standard_cauchy(size=(25, 3)), "rmse").normal < repeated.NORMAL
    assert rank(["a", "b"], folds_of(2), "rmse").normal > repeated.NORMAL


def test_what_cannot_be_compared_is_said():
    with pytest.raises(ConfigError, match="unknown test 'tukay'; did you mean 'tukey'"):
        rank(["a", "b"], folds_of(2), "rmse", test="tukay")
    for scores in (folds_of(1), folds_of(3, folds=1)):
        with pytest.raises(DataError, match="at least two models with at least two folds"):
            rank([str(i) for i in range(scores.shape[1])], scores, "rmse")


def test_folds_too_few_for_any_finding_are_refused():
    assert [fewest_folds("tukey", 5), fewest_folds("wilcoxon", 2), fewest_folds("wilcoxon", 3)] == [2, 6, 7]
    with pytest.raises(DataError, match="of fewer than 7 folds the wilcoxon test of 3 models finds no difference"):
        rank(list("abc"), folds_of(3, folds=6), "rmse", test="wilcoxon")
    steady = np.arange(3) + folds_of(1, folds=7) + np.linspace(0, 0.1, 21).reshape(7, 3)
    assert all(pair.differs for pair in rank(list("abc"), steady, "rmse", test="wilcoxon").pairs)
