"""The constant and the equation that a model has to beat, and how it stands inside and outside its domain."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors

from molgraph.predictor.assess import assess
from molgraph.predictor.inside import by_domain
from molgraph.predictor.simple import beside, fit

FOREST = {"model": "molecule/forest", "encoder": {"rounds": 2, "depth": 2}, "comparator": "none", "split": "random"}


@pytest.fixture(scope="module")
def made(chembl_table, plan_of, trained_on):
    """Return trees of a number, of two and of three classes that an equation knows better."""
    frame = chembl_table.iloc[::5].head(200).reset_index(drop=True)
    logp = np.array([Crippen.MolLogP(Chem.MolFromSmiles(s)) for s in frame["smiles"]])
    weight = np.array([Descriptors.MolWt(Chem.MolFromSmiles(s)) for s in frame["smiles"]])
    noise = np.random.default_rng(0).normal(0, 0.2, len(frame))
    frame["y"] = 3 - 2 * logp + 0.01 * weight + noise
    frame["up"] = (logp + noise > np.median(logp)).astype(int)
    frame["grade"] = pd.qcut(logp + noise, 3, labels=["low", "mid", "high"]).astype(str)
    kinds = {"y": "regression", "up": "binary", "grade": "multiclass"}
    made = plan_of(frame, targets=list(kinds), task=kinds, **FOREST)
    return made, trained_on(made)


@pytest.fixture(scope="module")
def trained_on(training_of):
    def train(made):
        training = training_of(made)
        for _ in training.epochs():
            pass
        return training.finish()

    return train


def test_the_constant_is_what_the_training_rows_say_on_average(made):
    plan, predictor = made
    train = plan.rows.data.subset(plan.split.train).targets.values.numpy()
    found = predictor.recipe.simple["constant"]
    assert found["y"] == pytest.approx(train[:, 0].mean())
    assert found["up"] == pytest.approx(train[:, 1].mean())
    assert found["grade"] == pytest.approx((np.bincount(train[:, 2].astype(int)) / len(train)).tolist())


def test_the_equation_finds_an_equation(made):
    plan, predictor = made
    assert json.loads(json.dumps(predictor.recipe.simple)) == predictor.recipe.simple, "plain numbers"
    test = plan.rows.data.subset(plan.split.test)
    said = beside([predictor], predictor.task, test)["equation"].estimates
    truth = test.targets.values.numpy()
    assert np.sqrt(np.mean((said[:, 0] - truth[:, 0]) ** 2)) < 0.6 < truth[:, 0].std()
    assert ((said[:, predictor.task.block("up").start] > 0.5) == truth[:, 1]).mean() > 0.7
    shares = said[:, predictor.task.block("grade")]
    assert shares.sum(axis=1) == pytest.approx(1) and (shares.argmax(axis=1) == truth[:, 2]).mean() > 0.6


def test_verdicts_name_the_simplest_methods(made):
    plan, predictor = made
    test = plan.rows.data.subset(plan.split.test)
    found = assess(predictor, test, {}, beside([predictor], predictor.task, test), bootstrap=200)
    said = found["simple"]["verdicts"]
    assert "is worse than the equation of logP, weight, TPSA, donors, acceptors" in said["y"]["equation"]["sentence"]
    mean = plan.rows.data.subset(plan.split.train).targets.values[:, 0].mean()
    assert (
        f"the simplest guess (always saying the mean of the training rows, {mean:.3g})"
        in said["y"]["constant"]["sentence"]
    )
    assert said["up"]["constant"]["metric"] == said["grade"]["constant"]["metric"] == "brier"
    assert said["up"]["equation"]["metric"] == "auroc"
    assert found["others"] == {} and set(found["simple"]["others"]) == {"constant", "equation"}


def test_a_model_that_is_far_off_is_worse_than_always_saying_the_mean(made, fixed):
    plan, predictor = made
    test = plan.rows.data.subset(plan.split.test)
    kept, predictor.members = (
        predictor.members,
        [fixed(np.full((len(test), len(predictor.task.columns)), 1.0) * [40, 1, 0, 0, 1])],
    )
    try:
        found = assess(predictor, test, {}, beside([predictor], predictor.task, test), bootstrap=200)
    finally:
        predictor.members = kept
    assert found["model"]["y"]["r2"]["value"] < -2
    sentence = found["simple"]["verdicts"]["y"]["constant"]["sentence"]
    assert sentence.startswith(
        "The model is worse than the simplest guess (always saying the mean of the training rows, "
    )
    assert "is worse than the simplest guess" in found["simple"]["verdicts"]["up"]["constant"]["sentence"]


def test_bounds_teach_neither(made, plan_of, trained_on, chembl_table):
    frame = chembl_table.iloc[::9].head(80).reset_index(drop=True).astype({"pAct": str})
    frame.loc[::4, "pAct"] = ">50"
    plan = plan_of(frame, **FOREST)
    found = trained_on(plan).recipe.simple["constant"]["pAct"]
    train = plan.rows.data.subset(plan.split.train).targets
    assert found == pytest.approx(train.values[train.bound == 0].mean().item()) and found < 20


def test_few_rows_make_no_equation(plan_of, trained_on, chembl_table):
    plan = plan_of(chembl_table.head(22), **FOREST)
    found = trained_on(plan).recipe.simple
    assert found["equation"] == {} and "pAct" in found["constant"]


def test_each_target_has_as_many_rows_of_its_own_as_fit(made, monkeypatch):
    domain = made[1].domain
    sparse = domain.values.copy()
    sparse[np.arange(len(sparse)) % 3 > 0, 0] = np.nan  # y was measured in every third row
    monkeypatch.setattr("molgraph.predictor.simple.ROWS", 40)
    found = fit(replace(domain, values=sparse), made[1].task)
    rows = np.flatnonzero(~np.isnan(sparse[:, 0]))
    assert 40 < len(rows) < len(sparse)
    assert found["constant"]["y"] == pytest.approx(sparse[rows, 0].mean()), "the constant is of all"
    chosen = rows[np.linspace(0, len(rows) - 1, 40).astype(int)]
    keys = next(iter(domain.sides.values())).keys
    weights = [Descriptors.MolWt(Chem.MolFromSmiles(keys[at])) for at in domain.index[chosen, 0]]
    at = found["descriptors"].index("weight")
    assert found["equation"]["y"]["centre"][at] == pytest.approx(np.mean(weights), rel=1e-4)


def test_a_model_of_an_earlier_version_learns_them_from_its_domain(made):
    plan, predictor = made
    kept = predictor.recipe.simple
    assert fit(predictor.domain, predictor.task) == kept
    test = plan.rows.data.subset(plan.split.test)
    before = beside([predictor], predictor.task, test)["equation"].estimates
    predictor.recipe.simple = {}
    try:
        np.testing.assert_array_equal(beside([predictor], predictor.task, test)["equation"].estimates, before)
    finally:
        predictor.recipe.simple = kept


def test_inside_and_outside_the_domain_are_scored_apart(made, nci):
    plan, predictor = made
    far = pd.DataFrame({"smiles": nci[:60], "y": np.linspace(-3, 9, 60)})
    near = plan.rows.frame.iloc[plan.split.train[:40]][["smiles", "y"]]
    from molgraph import config
    from molgraph.predictor.rows import read_rows

    run = config.settings({"targets": ["y"]})
    data = read_rows(pd.concat([near, far], ignore_index=True), run, predictor.inputs).data
    found = by_domain(predictor, data)["y"]
    within = predictor.domain.nearest(data).inside
    assert (found["inside"], found["outside"]) == (within.sum(), (~within).sum())
    estimates = predictor.estimate(data)[0][:, 0]
    off = (estimates - data.targets.values[:, 0].numpy()) ** 2
    for side, rows in (("inside", within), ("outside", ~within)):
        assert found["of"][side]["score"]["value"] == pytest.approx(np.sqrt(off[rows].mean()), rel=1e-5)
        assert found["of"][side]["coverage"]["n"] == rows.sum()
    few = by_domain(predictor, data.subset(np.flatnonzero(within)))["y"]
    assert few["outside"] == 0 and few["of"] == {}


def test_a_reason_why_there_is_no_interval_is_said_once_and_another_one_beside_it():
    from molgraph.predictor.card import domain_lines

    score = {"value": 0.7, "low": 0.6, "high": 0.8}
    none = {"value": None, "reason": "the chances by time say it", "n": 50}
    few = {**none, "reason": "only 3 rows"}
    found = {"main": {"y": "c_index"}, "model": {"y": {"c_index": {"n": 50}}}, "coverage": {"y": none}}
    sides = {"inside": {"score": score, "coverage": none}, "outside": {"score": score, "coverage": few}}
    found["domain"] = {"y": {"inside": 30, "outside": 20, "of": sides}}
    assert domain_lines(found, "y") == [
        "20 of 50 rows lie outside the domain of the training data",
        "inside the domain: C-index 0.7 (0.6 to 0.8)",
        "outside the domain: C-index 0.7 (0.6 to 0.8); No word on the 90 % intervals: only 3 rows",
    ]
