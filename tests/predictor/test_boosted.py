import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from catboost import CatBoostClassifier, CatBoostRegressor
from safetensors.torch import load_file, save_file

from molgraph.errors import CheckpointError, ResourceError
from molgraph.predictor.boosted import KINDS, Boosted

LOSSES = {"RMSE": 1, "RMSEWithUncertainty": 2, "Logloss": 1, "MultiClass": 3}


def rows(count=300):
    """Make rows with blanks and an infinity in them, and numbers that two of their features tell."""
    found = np.random.default_rng(0).normal(size=(count, 12)).astype(np.float32)
    found[: count // 10, :6] = np.nan
    found[count // 2, 0] = np.inf
    return found, np.nan_to_num(found[:, 0], posinf=2) + np.nan_to_num(found[:, 7])


def grown(loss, depth=3, trees=70):
    features, truth = rows()
    labels = {"Logloss": (truth > 0).astype(int), "MultiClass": 2 * np.digitize(truth, [-1, 1])}.get(loss, truth)
    kind = CatBoostClassifier if loss in ("Logloss", "MultiClass") else CatBoostRegressor
    made = kind(loss_function=loss, depth=depth, iterations=trees, allow_writing_files=False, verbose=False)
    return made.fit(features, labels)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Return the JSON of trees, as earlier versions kept it."""
    path = tmp_path_factory.mktemp("json") / "trees.json"
    grown("MultiClass", depth=2, trees=3).save_model(str(path), format="json")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("depth", [1, 3, 10])
@pytest.mark.parametrize("loss", LOSSES)
def test_they_give_what_catboost_gives(loss, depth, tmp_path):
    model, (features, _) = grown(loss, depth), rows(1500)
    trees = Boosted.of_catboost(model)
    wanted = model.predict(features, prediction_type="RawFormulaVal").reshape(len(features), -1)
    assert wanted.shape == (1500, LOSSES[loss])
    np.testing.assert_allclose(trees.raw(features), wanted, rtol=0, atol=1e-12)
    assert len(trees) == model.tree_count_
    assert trees.classes.tolist() == ([0, 2, 4] if loss == "MultiClass" else [])
    for few in (0, 1, 7, 8, 9):
        np.testing.assert_array_equal(trees.raw(features[:few]), trees.raw(features)[:few])
    trees.save(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(Boosted.load(tmp_path / "t.safetensors").raw(features), trees.raw(features))


def test_trees_of_an_earlier_version_are_the_same_trees(text, tmp_path):
    (tmp_path / "t.json").write_text(text, encoding="utf-8")
    again, new = Boosted.load_json(tmp_path / "t.json"), Boosted.of_catboost(grown("MultiClass", depth=2, trees=3))
    np.testing.assert_array_equal(again.raw(rows()[0]), new.raw(rows()[0]))


def test_rows_of_another_width_are_refused():
    with pytest.raises(CheckpointError, match="grown on 12 features, and this version of molgraph makes 11"):
        Boosted.of_catboost(grown("RMSE", trees=2)).raw(rows()[0][:, 1:])


def test_a_full_temporary_folder_is_told(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(ResourceError, match="/nowhere: cannot be written"):
        Boosted.of_catboost(grown("RMSE", trees=2))


def leaves(value, path=()):
    """Yield the path of every leaf of a JSON value, few of each list."""
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(min(len(value), 2))
        for key in keys:
            yield from leaves(value[key], (*path, key))
        yield path
    else:
        yield path


def changed(text, path, value):
    found = json.loads(text)
    at = found
    for key in path[:-1]:
        at = at[key]
    if path:
        at[path[-1]] = value
    return json.dumps(found if path else value)


NASTY = [None, True, "x", -1, 10**9, 10**400, 1e308, float("nan"), float("inf"), [], {}, [[]], "NaN", 0.5]
UNREAD = {"leaf_weights", "has_nans", "feature_id", "class_label_type", "class_to_label", "classes_count"}


def test_json_in_which_any_value_is_another_is_refused_or_read_as_it_says(text, tmp_path):
    features, path = rows()[0], tmp_path / "t.json"
    refused, found = 0, json.loads(text)
    found["model_info"] = {"class_params": found["model_info"]["class_params"]}
    text = json.dumps(found)
    for at in leaves(found):
        for value in NASTY:
            path.write_text(changed(text, at, value), encoding="utf-8")
            try:
                found = Boosted.load_json(path).raw(features)
            except CheckpointError as error:
                assert str(path) in str(error)
                assert not UNREAD & set(at)
                refused += 1
                continue
            assert np.isfinite(found).all()
    assert refused > 200


@pytest.mark.parametrize("lost", ["leaf_values", "splits"])
def test_a_leaf_or_a_split_too_few_or_too_many_is_told(text, lost, tmp_path):
    for longer in (False, True):
        found = json.loads(text)
        values = found["oblivious_trees"][1][lost]
        found["oblivious_trees"][1][lost] = values + values[:1] if longer else values[:-1]
        (tmp_path / "t.json").write_text(json.dumps(found), encoding="utf-8")
        with pytest.raises(
            CheckpointError, match=r"t\.json: the trees cannot be read: ValueError: a tree of depth \d has \d+ leaf"
        ):
            Boosted.load_json(tmp_path / "t.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 200_000, b"\xff\xfe", b"null", b'{"oblivious_trees": []}'])
def test_what_is_no_json_of_trees_is_told(content, tmp_path):
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"t\.json: the trees cannot be read"):
        Boosted.load_json(tmp_path / "t.json")


def test_flipped_and_cut_files_are_refused_or_give_numbers(tmp_path):
    features, path = rows()[0], tmp_path / "t.safetensors"
    Boosted.of_catboost(grown("MultiClass", depth=2, trees=3)).save(path)
    whole = path.read_bytes()
    chance = random.Random(0)
    refused = 0
    for _ in range(400):
        content = bytearray(whole)
        if chance.random() < 0.2:
            content = content[: chance.randrange(len(whole))]
        else:
            content[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)  # half of them hit a leaf's digits
        path.write_bytes(content)
        try:
            found = Boosted.load(path)
        except CheckpointError as error:
            assert str(path) in str(error)
            refused += 1
            continue
        assert found.width != 12 or found.raw(features).shape == (300, 3)
    assert refused > 150


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("asked", [0, 1, 2, 3, 4, 99], "asks what is not there"),
        ("asked", [0, 1, 2, 3, 4, -1], "asks what is not there"),
        ("depth", [2, 2, 10**15], "deeper than 16"),
        ("depth", [2, 2, -2], "deeper than 16"),
        ("depth", [2, 2, 1], "do not fit"),
        ("depth", [], "no tree"),
        ("feature", None, "a feature that is not there"),
        ("width", 1, "a feature that is not there"),
        ("classes", [0, 0, 1], "not in order"),
        ("classes", [0], "classes and outputs"),
        ("leaf", torch.zeros(12, 2, dtype=torch.float64), "depths and leaves"),
        ("leaf", torch.full((12, 3), torch.nan, dtype=torch.float64), "'leaf' holds numbers that are not finite"),
        ("bias", torch.zeros(3), "is of kind torch.float32"),
    ],
)
def test_arrays_that_do_not_fit_are_told(tmp_path, name, values, says):
    path = tmp_path / "t.safetensors"
    trees = Boosted.of_catboost(grown("MultiClass", depth=2, trees=3))
    assert trees.depth.tolist() == [2, 2, 2]
    trees.save(path)
    found = load_file(path)
    if values is None:
        values = found[name] + 10**6
    found[name] = values if isinstance(values, torch.Tensor) else torch.tensor(values, dtype=KINDS[name])
    save_file(found, path)
    with pytest.raises(CheckpointError, match=says):
        Boosted.load(path)


def test_trees_of_no_depth_are_constants():
    trees = replace(
        Boosted.of_catboost(grown("RMSE", depth=2, trees=1)),
        depth=np.array([0, 0]),
        asked=np.zeros(0, dtype=np.int64),
        leaf=np.array([[1.0], [2.5]]),
        scale=2.0,
        bias=np.array([1.0]),
    )
    assert trees.raw(rows()[0]).tolist() == [[8.0]] * 300
