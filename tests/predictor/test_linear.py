from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error

from molgraph import registry
from molgraph.errors import CheckpointError, ConfigError, DataError
from molgraph.kinds import make
from molgraph.predictor import Predictor
from molgraph.predictor import member as members
from molgraph.predictor.equation import REACH, Equation, fitted
from molgraph.predictor.linear import PENALTIES, USUAL
from molgraph.workflows.train import train_rows

KINDS = {"pAct": "regression", "active": "binary", "level": "multiclass", "grade": "ordinal"}
LINEAR = {"model": "molecule/linear", "encoder": {}, "split": "random", "fractions": [0.7, 0.2, 0.1]}


@pytest.fixture(scope="module")
def graded(series):
    return series.assign(grade=pd.qcut(series["pAct"], 3, labels=[0, 1, 2]).astype(int))


@pytest.fixture(scope="module")
def learnt(plan_of):
    """Return a function that fits the equations of a table and returns (member, epochs, plan)."""

    def learn(frame, kinds, **settings):
        made = plan_of(frame, targets=list(kinds), task=kinds, **{**LINEAR, **settings})
        train, valid = (made.rows.data.subset(r) for r in (made.split.train, made.split.valid))
        schemas = {name: given.parts.schema for name, given in train.inputs.items()}
        task = make(made.rows.kinds, made.rows.classes, variance=made.run.variance).adapt(train.targets)
        member = members.make(made.run, schemas, task, 0, train)
        return member, list(member.train(train, valid, made.run, seed=0)), made

    return learn


@pytest.fixture(scope="module")
def known(learnt, graded):
    return learnt(graded, KINDS)


def parts_of(made, *folds):
    """Return features and values of the named folds, features standardised by the training rows."""
    seen = registry.model(made.run.model)({})
    data = [made.rows.data.subset(getattr(made.split, fold)) for fold in folds]
    features = [seen.features_of(each.inputs).astype(np.float64) for each in data]
    mean, std = features[0].mean(axis=0), features[0].std(axis=0)
    return [np.clip((each - mean) / np.where(std > 0, std, 1), -REACH, REACH) for each in features], data


def test_numbers_are_what_ridge_regression_says_at_the_penalty_that_validation_rows_choose(known):
    member, epochs, made = known
    (train, valid, test), data = parts_of(made, "train", "valid", "test")
    mean, std = member.task.of("pAct").scale
    y = [(each.targets.arrays("pAct")[0] - mean) / std for each in data]
    fits = [Ridge(alpha=penalty).fit(train, y[0]) for penalty in PENALTIES]
    errors = [mean_squared_error(y[1], each.predict(valid)) for each in fits]
    best = int(np.argmin(errors))
    assert epochs[0].best == best + 1 and epochs[0].valid_loss == pytest.approx(errors[best], rel=1e-6)
    np.testing.assert_allclose(member.estimate(data[2])[:, 0], fits[best].predict(test) * std + mean, rtol=1e-6)


@pytest.mark.parametrize("name", ["active", "level", "grade"])
def test_classes_are_what_logistic_regression_says(known, name):
    member, epochs, made = known
    (train, valid, test), data = parts_of(made, "train", "valid", "test")
    y = [each.targets.arrays(name)[0] for each in data]
    epoch = epochs[list(KINDS).index(name)]
    fit = LogisticRegression(C=1 / PENALTIES[epoch.best - 1], max_iter=1000, tol=1e-8).fit(train, y[0])
    assert epoch.valid_loss == pytest.approx(log_loss(y[1], fit.predict_proba(valid)), abs=1e-3)
    found = member.estimate(data[2])[:, member.task.block(name)]
    wanted = fit.predict_proba(test)
    np.testing.assert_allclose(found, wanted[:, 1:] if name == "active" else wanted, atol=2e-3)


@pytest.mark.parametrize("values", [np.tile([0.0, 1.0], 30), np.tile([0.0, 2.0, 3.0], 20)])
def test_an_equation_evaluated_by_numpy_equals_scikit_learn(values):
    table = np.random.default_rng(0).normal(size=(60, 4)) * [1, 100, 1e-3, 0] + 5
    (made,) = fitted(table, values, [2.0], classes=True)
    std = table.std(axis=0)
    given = (table - table.mean(axis=0)) / np.where(std > 0, std, 1)
    model = LogisticRegression(C=0.5, max_iter=1000).fit(given, values)
    said = model.decision_function(given)
    np.testing.assert_allclose(made.raw(table), said if said.ndim > 1 else said[:, None], rtol=1e-6, atol=1e-9)
    weight = np.linspace(0.5, 2, 60)
    many = fitted(table, values, [100.0, 1.0], classes=False, weight=weight)
    for each, alpha in zip(many, (100.0, 1.0), strict=True):
        one = Ridge(alpha=alpha).fit(given, values, sample_weight=weight)
        np.testing.assert_allclose(each.raw(table)[:, 0], one.predict(given), rtol=1e-6)


