"""Model folders that a stranger wrote: each loads and gives the same numbers, or is refused by its name."""

import json
import random
import shutil
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from molgraph import registry
from molgraph.errors import CheckpointError, ConfigError
from molgraph.fit.state import State
from molgraph.predictor import Predictor
from molgraph.predictor.checkpoint import CHECKPOINT, resume
from molgraph.predictor.folder import share
from molgraph.predictor.recipe import sha256
from molgraph.predictor.simple import beside, fit
from molgraph.report.model import model_facts
from molgraph.report.quality import quality_of

LIGANDS = ["CCO", "c1ccccc1C(=O)NC1CC1"]
NASTY = [
    None,
    True,
    "x",
    "",
    -1,
    0,
    10**9,
    10**400,
    1e308,
    float("nan"),
    -float("inf"),
    [],
    {},
    [[]],
    {"x": {}},
    "../x",
]
PRINTED = {"metrics", "facts", "versions", "units", "columns"}  # not used to make a number
FREE = {  # by which no number changes, or others are as right
    "n", "reason", "level", "chosen", "lacked", "positive", "weights", "balance", "focal", "chances", "thresholds",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole")
    network[1].save(path)
    return path


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def reseal(path):
    """Make the folder's seals those of its files."""
    found = json.loads((path / "recipe.json").read_text(encoding="utf-8"))
    found["files"] = {name: sha256(path / name) for name in found["files"]}
    (path / "recipe.json").write_text(json.dumps(found), encoding="utf-8")


def leaves(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for key in range(min(len(value), 2)):
            yield from leaves(value[key], (*path, key))


def changed(found, path, value):
    made = json.loads(json.dumps(found))
    if not path:
        return value
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return made


def test_a_recipe_in_which_any_value_is_another_is_refused_or_gives_numbers(whole, copy):
    text = (whole / "recipe.json").read_text(encoding="utf-8")
    found = json.loads(text)
    places = [path for path in leaves(found) if not path or path[0] not in PRINTED]
    chance, refused, wanted = random.Random(0), 0, pd.DataFrame(Predictor.load(whole).predict(LIGANDS))
    for path, value in [(path, chance.choice(NASTY)) for path in places] + [(p, v) for p in places[:2] for v in NASTY]:
        (copy / "recipe.json").write_text(json.dumps(changed(found, path, value)), encoding="utf-8")
        try:
            made = Predictor.load(copy)
        except CheckpointError as error:
            assert str(copy) in str(error), (path, value)
            refused += 1
            continue
        try:
            given = pd.DataFrame(made.predict(LIGANDS))
        except CheckpointError:  # features of another width are told when the first are made
            assert "schemas" in path, (path, value)
            refused += 1
            continue
        assert set(given["status"]) <= {"ok", "not_finite"}, (path, value)
        if path[0] == "run" or (set(path) & FREE and "limits" not in path):  # one target is called "level"
            pd.testing.assert_frame_equal(given.filter(wanted.columns), wanted.filter(given.columns), check_exact=True)
    assert refused > len(places) // 3


SIZES = [
    (("run", "encoder", "hidden"), 10**9), (("run", "encoder", "hidden"), -16), (("run", "encoder", "hidden"), 900_000),
    (("run", "encoder", "hidden"), 0), (("run", "encoder", "hidden"), 16.0), (("run", "encoder", "hidden"), True),
    (("run", "encoder", "depth"), 10**6), (("run", "encoder", "depth"), "2"), (("run", "encoder", "dropout"), 2),
    (("run", "head", "hidden"), 10**9), (("run", "head", "hidden"), 900_000), (("run", "head", "depth"), 10**6),
    (("members",), 10**6), (("members",), 0), (("members",), -1), (("members",), 3), (("members",), 2.0),
    (("schemas", "input", "atom", 0), 10**9), (("schemas", "input", "atom", 0), -5),
    (("schemas", "input", "atom"), []), (("task", "tasks", 0, "std", 0), 0.0), (("task", "tasks", 0, "std", 0), -1.0),
    (("task", "tasks", 0, "mean"), []), (("task", "tasks", 2, "classes", 0), ["low"]),
    (("intervals", "pAct", "limits", 0), -1.0), (("intervals", "pAct", "limits", 0), float("nan")),
    (("intervals", "level", "limits"), [0.5]), (("intervals",), {}), (("files",), {"../recipe.json": ""}),
    (("metrics", "model"), 7), (("metrics", "coverage"), "x"), (("facts",), []), (("units",), 7),
    (("run", "model"), "molecule/gin"), (("run", "model"), "no/such"), (("run", "model"), "fusion/concat"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), SIZES, ids=str)
def test_a_size_that_cannot_be_is_told_before_anything_is_made_of_it(copy, path, value):
    found = json.loads((copy / "recipe.json").read_text(encoding="utf-8"))
    (copy / "recipe.json").write_text(json.dumps(changed(found, path, value)), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"copy(.recipe\.json|.weights|: )"):
        Predictor.load(copy)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"format": ' + b"9" * 5000 + b"}", b"\xff", b"NaN", b""])
def test_a_recipe_that_is_no_recipe_is_told(copy, content):
    (copy / "recipe.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"recipe\.json: damaged"):
        Predictor.load(copy)


def test_flipped_and_cut_weights_are_told_or_say_no_number_that_is_none(copy):
    path = copy / "weights-0.safetensors"
    whole, chance, told = path.read_bytes(), random.Random(0), 0
    for _ in range(80):
        content = bytearray(whole)
        if chance.random() < 0.2:
            content = content[: chance.randrange(len(whole))]
        else:
            content[chance.randrange(1200 if chance.random() < 0.7 else len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        reseal(copy)
        try:
            made = Predictor.load(copy)
        except CheckpointError as error:
            assert str(copy) in str(error)
            told += 1
            continue
        assert set(made.predict(LIGANDS)["status"]) <= {"ok", "not_finite"}
    assert told > 40


@pytest.mark.parametrize("change", ["nan", "inf", "float64", "int8", "missing", "other", "shape"])
def test_weights_of_another_kind_are_told(copy, change):
    path = copy / "weights-1.safetensors"
    found = load_file(path)
    name = next(name for name in found if found[name].dim() == 2 and len(set(found[name].shape)) == 2)
    if change in ("nan", "inf"):
        found[name][0, 0] = float(change)
    elif change in ("float64", "int8"):
        found[name] = found[name].to(getattr(torch, change))
    elif change == "shape":
        found[name] = found[name].T.contiguous()
    else:
        given = found.pop(name)
        found |= {"other": given} if change == "other" else {}
    save_file(found, path)
    reseal(copy)
    with pytest.raises(CheckpointError, match=r"copy.weights-1\.safetensors: "):
        Predictor.load(copy)


def test_weights_that_are_missing_are_told_though_nobody_sealed_them(copy):
    found = json.loads((copy / "recipe.json").read_text(encoding="utf-8"))
    (copy / "recipe.json").write_text(json.dumps(found | {"files": {}}), encoding="utf-8")
    (copy / "weights-1.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"weights-1\.safetensors: missing"):
        Predictor.load(copy)


ARRAYS = {
    "index": [np.full((1, 1), 10**6), np.zeros((1, 1)), np.zeros((0, 1), np.int64), np.full((1, 1), -2)],
    "ids": [np.array(["x"]), np.array([], dtype=np.str_)],
    "values": [np.zeros((1, 3), np.float32), np.zeros(3, np.float32)],
    "bound": [np.zeros((1, 3), np.int8), np.zeros((1, 3))],
    "prints_0": [np.zeros((1, 256), np.uint8), np.zeros((1, 3)), np.zeros((1, 256), np.float32)],
    "keys_0": [np.array(["CCO"]), np.array([1.0])],
    "names_0": [np.array(["x", "y"])],
    "threshold_0": [np.array(np.nan), np.array(2.0), np.array([0.1, 0.2])],
    "known_0": [np.zeros(3, np.uint64), np.zeros(3)],
}


@pytest.mark.parametrize(("name", "array"), [(n, a) for n, each in ARRAYS.items() for a in [None, *each]])
def test_a_domain_that_does_not_fit_together_is_told(copy, name, array):
    path = copy / "domain.npz"
    with np.load(path) as file:
        found = dict(file)
    rows = len(found["index"])
    if array is None and name == "known_0":  # earlier versions had none
        del found[name]
        np.savez_compressed(path, **found)
        reseal(copy)
        assert len(Predictor.load(copy).domain.ids) == rows
        return
    if array is None:
        del found[name]
    elif name in ("index", "prints_0") and len(array) == 1:
        found[name] = np.repeat(array, rows, axis=0) if array.shape[1] != 256 else array
    else:
        found[name] = array
    np.savez_compressed(path, **found)
    reseal(copy)
    with pytest.raises(CheckpointError, match=r"copy.domain\.npz: the domain file is damaged"):
        Predictor.load(copy)


def test_a_checkpoint_that_does_not_say_what_it_must_is_told(tmp_path):
    state = State(2, 1, 0.5, {"w": torch.ones(2)}, {}, {}, {"w": torch.ones(2)})
    state.save(tmp_path / CHECKPOINT, member=0, digest="d", history=[{"member": 0, "epoch": 1}])
    assert resume(tmp_path, "d")[0] == 0
    odd = [
        (replace(state, epoch="2"), {}), (replace(state, best_epoch=3), {}), (replace(state, best_loss=None), {}),
        (replace(state, weights={"w": torch.tensor([1, torch.nan])}), {}), (state, {"member": "0"}),
        (state, {"member": -1}), (state, {"history": "x"}), (state, {"history": [1]}), (state, {"history": [{}]}),
    ]  # fmt: skip
    for made, meta in odd:
        made.save(tmp_path / CHECKPOINT, **({"member": 0, "digest": "d", "history": []} | meta))
        with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors"):
            resume(tmp_path, "d")


def test_flipped_and_cut_checkpoints_are_told_or_read(tmp_path):
    path = tmp_path / CHECKPOINT
    state = State(2, 1, 0.5, {"w": torch.ones(2)}, {}, {}, {"w": torch.ones(2)})
    state.save(path, member=0, digest="d", history=[{"member": 0, "epoch": 1}])
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] if at % 3 else whole[:at])
        with suppress(CheckpointError, ConfigError):  # a flipped digest is that of another training
            resume(tmp_path, "d")


def told(path):
    """Say all that pages and terminals say of a model before it is used on rows with values."""
    made = Predictor.load(path)
    made._repr_html_()
    quality_of(made)
    model_facts([made])
    share(path, path.parent / f"shared-{len(list(path.parent.iterdir()))}")
    return made


def test_facts_and_scores_in_which_any_value_is_another_are_told_or_refused(whole, copy):
    found = json.loads((whole / "recipe.json").read_text(encoding="utf-8"))
    found["start"] = {
        "name": "base",
        "digest": "0f" * 32,
        "data": "a.csv",
        "rows_used": 9,
        "targets": ["x"],
        "anew": [],
    }
    places = [path for path in leaves(found) if path and path[0] in {*PRINTED, "start", "simple"}]
    chance, refused = random.Random(1), 0
    for path in chance.sample(places, 50):
        value = chance.choice(NASTY)
        (copy / "recipe.json").write_text(json.dumps(changed(found, path, value)), encoding="utf-8")
        try:
            told(copy)
        except CheckpointError as error:
            assert str(copy) in str(error), (path, value)
            refused += 1
    assert 5 < refused < 50


def test_simple_methods_that_are_none_are_told_when_they_are_asked(whole, series):
    made = Predictor.load(whole)
    data, refused = network_data(whole, series), 0
    found = json.loads(json.dumps(fit(made.domain, made.task)))
    for path in leaves(found):
        for value in ("x", [], {"x": {}}, 10**400) if path else ():
            made.recipe.simple = changed(found, path, value)
            try:
                beside([made], made.task, data)
            except CheckpointError as error:
                assert str(whole) in str(error)
                refused += 1
    assert refused > 10


def network_data(path, series):
    made = Predictor.load(path)
    table = next(made.read(series[["smiles"]].head(3)))
    return made.inputs.prepare(table).things()[0]


class NeedsMemory(registry.model("molecule/feedforward")):
    """Take an encoder of another package that cannot be made without memory."""

    def __init__(self, schema, *, hidden=8, depth=1, dropout=0.0):
        super().__init__(schema, hidden=hidden, depth=depth, dropout=dropout, descriptors=False)
        self.register_buffer("scale", torch.from_numpy(torch.ones(3).numpy()) * torch.zeros(1).item())
        self.register_buffer("own", torch.zeros(hidden, hidden))


def test_an_encoder_that_needs_memory_takes_no_more_than_its_weights_account_for(
    series, predictor_of, monkeypatch, tmp_path
):
    known = registry.model
    monkeypatch.setattr(registry, "model", lambda name: NeedsMemory if name == "molecule/feedforward" else known(name))
    made = predictor_of(series, model="molecule/feedforward", encoder={"hidden": 8}, head={"hidden": 8})
    made.save(tmp_path)
    again = Predictor.load(tmp_path)
    pd.testing.assert_frame_equal(pd.DataFrame(again.predict(LIGANDS)), pd.DataFrame(made.predict(LIGANDS)))
    found = json.loads((tmp_path / "recipe.json").read_text(encoding="utf-8"))
    (tmp_path / "recipe.json").write_text(
        json.dumps(changed(found, ("run", "encoder", "hidden"), 60_000)), encoding="utf-8"
    )
    with pytest.raises(CheckpointError, match="more memory than its weights can account for"):
        Predictor.load(tmp_path)
