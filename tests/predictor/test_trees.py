from types import SimpleNamespace

import numpy as np
import pytest

from molgraph import registry
from molgraph.data.cells import Cells
from molgraph.data.targets import EXACT
from molgraph.errors import CheckpointError, ConfigError, DataError, ResourceError
from molgraph.kinds import make
from molgraph.predictor import member as members
from molgraph.predictor import trees
from molgraph.predictor.boosted import Boosted
from molgraph.rooms.molecule.room import ROOM

KINDS = {"pAct": "regression", "active": "binary", "level": "multiclass"}
FOREST = {"model": "molecule/forest", "encoder": {"rounds": 12, "depth": 3}, "split": "random"}


@pytest.fixture(scope="module")
def grown(series, plan_of):
    """Return a function that grows trees for a table and returns (member, training) for it."""

    def grow(frame, kinds, **settings):
        names = list(kinds)
        made = plan_of(frame, targets=names, task=kinds, **{**FOREST, **settings})
        train, valid = (made.rows.data.subset(r) for r in (made.split.train, made.split.valid))
        schemas = {name: given.parts.schema for name, given in train.inputs.items()}
        task = make(made.rows.kinds, made.rows.classes, variance=made.run.variance).adapt(train.targets)
        member = members.make(made.run, schemas, task, 0, train)
        epochs = list(member.train(train, valid, made.run, seed=0))
        return member, epochs, made

    return grow


@pytest.fixture(scope="module")
def known(grown, series):
    return grown(series, KINDS)


def test_each_kind_of_target_learns(grown, series):
    member, epochs, made = grown(series, KINDS, encoder={"rounds": 40, "depth": 3, "lr": 0.2})
    assert [e.number for e in epochs] == [1, 2, 3]
    assert all(e.of == 3 and e.valid_loss > 0 and e.state().weights == {} for e in epochs)
    train = made.rows.data.subset(made.split.train)
    found = member.estimate(train)
    assert found.dtype == np.float64
    values = {name: train.targets.arrays(name)[0] for name in KINDS}
    assert np.corrcoef(found[:, 0], values["pAct"])[0, 1] > 0.8
    assert ((found[:, 1] > 0.5) == values["active"]).mean() > 0.8
    np.testing.assert_allclose(found[:, 2:].sum(axis=1), 1, atol=1e-6)
    assert (found[:, 2:].argmax(axis=1) == values["level"]).mean() > 0.8
    assert member.ready
    assert member.size == f"{sum(map(len, member.found.values())):,} trees"