def test_what_is_unknown_counts_as_the_mean_and_what_lies_far_as_not_so_far():
    table = np.array([[0.0, 1.0], [2.0, np.nan], [4.0, 3.0], [6.0, 4.0]])
    (made,) = fitted(table, np.array([0.0, 1.0, 2.0, 3.0]), [1.0], classes=False, reach=3.0)
    assert made.centre.tolist() == pytest.approx([3.0, 8 / 3])
    assert made.raw(np.array([[np.nan, np.nan]])).tolist() == [made.offset.tolist()]
    assert made.raw(np.array([[1e30, 2.0]])).tolist() == made.raw(np.array([[3 + 3 * made.scale[0], 2.0]])).tolist()


def test_a_fixed_penalty_is_not_chosen_and_no_validation_row_means_the_usual_one(learnt, graded):
    _, (fixed,), _ = learnt(graded, {"pAct": "regression"}, encoder={"penalty": 50.0})
    assert fixed.best == 1
    alone = graded.assign(fold=["train"] * 90 + ["test"] * 20, pAct=graded["pAct"])
    alone.loc[90:, "pAct"] = np.nan
    alone = alone.assign(other=graded["pAct"], fold=["train"] * 90 + ["valid"] * 10 + ["test"] * 10)
    kinds = {"pAct": "regression", "other": "regression"}
    _, (none, some), _ = learnt(alone, kinds, split="column:fold")
    assert none.valid_loss is None and PENALTIES[none.best - 1] == USUAL
    assert some.valid_loss is not None


def test_bounds_count_as_what_is_to_be_expected_behind_them(learnt, series):
    truth, cut = series["pAct"].to_numpy(), series["pAct"].median()
    fold = ["train"] * 80 + ["valid"] * 15 + ["test"] * 15
    bound = [f"<{cut}" if v < cut else str(v) for v in truth]
    frame = series.assign(y=bound, fold=fold)
    blank = frame.assign(y=["" if v[0] == "<" and f != "test" else v for v, f in zip(bound, fold, strict=True)])
    told, untold = (learnt(each, {"y": "regression"}, split="column:fold") for each in (frame, blank))
    low = told[2].rows.data.subset(np.flatnonzero(truth[told[2].rows.data.rows - 1] < cut))
    errors = [np.sqrt(np.mean((m.estimate(low)[:, 0] - truth[low.rows - 1]) ** 2)) for m, _, _ in (told, untold)]
    assert errors[0] < 0.9 * errors[1]
    with pytest.raises(DataError, match="linear models begin with exact values"):
        learnt(series.assign(y=[">5", ">7"] * 55), {"y": "regression"})


def test_a_deviation_is_the_error_on_validation_rows(learnt, series):
    member, _, made = learnt(series, {"pAct": "regression"}, variance=True)
    valid = made.rows.data.subset(made.split.valid)
    found = member.estimate(valid)
    off = found[:, 0] - valid.targets.arrays("pAct")[0]
    np.testing.assert_allclose(found[:, 1], np.sqrt(np.mean(off**2)), rtol=1e-3)


def test_balance_lifts_a_rare_class(learnt, series):
    frame = series.assign(y=(series["pAct"] >= series["pAct"].quantile(0.9)).astype(int))
    plain, even = (learnt(frame, {"y": "binary"}, balance=b) for b in (False, True))
    assert even[0].estimate(even[2].rows.data).mean() > plain[0].estimate(plain[2].rows.data).mean()


