"""What a page says of how good a model is: both verdicts, coverage of sets in words, plots of enough rows only."""

from __future__ import annotations

import numpy as np

from molgraph.kinds import NAMED
from molgraph.metrics import compare, score
from molgraph.metrics.coverage import set_coverage
from molgraph.metrics.reliability import of_classes
from molgraph.report.quality import quality


def assessed(kind: str, truth, mine, theirs, covered, reliable) -> dict:
    """Return what an assessment would hold of one target."""
    family = NAMED[kind].family
    scores = [{k: s.to_json() for k, s in score(family, truth, each).items()} for each in (mine, theirs)]
    verdict = compare(family, truth, mine, theirs, called=("model", "nearest neighbour")).to_json()
    main = "rmse" if kind == "regression" else "auroc"
    return {
        "model": {"y": scores[0]},
        "others": {"nearest neighbour": {"y": scores[1]}},
        "verdicts": {"y": {"nearest neighbour": verdict}},
        "coverage": {"y": covered},
        "reliability": {"y": reliable},
        "main": {"y": main},
        "shown": {"y": [main]},
    }


def test_the_overview_says_both_where_error_and_order_disagree() -> None:
    truth = np.random.default_rng(0).normal(6, 1, 200)
    covered = {"value": None, "low": None, "high": None, "n": 0, "reason": "5 calibration rows"}
    (found,) = quality(assessed("regression", truth, 6 - 0.1 * (truth - 6), truth + 3, covered, {}), "graph")
    assert found.verdicts == ("better than nearest neighbour, worse in ranking",)
    assert ", but worse in ranking: Spearman -1.00 against 1.00 (" in found.sentences[0]
    assert found.coverage == "No word on the 90 % intervals: 5 calibration rows."
    (plain,) = quality(assessed("regression", truth, truth + 1, truth + 3, covered, {}), "graph")
    assert plain.verdicts == ("better than nearest neighbour",)


def test_sets_are_said_in_words_and_a_point_of_a_few_rows_is_not_drawn() -> None:
    random = np.random.default_rng(0)
    truth = (np.arange(120) % 2).astype(float)
    mine = np.clip(0.5 + 0.38 * (2 * truth - 1) + random.normal(0, 0.05, 120), 0, 1)
    mine[0] = 0.55  # alone in its bin
    inside = np.stack([mine < 0.6, mine > 0.4], axis=1)
    covered = set_coverage(inside, truth, level=0.9, counts=(30, 30)).to_json()
    reliable = of_classes(mine, truth, inside.sum(axis=1)).to_json()
    (found,) = quality(assessed("binary", truth, mine, random.random(120), covered, reliable), "graph")
    assert found.coverage.startswith("100 % (97 to 100 %) of the held-out rows lie in their 90 % sets: ")
    assert "no was right in 100 %" in found.coverage and "at 90 %" not in found.coverage
    assert len(reliable["curve"]) > len(found.curve) > 1 and all(rows >= 10 for *_, rows in found.curve)


def test_rows_are_called_what_they_are_to_the_model() -> None:
    truth = np.random.default_rng(0).normal(6, 1, 40)
    share = {"value": 0.9, "low": 0.8, "high": 0.95, "reason": None, "n": 40}
    made = {**assessed("regression", truth, truth + 1, truth + 3, share, {}), "rows": 40}

    def called(**more) -> tuple[str, str]:
        (found,) = quality({**made, **more}, "graph")
        return found.which, found.coverage

    assert called() == ("held-out rows", "90 % (80 to 95 %) of the held-out rows lie in their 90 % intervals.")
    assert called(seen_in_training=0)[0] == called(seen_in_training=None)[0] == "rows"
    assert called(seen_in_training=40)[0] == "rows, all trained on"
    assert called(seen_in_training=9, unseen=made)[0] == "rows not trained on"


def test_the_table_of_many_columns_says_what_a_simple_method_does_as_well() -> None:
    truth = np.random.default_rng(0).normal(6, 1, 40)
    share = {"value": 0.9, "low": 0.8, "high": 0.95, "reason": None, "n": 40}
    made = assessed("regression", truth, truth + 1, truth + 3, share, {})
    (target,) = made["model"]
    beside = {"constant": {"verdict": "better", "sentence": "a"}, "equation": {"verdict": "worse", "sentence": "b"}}
    (found,) = quality({**made, "simple": {"verdicts": {target: beside}}}, "graph")
    assert found.verdicts[1:] == ("better than the simplest guess", "worse than an equation of descriptors")
    (without,) = quality(made, "graph")
    assert found.verdicts[:1] == without.verdicts, "an earlier version judged no simple method"


def test_each_column_of_a_score_says_how_many_exact_rows_it_is_of() -> None:
    truth = np.random.default_rng(0).normal(6, 1, 40)
    share = {"value": 0.9, "low": 0.8, "high": 0.95, "reason": None, "n": 40}
    made = assessed("regression", truth, truth + 1, truth + 3, share, {})
    (target,) = made["model"]

    def counted(exact: int, every: int) -> dict:
        rows = {name: {**score, "n": every if name == "ci" else exact} for name, score in made["model"][target].items()}
        return {**made, "model": {target: rows}}

    (found,) = quality({**counted(48, 55), "unseen": counted(40, 45), "seen_in_training": 10}, "graph")
    assert "RMSE, 48 exact (40 exact not trained on)" in found.scores and found.main in found.scores
