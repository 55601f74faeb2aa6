"""A network, trees and a linear model in one predictor: each as alone, weighed by rows they have not seen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import nnls

from molgraph import config, registry
from molgraph.data.targets import Targets
from molgraph.errors import CheckpointError, ConfigError
from molgraph.kinds import Number, OneOf, YesNo
from molgraph.kinds.event import Event, _by_step
from molgraph.predictor import Predictor
from molgraph.predictor.card import part_scores
from molgraph.predictor.folder import share
from molgraph.predictor.parts import folds, parts, stage
from molgraph.predictor.stacking import averaged, stacked, weighed
from molgraph.predictor.unseen import _cuts
from molgraph.workflows.rivals import rivals
from molgraph.workflows.start import started
from molgraph.workflows.train import train_rows

KINDS = {"pAct": "regression", "active": "binary", "level": "multiclass"}
NETWORK = {"hidden": 16, "depth": 2}
TREES = {"rounds": 15, "depth": 3}
TOGETHER = {
    "model": "molecule/consensus",
    "encoder": {"network": NETWORK, "trees": TREES, "folds": 2},
    "targets": list(KINDS),
    "task": KINDS,
    "fractions": [0.6, 0.3, 0.1],
}
ALONE = {"molecule/linear": {}, "molecule/forest": TREES, "molecule/dmpnn": NETWORK}


@pytest.fixture(scope="module")
def made(series, plan_of):
    return plan_of(series, **TOGETHER, comparator="auto")


@pytest.fixture(scope="module")
def predictor(made):
    return train_rows(replace(made, notes=[]))


def test_each_part_is_what_it_is_alone(made, predictor, predictor_of, series):
    data = made.rows.data.subset(made.split.test)
    found = predictor.each_part(data)
    assert list(found) == list(ALONE)
    for name, settings in ALONE.items():
        alone = predictor_of(series, **{**TOGETHER, "model": name, "encoder": settings})
        assert alone.members[0].estimate(data).tobytes() == found[name].tobytes(), name


def test_estimates_are_the_weighted_mean_and_calibrated_together(made, predictor):
    weights = predictor.recipe.weights
    assert list(weights) == list(KINDS)
    assert all(min(each) >= 0 and sum(each) == pytest.approx(1) and len(each) == 3 for each in weights.values())
    held = made.rows.data.subset(made.split.calibration)
    each = np.stack([member.estimate(held) for member in predictor.members])
    mean, spread = predictor.estimate(held)
    for name in KINDS:
        where, kind = predictor.task.block(name), predictor.task.of(name)
        np.testing.assert_allclose(mean[:, where], np.tensordot(weights[name], each[:, :, where], axes=1))
        interval, _ = kind.calibrated(mean[:, where], spread[:, where], held.targets)
        assert interval == predictor.intervals[name]


def test_every_training_row_weighs_and_is_left_out_once_with_its_group(series, plan_of, training_of):
    made = plan_of(series, **{**TOGETHER, "split": "scaffold"})
    training = training_of(made)
    cuts = list(_cuts(training))
    assert sorted(np.concatenate([cut.test for cut in cuts])) == made.split.train.tolist()
    groups = made.split.groups
    for cut in cuts:
        assert not set(groups[cut.test]) & set(groups[cut.train]), "a scaffold stands on one side"
        assert not set(cut.test) & set(made.split.valid) and cut.valid is made.split.valid
    assert not set(np.concatenate([cut.train for cut in cuts])) & {*made.split.test, *made.split.calibration}


def test_the_scores_of_the_parts_stand_beside_that_of_all(made, predictor):
    metrics = predictor.recipe.metrics
    assert list(metrics["others"])[:3] == ["molecule/forest", "molecule/linear", "molecule/dmpnn"], "none trained twice"
    assert metrics["comparator_name"] == "molecule/forest"
    *each, whole = part_scores(predictor.recipe, "pAct")
    assert [name for name, _, _ in each] == list(ALONE) and whole[0] == "together"
    assert [float(weight) for _, weight, _ in each] == pytest.approx(predictor.recipe.weights["pAct"], abs=0.006)
    test = made.rows.data.subset(made.split.test)
    truth = test.targets.arrays("pAct")[0]
    for name, _, score in each:
        off = predictor.each_part(test)[name][:, 0] - truth
        assert float(score.split()[0]) == pytest.approx(np.sqrt(np.mean(off**2)), rel=0.01)
    notes = " ".join(predictor.facts["notes"])
    assert "pAct: weights molecule/linear" in notes and "training rows by models that had not seen them" in notes


def test_a_folder_gives_the_same_and_so_does_what_is_shared(predictor, series, tmp_path):
    (tmp_path / "model").mkdir()
    predictor.save(tmp_path / "model")
    some = series["smiles"].tolist()[:6]
    wanted = pd.DataFrame(predictor.predict(some))
    pd.testing.assert_frame_equal(pd.DataFrame(Predictor.load(tmp_path / "model").predict(some)), wanted)
    share(tmp_path / "model", tmp_path / "shared")
    shared = pd.DataFrame(Predictor.load(tmp_path / "shared").predict(some))
    pd.testing.assert_frame_equal(shared[["pAct", "pAct_lo90", "level"]], wanted[["pAct", "pAct_lo90", "level"]])
    text = (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert "| part | weight | RMSE |" in text and "| molecule/dmpnn |" in text


@pytest.mark.parametrize(
    "weights", [[0.5, 0.5], [0.5, 0.6, -0.1], [0.5, 0.5, 0.5], "all", [0.5, 0.5, None], [float("nan"), 1.0, 0.0]]
)
def test_weights_that_are_none_are_told(predictor, tmp_path, weights):
    predictor.save(tmp_path)
    path = tmp_path / "recipe.json"
    recipe = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**recipe, "weights": {"pAct": weights}}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"recipe.json: .*weights"):
        Predictor.load(tmp_path)


def test_embedding_is_by_the_network(predictor, series):
    found = predictor.embed(series["smiles"].tolist()[:2])
    assert [name for name in found if name.startswith("vector_")][-1] == "vector_15"


def test_a_stopped_weighing_goes_on_where_it_was(series, plan_of, training_of, tmp_path):
    made = plan_of(series, **{**TOGETHER, "targets": ["pAct"], "task": {"pAct": "regression"}})
    whole = training_of(made)
    numbers = [number for number, _ in whole.epochs()]
    assert sorted(set(numbers)) == list(range(3 + 2 * 3))
    stopped = training_of(made, tmp_path)
    for number, _ in stopped.epochs():
        if number == 6:  # the first fold is done
            break
    assert len(list(tmp_path.glob("fold-*.npy"))) == 3
    again = training_of(made, tmp_path)
    assert min(number for number, _ in again.epochs() if number > 2) == 6
    assert again.stacks == whole.stacks and again.weights == whole.weights


def test_all_rows_train_the_kept_one_by_the_weights_of_the_judged(series, plan_of, tmp_path):
    made = plan_of(series, **{**TOGETHER, "targets": ["active"], "task": {"active": "binary"}, "refit": "all"})
    kept = train_rows(made, folder=tmp_path)
    assert kept.recipe.weights == kept.judged.recipe.weights and kept.facts["refitted"] > kept.facts["train"]
    assert {line["member"] for line in kept.history} == {0, 1, 2, 3, 4, 5}
    assert [stage(made.run, number) for number in (0, 5, 8, 11)] == [
        "training molecule/linear 1/3",
        "weighing molecule/dmpnn 3/6",
        "weighing molecule/dmpnn 6/6",
        "refitting molecule/dmpnn 3/3",
    ]


def test_without_folds_all_weigh_alike(series, predictor_of):
    encoder = {"network": False, "trees": TREES, "folds": 0}
    found = predictor_of(series, **{**TOGETHER, "encoder": encoder, "targets": ["pAct"], "task": "regression"})
    assert found.recipe.weights == {} and len(found.members) == 2
    assert "pAct: the parts weigh alike" in " ".join(found.facts["notes"])


def test_each_input_is_read_by_the_models_of_its_room():
    inputs = {"drug": {"encoder": "molecule/gin", "column": "smiles"}, "target": {"encoder": "protein/cnn"}}
    run = config.settings({"model": "fusion/consensus", "inputs": inputs, "targets": ["pKd"]})
    found = {part.model: [section["encoder"] for section in part.inputs.values()] for part in parts(run)}
    assert found == {
        "fusion/linear": ["molecule/linear", "protein/linear"],
        "fusion/forest": ["molecule/forest", "protein/forest"],
        "fusion/concat": ["molecule/gin", "protein/cnn"],
    }
    assert folds(run) == 3 and parts(run)[0].inputs["drug"]["column"] == "smiles"
    assert next(iter(rivals(run))) == "fusion/forest"


def test_what_a_consensus_does_not_do_is_said(series, plan_of, training_of, predictor, tmp_path):
    (tmp_path / "start").mkdir()
    predictor.save(tmp_path / "start")
    made = plan_of(series, **TOGETHER)
    start = started(replace(made.run, init=str(tmp_path / "start")))
    with pytest.raises(ConfigError, match="'molecule/consensus' cannot start from the weights of another model"):
        next(training_of(made, start=start).epochs())
    with pytest.raises(ConfigError, match=r"train.freeze: 'molecule/consensus' is no network"):
        plan_of(series, **{**TOGETHER, "train": {"epochs": 2, "freeze": ["encoder"]}})
    with pytest.raises(ConfigError, match=r"unknown key 'encoder.forest' for model 'molecule/consensus'"):
        plan_of(series, **{**TOGETHER, "encoder": {"forest": {"rounds": 3}}})
    with pytest.raises(ConfigError, match="is made of its parts"):
        registry.model("molecule/consensus")({})


def test_competing_events_are_no_consensus(plan_of, training_of):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"age": random.integers(30, 90, 200), "months": random.uniform(1, 60, 200).round(1)})
    frame["end"] = random.choice(["alive", "death", "transplant"], 200)
    settings = {"model": "disease/consensus", "encoder": {}, "split": "patient", "targets": ["end"], "task": "auto"}
    made = plan_of(frame, **settings, events={"end": {"time": "months"}})
    with pytest.raises(ConfigError, match=r"'end': trees and linear models answer only the first .* disease/feedf"):
        training_of(made)


# weights


def drawn(rows, errors=(1.0, 1.0, 3.0), seed=0):
    """Return truth and estimates of three parts whose errors have these deviations."""
    random = np.random.default_rng(seed)
    truth = random.normal(0, 2, rows)
    return truth, np.stack([truth + random.normal(0, each, rows) for each in errors])


def measured(values, kind):
    values = torch.tensor(np.asarray(values, dtype=np.float64))[:, None]
    return Targets(
        kind.reading, values, ~values.isnan(), torch.zeros(values.shape, dtype=torch.int8), torch.ones(values.shape)
    )


def test_of_many_rows_the_weights_are_those_of_least_squares():
    truth, each = drawn(5000)
    kind = Number(("y",), (0.0,), (2.0,))
    found = stacked(kind, each[:, :, None], measured(truth, kind))
    free, _ = nnls(each.T, truth)
    np.testing.assert_allclose(found.weights, free / free.sum(), atol=0.02)
    assert found.rows == 5000 and found.share > 0.99 and sum(found.weights) == pytest.approx(1)


def test_the_fewer_rows_the_nearer_to_the_better_part():
    kind, shares = Number(("y",), (0.0,), (2.0,)), []
    for rows in (12, 60, 300, 3000):
        made = [drawn(rows, seed=seed) for seed in range(20)]
        found = [stacked(kind, each[:, :, None], measured(truth, kind)) for truth, each in made]
        shares.append(np.mean([stack.share for stack in found]))
        alone = [stack.weights for stack in found if stack.share == 0]
        assert all(sorted(weights) == [0, 0, 1] for weights in alone)
    assert shares == sorted(shares) and shares[0] < 0.7 and shares[-1] > 0.99


def test_a_part_that_is_best_alone_has_all_the_weight():
    weights, share = weighed(lambda w: 100 * np.log(1 + w[1] + 5 * w[2]), 3)
    assert weights.tolist() == [1, 0, 0] and share == 0


def test_misfit_is_twice_the_negative_log_likelihood():
    kind = YesNo(("y",))
    chances, truth = np.array([[0.9], [0.2], [0.4]]), [1, 0, np.nan]
    assert kind.misfit(chances, measured(truth, kind)) == pytest.approx(-2 * np.log(0.9 * 0.8))
    several = OneOf(("y",), (("a", "b", "c"),))
    assert several.misfit(np.array([[0.2, 0.3, 0.5]]), measured([2], several)) == pytest.approx(-2 * np.log(0.5))
    number, values = Number(("y",), (1.0,), (2.0,)), measured([1.0, 3.0, 4.0], Number(("y",)))
    off = np.array([1.0, 1.0, -2.0]) / 2
    assert number.misfit(np.array([[2.0], [4.0], [2.0]]), values) == pytest.approx(3 * np.log(np.mean(off**2)))
    values.bound[0, 0], values.bound[2, 0] = -1, 1
    off[2] = -1
    assert number.misfit(np.array([[0.5], [4.0], [2.0]]), values) == pytest.approx(3 * np.log((0.25 + 1) / 3))


def test_misfit_of_an_event_is_that_of_its_loss():
    kind = Event(("d",), (("a", "b"),), ((1.0, 2.0, 4.0),), (0.0,), (1.0,))
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(6, 6))).float()
    time, cause, start = [0.5, 1.5, 1.2, 3.9, 9.0, 9.0], [1, 2, 0, 0, 1, 0], [0, 0.9, 0, 2.5, 0, 1.7]
    values = torch.tensor([time, cause, start], dtype=torch.float64).T
    bound = torch.zeros((6, 3), dtype=torch.int8)
    bound[:, 0] = torch.tensor([0 if each else 1 for each in cause])
    targets = Targets(kind.reading, values, torch.ones((6, 3), dtype=torch.bool), bound, torch.ones(6, 3))
    loss, _ = kind.loss(logits, targets)
    assert kind.misfit(_by_step(logits, 2).double().numpy(), targets) == pytest.approx(2 * float(loss.sum()), rel=1e-5)


def test_the_deviation_between_members_counts_their_weights():
    found = np.array([[[1.0, 5.0]], [[3.0, 6.0]], [[9.0, 7.0]]])
    kind = Number(("a", "b"), (0.0, 0.0), (1.0, 1.0))
    mean, spread = averaged(found.copy(), kind, {"a": [1 / 3, 1 / 3, 1 / 3]})
    np.testing.assert_allclose(mean, [[13 / 3, 6.0]])
    np.testing.assert_allclose(spread, found.std(axis=0, ddof=1))
    mean, spread = averaged(found.copy(), kind, {"a": [0.5, 0.5, 0.0], "b": [0.0, 1.0, 0.0]})
    np.testing.assert_allclose(mean, [[2.0, 6.0]])
    assert spread[0, 0] == pytest.approx(np.std([1, 3], ddof=1)) and np.isnan(spread[0, 1])