def test_a_class_that_no_training_row_has_gets_probability_zero(learnt, series):
    frame = series.assign(fold=["train"] * 90 + ["valid"] * 10 + ["test"] * 10)
    frame["level"] = ["low", "high"] * 45 + ["mid", "low"] * 10
    member, (epoch,), made = learnt(frame, {"level": "multiclass"}, split="column:fold")
    found = member.estimate(made.rows.data)
    assert (found[:, 2] == 0).all() and epoch.valid_loss is not None
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_it_is_saved_and_loaded_to_the_bit_and_a_rerun_is_equal(known, learnt, graded, tmp_path):
    member, _, made = known
    member.save(tmp_path, 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"linear-3-{at}.safetensors" for at in range(4)]
    schemas = {name: given.parts.schema for name, given in made.rows.data.inputs.items()}
    again = members.load(made.run, schemas, member.task, tmp_path, 3)
    wanted = member.estimate(made.rows.data)
    assert again.ready and again.estimate(made.rows.data).tobytes() == wanted.tobytes()
    assert learnt(graded, KINDS)[0].estimate(made.rows.data).tobytes() == wanted.tobytes()
    assert member.estimate(made.rows.data.subset(np.arange(0))).shape == (0, 8)
    assert member.size == f"4 equations of {len(member.found['pAct'].centre):,} features"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ({"offset": torch.tensor([float("nan")], dtype=torch.float64)}, "not finite"),
        ({"offset": torch.zeros(2, dtype=torch.float64)}, "weights and features do not fit"),
        ({"offset": torch.zeros(1, dtype=torch.float32)}, "is of kind torch.float32"),
        ({"scale": None}, "a deviation is not above 0"),
        ({"more": torch.zeros(1)}, "belongs to no such model"),
    ],
)
def test_a_damaged_file_is_told(known, tmp_path, damage, says):
    member, _, made = known
    member.save(tmp_path, 0)
    path = tmp_path / "linear-0-0.safetensors"
    found = load_file(path)
    save_file(found | {k: torch.zeros_like(found[k]) if v is None else v for k, v in damage.items()}, path)
    schemas = {name: given.parts.schema for name, given in made.rows.data.inputs.items()}
    with pytest.raises(CheckpointError, match=says):
        members.load(made.run, schemas, member.task, tmp_path, 0)


def test_equations_of_another_target_are_told(known, tmp_path):
    member, _, made = known
    member.save(tmp_path, 0)
    (tmp_path / "linear-0-2.safetensors").replace(tmp_path / "linear-0-1.safetensors")
    schemas = {name: given.parts.schema for name, given in made.rows.data.inputs.items()}
    with pytest.raises(CheckpointError, match="these are not the equations of 'active'"):
        members.load(made.run, schemas, member.task, tmp_path, 0)


def test_another_number_of_features_is_told():
    made = Equation(np.zeros(3), np.ones(3), np.ones((1, 3)), np.zeros(1))
    with pytest.raises(CheckpointError, match="of 3 features, and this version of molgraph makes 4"):
        made.raw(np.zeros((2, 4)))


def test_a_whole_training_is_kept_on_all_rows_and_gives_the_same_from_its_folder(series, plan_of, tmp_path):
    made = plan_of(series, **LINEAR, targets=["pAct", "active"], task={"pAct": "regression", "active": "binary"})
    made = replace(made, run=replace(made.run, refit="all"))
    predictor = train_rows(made, folder=tmp_path)
    predictor.save(tmp_path)
    some = series["smiles"].tolist()[:5]
    wanted = predictor.predict(some)
    pd.testing.assert_frame_equal(pd.DataFrame(Predictor.load(tmp_path).predict(some)), pd.DataFrame(wanted))
    firsts, lasts = ([line["best"] for line in predictor.history if line["member"] == number] for number in (0, 1))
    assert firsts == lasts, "nothing is chosen in the second training"
    assert predictor.facts["refitted"] > predictor.facts["train"]
    with pytest.raises(ConfigError, match="linear models make no vectors"):
        predictor.embed(some)


def test_the_equation_that_has_to_be_beaten_is_a_model_itself(series, predictor_of):
    settings = {**LINEAR, "model": "molecule/equation", "targets": ["pAct", "active", "level"]}
    made = predictor_of(series, **settings, task={k: KINDS[k] for k in settings["targets"]})
    simple = made.recipe.simple["equation"]
    for name in ("pAct", "active"):
        mine = made.members[0].found[name]
        np.testing.assert_allclose(mine.weights, simple[name]["weights"], rtol=1e-6)
        np.testing.assert_allclose(mine.offset, simple[name]["offset"], rtol=1e-6)
    metrics = made.recipe.metrics
    assert metrics["model"]["pAct"]["rmse"]["value"] == pytest.approx(
        metrics["simple"]["others"]["equation"]["pAct"]["rmse"]["value"], rel=1e-6
    )
