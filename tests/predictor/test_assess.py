import json

import numpy as np
import pytest
from sklearn import metrics

from molgraph.predictor.assess import assess, neighbour_estimates
from molgraph.predictor.domain import Domain
from molgraph.predictor.inputs import INPUT
from molgraph.predictor.predictor import Predictor
from molgraph.rooms.molecule.room import ROOM

ALL = ("pAct", "active", "level")


@pytest.fixture(scope="module")
def held(trained):
    made, _ = trained
    return made.rows.data.subset(np.concatenate([made.split.test, made.split.calibration]))


@pytest.fixture(scope="module")
def found(trained, held):
    _, predictor = trained
    other = neighbour_estimates(predictor.domain, predictor.task, held)
    return assess(predictor, held, {"neighbour": other}, bootstrap=50)


def test_scores_are_what_scikit_learn_computes(trained, held, found):
    estimates, _ = trained[1].estimate(held)
    truth = {name: held.targets.arrays(name)[0] for name in ALL}
    mine = {name: {m: s["value"] for m, s in scores.items()} for name, scores in found["model"].items()}
    rmse = metrics.root_mean_squared_error(truth["pAct"], estimates[:, 0])
    assert mine["pAct"]["rmse"] == pytest.approx(rmse, rel=1e-5)
    assert mine["pAct"]["mae"] == pytest.approx(metrics.mean_absolute_error(truth["pAct"], estimates[:, 0]), rel=1e-5)
    assert mine["active"]["auroc"] == pytest.approx(metrics.roc_auc_score(truth["active"], estimates[:, 1]), rel=1e-5)
    assert mine["level"]["accuracy"] == pytest.approx((estimates[:, 2:].argmax(axis=1) == truth["level"]).mean())
    assert found["rows"] == len(held)
    assert set(found["main"]) == set(ALL)
    assert all(found["main"][name] in mine[name] for name in ALL)


def test_the_comparator_is_scored_on_the_same_rows(trained, held, found):
    other = neighbour_estimates(trained[1].domain, trained[1].task, held)
    truth = held.targets.arrays("pAct")[0]
    rmse = found["others"]["neighbour"]["pAct"]["rmse"]
    assert rmse["value"] == pytest.approx(metrics.root_mean_squared_error(truth, other[:, 0]), rel=1e-5)
    assert rmse["low"] <= rmse["value"] <= rmse["high"]
    sentence = found["verdicts"]["pAct"]["neighbour"]["sentence"]
    assert "comparator (neighbour)" in sentence


def test_coverage_is_the_share_inside(trained, held, found):
    _, predictor = trained
    estimates, _ = predictor.estimate(held)
    truth = held.targets.arrays("pAct")[0]
    low, high = predictor.intervals["pAct"].apply(estimates[:, 0])
    assert found["coverage"]["pAct"]["value"] == pytest.approx(np.mean((low <= truth) & (truth <= high)))
    assert found["coverage"]["pAct"]["n"] == len(held)


def test_coverage_of_classes_is_membership_in_the_set(trained, held, found):
    _, predictor = trained
    estimates, _ = predictor.estimate(held)
    interval = predictor.intervals["level"]
    if not interval.limits:
        assert found["coverage"]["level"]["reason"] == interval.reason
        return
    truth = held.targets.arrays("level")[0].astype(int)
    inside = interval.sets(estimates[:, 2:])[np.arange(len(truth)), truth]
    assert found["coverage"]["level"]["value"] == pytest.approx(inside.mean())


def test_a_class_between_two_of_the_set_is_not_covered(trained, held, fixed):
    _, predictor = trained
    rows = held.subset(np.flatnonzero(held.targets.arrays("level")[0] == 1)[:4])
    sure = np.tile([[0.0, 0.5, 0.5, 0.0, 0.5]], (4, 1))
    judged = Predictor(predictor.recipe, [fixed(sure)], predictor.domain)
    limits = {"kind": "multiclass", "level": 0.9, "n": 30, "limits": [0.6, 0.6, 0.6], "reason": None}
    judged.intervals["level"] = type(predictor.intervals["level"]).from_json(limits)
    assert judged.intervals["level"].sets(sure[:, 2:]).tolist() == [[True, False, True]] * 4
    assert assess(judged, rows, {}, bootstrap=10)["coverage"]["level"]["value"] == 0


def test_it_is_plain_json(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_without_rows_every_score_says_why_there_is_none(trained):
    made, predictor = trained
    empty = made.rows.data.subset(np.arange(0))
    other = neighbour_estimates(predictor.domain, predictor.task, empty)
    assert other.shape == (0, 5)
    found = assess(predictor, empty, {"neighbour": other})
    for scores in (*found["model"].values(), *found["others"]["neighbour"].values(), {"c": found["coverage"]["pAct"]}):
        assert all(score["value"] is None and score["reason"] for score in scores.values())


def test_the_neighbour_says_what_the_nearest_row_measured_of_each_target(series, plan_of):
    kinds = {"pAct": "regression", "active": "binary", "level": "multiclass"}
    blank = series.copy().astype({"pAct": object, "active": object})
    blank.loc[2, ["pAct", "active", "level"]] = ["", 1, ""]
    made = plan_of(blank, targets=list(kinds), task=kinds)
    data = made.rows.data
    domain = Domain.learn({INPUT: ROOM}, data)
    found = neighbour_estimates(domain, made.task, data)
    values = data.targets.values.numpy()
    np.testing.assert_allclose(found[[0, 1, 3], 0], values[[0, 1, 3], 0])
    np.testing.assert_allclose(found[:, 1], values[:, 1])
    assert (found[[0, 1, 3], 2:].argmax(axis=1) == values[[0, 1, 3], 2]).all()
    others = np.delete(np.arange(len(data)), 2)
    ((_, side),) = domain.sides.items()
    near = others[side.only(domain.index[others, 0]).index.nearest(side.only(domain.index[[2], 0]).prints)[0][0]]
    np.testing.assert_allclose(found[2, 0], values[near, 0], rtol=1e-5)
    np.testing.assert_allclose(found[2, 2:], np.eye(3)[int(values[near, 2])])
    assert near != 2 and domain.nearest(data).rows[2] == 2, "the row itself is nearer, and was not measured"
