"""The page of a comparison says what the ranking says, also where there is no effect to show."""

import numpy as np
import pytest

from molgraph.metrics import rank
from molgraph.report.compared import Compared, ComparisonPage, render_comparison


def page_of(scores, **settings):
    names = [f"model{k}" for k in range(scores.shape[1])]
    ranking = rank(names, scores, "rmse", share=0.25, **settings)
    folds = {name: tuple(scores[:, names.index(name)]) for name in ranking.names}
    shown = Compared("pAct", ranking, folds, {"RMSE": tuple(folds.values())})
    return ranking, render_comparison(ComparisonPage("title", "lead", (shown,)))


def test_a_constant_difference_has_no_effect_and_the_page_says_so():
    scores = np.random.default_rng(0).normal(1, 0.1, (25, 1)) + np.array([0, 0.1])
    _, page = page_of(scores)
    assert "<td>none</td><td>no spread over folds</td>" in page and "is better than" in page


@pytest.mark.parametrize(("test", "effect"), [("tukey", "Cohen&#39;s d"), ("wilcoxon", "share of folds won")])
def test_the_table_names_the_effect_of_its_test_and_what_pooling_hides(test, effect):
    random = np.random.default_rng(1)
    scores = random.normal(1, 0.1, (10, 1)) + random.normal([0, 0.05, 0.1], [0.01, 0.01, 0.3], (10, 3))
    ranking, page = page_of(scores, test=test)
    assert f"effect ({effect})" in page
    assert ("that of model2 widens every interval" in page) == (test == "tukey") == bool(ranking.pooling)