def test_a_class_that_no_training_row_has_gets_probability_zero(grown, series):
    frame = series.assign(fold=["train"] * 90 + ["valid"] * 10 + ["test"] * 10)
    frame["level"] = ["low", "high"] * 45 + ["mid", "low"] * 10
    member, (epoch,), made = grown(frame, {"level": "multiclass"}, split="column:fold")
    assert made.rows.classes == {"level": ("high", "low", "mid")}
    found = member.estimate(made.rows.data)
    assert found.shape == (110, 3)
    assert (found[:, 2] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert epoch.valid_loss is not None  # judged by the rows of known classes


def test_blanks_are_left_out_and_bounds_count(grown, series):
    cells = series["pAct"].round(2).astype(str)
    cells[:10] = ">" + cells[:10]
    cells[10:20] = ""
    frame = series.assign(pAct=cells, other=["1", "0"] * 55, fold=["train"] * 90 + ["valid"] * 10 + ["test"] * 10)
    _, epochs, made = grown(frame, {"pAct": "regression", "other": "binary"}, split="column:fold")
    train = made.rows.data.subset(made.split.train)
    _, observed, bound = train.targets.arrays("pAct")
    assert [e.rows for e in epochs] == [int(observed.sum()), len(train)]
    assert (bound[observed] != EXACT).any() and epochs[0].rows < epochs[1].rows


@pytest.mark.parametrize("variance", [False, True])
def test_bounds_teach_trees_and_the_same_seed_gives_the_same(grown, series, variance):
    """Half of the values are `<6.5`: of those, trees that know it are nearer to the truth than trees without."""
    truth, cut = series["pAct"].to_numpy(), series["pAct"].median()
    fold = ["train"] * 80 + ["valid"] * 15 + ["test"] * 15
    known = [f"<{cut}" if v < cut else str(v) for v in truth]
    settings = {"split": "column:fold", "variance": variance, "encoder": {"rounds": 40, "depth": 3, "lr": 0.2}}
    frame = series.assign(y=known, fold=fold)
    member, _, made = grown(frame, {"y": "regression"}, **settings)
    again, _, _ = grown(frame, {"y": "regression"}, **settings)
    blind, _, _ = grown(
        frame.assign(y=["" if v.startswith("<") and f != "test" else v for v, f in zip(known, fold, strict=True)]),
        {"y": "regression"},
        **settings,
    )
    at = np.flatnonzero(truth[made.rows.data.rows - 1] < cut)
    low = made.rows.data.subset(at)
    told, untold = (m.estimate(low)[:, 0] - truth[low.rows - 1] for m in (member, blind))
    assert np.sqrt(np.mean(told**2)) < 0.8 * np.sqrt(np.mean(untold**2))
    np.testing.assert_array_equal(member.estimate(made.rows.data), again.estimate(made.rows.data))


@pytest.mark.parametrize(("kind", "cells"), [("regression", [">5", ">7"]), ("regression", ["5", ">7"])])
def test_bounds_alone_teach_trees_nothing_and_they_say_so(grown, series, kind, cells):
    frame = series.assign(y=cells * 55)
    with pytest.raises(DataError, match=r"'y': trees begin with exact values, and the \d+ training rows"):
        grown(frame, {"y": kind})


def test_without_validation_rows_every_round_is_kept(grown, series):
    frame = series.assign(y=[str(v) if i < 90 else "" for i, v in enumerate(series["pAct"])], z=["1", "2"] * 55)
    frame["fold"] = ["train"] * 90 + ["valid"] * 10 + ["test"] * 10
    member, epochs, _ = grown(frame, {"y": "regression", "z": "regression"}, split="column:fold")
    assert epochs[0].valid_loss is None
    assert len(member.found["y"]) == 12


def test_balance_lifts_a_rare_class(grown, series):
    frame = series.assign(y=(series["pAct"] >= series["pAct"].quantile(0.9)).astype(int))
    plain, even = (grown(frame, {"y": "binary"}, balance=b) for b in (False, True))
    data = plain[2].rows.data
    assert even[0].estimate(data).mean() > plain[0].estimate(data).mean()


def test_saved_trees_give_the_same_estimates(known, tmp_path):
    member, _, made = known
    member.save(tmp_path, 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"trees-3-{i}.safetensors" for i in range(3)]
    schemas = {name: given.parts.schema for name, given in made.rows.data.inputs.items()}
    again = members.make(made.run, schemas, member.task, 0)
    assert not again.ready
    again.load(tmp_path, 3)
    assert again.ready
    assert again.estimate(made.rows.data).tobytes() == member.estimate(made.rows.data).tobytes()


def test_no_rows_no_estimates(known):
    member, _, made = known
    assert member.estimate(made.rows.data.subset(np.arange(0))).shape == (0, 5)


def test_trees_that_cannot_be_read_or_written_are_told(known, tmp_path):
    trained, _, made = known
    schemas = {name: given.parts.schema for name, given in made.rows.data.inputs.items()}
    member = members.make(made.run, schemas, trained.task, 0)
    with pytest.raises(CheckpointError, match=r"trees-0-0.safetensors: missing"):
        member.load(tmp_path, 0)
    (tmp_path / "trees-0-0.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"trees-0-0.json: the trees cannot be read"):
        member.load(tmp_path, 0)
    with pytest.raises(ResourceError, match=r"trees-0-0.safetensors: cannot be written"):
        trained.save(tmp_path / "nowhere", 0)


def test_trees_of_another_target_are_told(known, tmp_path):
    trained, _, made = known
    trained.save(tmp_path, 0)
    schemas = {name: given.parts.schema for name, given in made.rows.data.inputs.items()}
    (tmp_path / "trees-0-2.safetensors").replace(tmp_path / "trees-0-1.safetensors")
    with pytest.raises(CheckpointError, match=r"trees-0-1.safetensors: these are not the trees of 'active'"):
        members.make(made.run, schemas, trained.task, 0).load(tmp_path, 0)


def test_a_rerun_is_equal_to_the_bit(grown, known, series):
    (first, _, made), (second, *_) = known, grown(series, KINDS)
    assert first.estimate(made.rows.data).tobytes() == second.estimate(made.rows.data).tobytes()


def test_settings_of_the_forest_are_checked(series, plan_of):
    with pytest.raises(ConfigError, match=r"unknown key 'encoder.round'.*did you mean 'rounds'"):
        plan_of(series, model="molecule/forest", encoder={"round": 3})


def test_features_are_what_the_recipe_names(series):
    made = registry.model("molecule/forest")
    parts = ROOM.reading.prepare(Cells.of(series["smiles"].tolist()[:4]), made.needs).parts
    features = made(parts.schema).features(parts)
    assert features.shape == (4, sum(parts.values[n].shape[1] for n in made.needs))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_growing_ends_where_nothing_gets_better_and_gives_the_same_trees(grown, series, monkeypatch):
    histories = []

    def kept(model):
        histories.append(model.get_evals_result())
        return Boosted.of_catboost(model)

    monkeypatch.setattr(trees, "Boosted", SimpleNamespace(of_catboost=kept))
    settings = {"rounds": 150, "depth": 3, "lr": 0.3}
    patient, _, made = grown(series, {"active": "binary"}, encoder={**settings, "patience": 0})
    hasty, _, _ = grown(series, {"active": "binary"}, encoder={**settings, "patience": 20})
    assert hasty.size == patient.size
    np.testing.assert_array_equal(hasty.estimate(made.rows.data), patient.estimate(made.rows.data))
    assert histories[1]["learn"]["Logloss"][-1] > 0
    grew = [len(found["validation"]["Logloss"]) for found in histories]
    assert grew[0] == 150 and grew[1] < 150
