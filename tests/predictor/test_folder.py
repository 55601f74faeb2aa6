import csv
import json
import re
import shutil
from dataclasses import asdict, replace
from importlib.metadata import EntryPoint

import pandas as pd
import pytest
from safetensors.torch import load_file, save_file

import molgraph
from molgraph import registry
from molgraph.errors import CheckpointError, ConfigError, Reject, ResourceError
from molgraph.predictor import Predictor, folder, load
from molgraph.predictor.recipe import FORMAT, Recipe, sha256, versions

LIGANDS = ["CCO", "c1ccccc1C(=O)NC1CC1", "O=S(=O)(Nc1cccs1)c2ccccc2", "nonsense", ""]


def recipe_of(path):
    return json.loads((path / "recipe.json").read_text(encoding="utf-8"))


def rewrite(path, **changes):
    (path / "recipe.json").write_text(json.dumps({**recipe_of(path), **changes}), encoding="utf-8")


def test_a_loaded_model_predicts_the_same_to_the_bit(trained, folder):
    before, after = trained[1].predict(LIGANDS), Predictor.load(folder).predict(LIGANDS)
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(after), check_exact=True)


def test_a_loaded_model_is_the_same_in_every_other_way(trained, folder):
    again = Predictor.load(folder)
    before = trained[1]
    assert again.digest == before.digest == sha256(folder / "recipe.json")
    for name in ("targets", "inputs", "numbers", "facts", "intervals", "task"):
        assert getattr(again, name) == getattr(before, name)
    assert json.dumps(asdict(again.recipe)) == json.dumps(asdict(before.recipe))  # but for tuples and lists
    assert [m.size for m in again.members] == [m.size for m in before.members]


def test_a_model_of_an_earlier_version_reads_molecules_as_it_did(trained, folder, tmp_path):
    salt = ["CNCC(O)C(O)C(O)C(O)CO.OC(=O)c1ccccc1", "CNCC(O)C(O)C(O)C(O)CO"]
    assert trained[1].inputs.standardize == 2
    shutil.copytree(folder, tmp_path / "old")
    run = recipe_of(folder)["run"]
    del run["standardizer"]
    rewrite(tmp_path / "old", run=run)
    old = Predictor.load(tmp_path / "old")
    assert old.inputs.standardize == 1
    first, second = old.predict(salt)[old.targets[0]]
    assert first == second, "the fragment of most atoms, hydrogens included"


def test_a_folder_holds_no_pickle_and_names_no_module(folder):
    names = sorted(p.name for p in folder.iterdir())
    assert {"recipe.json", "card.md", "domain.npz"} < set(names)
    known = r"(weights-\d+\.safetensors|trees-\d+-\d+\.safetensors|recipe\.json|card\.md|domain\.npz)"
    assert all(re.fullmatch(known, name) for name in names)
    for path in folder.iterdir():
        content = path.read_bytes()
        assert not content.startswith(b"\x80"), f"{path.name} begins as a pickle does"
        assert b"torch._utils" not in content
    text = (folder / "recipe.json").read_text(encoding="utf-8")
    assert not re.search(r"molgraph\.[a-z]+|[a-z_]+\.[a-z_]+:[A-Z]", text.replace("catboost", ""))


def test_the_recipe_holds_what_the_next_user_must_know(folder, trained):
    found = recipe_of(folder)
    assert found["format"] == FORMAT
    assert found["versions"] == versions()
    assert found["versions"]["molgraph"] == molgraph.__version__
    sealed = ("weights-*", "trees-*", "domain.npz")
    assert set(found["files"]) == {p.name for pattern in sealed for p in folder.glob(pattern)}
    assert found["facts"]["train"] == len(trained[0].split.train)
    assert set(found["intervals"]) == set(found["metrics"]["coverage"]) == {"pAct", "active", "level"}


def test_the_card_is_for_a_person(folder, trained):
    text = (folder / "card.md").read_text(encoding="utf-8")
    assert text.startswith("# pAct, active, level by molecule/")
    assert "Not for clinical use" in text
    rmse = trained[1].recipe.metrics["model"]["pAct"]["rmse"]["value"]
    assert f"| rmse | {rmse:.3g} (" in text
    for verdicts in trained[1].recipe.metrics["verdicts"].values():
        assert all(v["sentence"] in text for v in verdicts.values())


@pytest.mark.parametrize("name", ["weights-0.safetensors", "weights-1.safetensors", "domain.npz"])
def test_damage_is_told(network, tmp_path, name):
    network[1].save(tmp_path)
    path = tmp_path / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(CheckpointError, match=f"{name}: damaged"):
        Predictor.load(tmp_path)
    path.unlink()
    with pytest.raises(CheckpointError, match=f"{name}: missing"):
        Predictor.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": FORMAT + 1}, rf"written in model format {FORMAT + 1}, this molgraph \(.*\) reads format {FORMAT}"),
        ({"format": None}, "written in model format None"),
        ({"run": {"modle": "x"}}, "unknown key 'modle'"),
        ({"run": "x"}, "damaged"),
        ({"strange": 1}, "damaged"),
        ({"task": {}}, "damaged"),
        ({"task": {"kind": "no such"}}, "damaged"),
        ({"intervals": {"pAct": {}}}, "damaged"),
        ({"members": "two"}, "damaged"),
        ({"schemas": {}}, "damaged"),
    ],
    ids=str,
)
def test_a_recipe_that_is_not_ours_is_told(network, tmp_path, change, says):
    network[1].save(tmp_path)
    rewrite(tmp_path, **change)
    with pytest.raises(CheckpointError, match=says):
        Predictor.load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\xff", '{"format": 1}'])
def test_a_recipe_that_is_no_recipe_is_told(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text, encoding="latin-1")
    with pytest.raises(CheckpointError, match=r"recipe\.json: damaged"):
        Recipe.load(tmp_path)


def test_what_is_no_model_folder_is_told(tmp_path):
    with pytest.raises(CheckpointError, match=r"no finished model \(no recipe.json\)"):
        load([tmp_path])
    with pytest.raises(CheckpointError, match="no such model folder"):
        load([tmp_path / "nowhere"])


@pytest.fixture
def theirs(monkeypatch):
    """Pretend that another package registers the encoder of a model; return what uninstalls it."""
    points = [EntryPoint("molecule/theirs", "molgraph.rooms.molecule.encoders.dmpnn:DMPNN", registry.ENTRY_POINTS)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry.models.cache_clear()

    def uninstall():
        points.clear()
        registry.models.cache_clear()

    yield uninstall
    registry.models.cache_clear()


@pytest.mark.parametrize("known", [True, False])
def test_a_model_whose_encoder_is_not_installed_names_the_package(network, tmp_path, theirs, known):
    (tmp_path / "out").mkdir()
    network[1].save(tmp_path / "out")
    made = Predictor.load(tmp_path / "out")
    made.recipe.run = replace(made.recipe.run, model="molecule/theirs")
    made.save(tmp_path / "out")
    assert Predictor.load(tmp_path / "out").recipe.facts["plugins"] == {"molecule/theirs": "molgraph"}
    if not known:  # a folder of an earlier version does not say
        del made.recipe.facts["plugins"]
    theirs()
    made.save(tmp_path / "out")
    package = "the package molgraph" if known else "a package with an entry point of molgraph.models"
    with pytest.raises(CheckpointError, match=rf"out: its model 'molecule/theirs' comes from {package}.*install it"):
        Predictor.load(tmp_path / "out")


def test_weights_of_another_shape_are_told(network, tmp_path):
    network[1].save(tmp_path)
    path = tmp_path / "weights-0.safetensors"
    tensors = load_file(path)
    save_file({k: v[:1].contiguous() if v.dim() else v for k, v in tensors.items()}, path)
    found = recipe_of(tmp_path)
    rewrite(tmp_path, files={**found["files"], path.name: sha256(path)})
    with pytest.raises(CheckpointError, match=r"weights-0.safetensors: the weights cannot be read"):
        Predictor.load(tmp_path)


def test_another_domain_is_another_model(network, tmp_path):
    predictor = network[1]
    predictor.save(tmp_path)
    before = predictor.digest
    other = Predictor(
        predictor.recipe, predictor.members, replace(predictor.domain, values=predictor.domain.values + 1)
    )
    other.save(tmp_path)
    assert other.digest != before
    predictor.save(tmp_path)
    assert predictor.digest == before


def test_the_domain_of_an_earlier_version_is_not_sealed_and_may_be_missing_but_not_damaged(network, tmp_path):
    network[1].save(tmp_path)
    files = recipe_of(tmp_path)["files"]
    rewrite(tmp_path, files={name: digest for name, digest in files.items() if name != "domain.npz"})
    assert Predictor.load(tmp_path).domain.ids == network[1].domain.ids
    (tmp_path / "domain.npz").write_bytes(b"x")
    with pytest.raises(CheckpointError, match="domain file is damaged"):
        Predictor.load(tmp_path)
    (tmp_path / "domain.npz").unlink()
    assert Predictor.load(tmp_path).domain is None


def test_saving_where_nothing_can_be_written_is_told(trained, tmp_path):
    with pytest.raises(ResourceError, match="cannot be written"):
        trained[1].save(tmp_path / "no" / "where")


def test_clear_deletes_what_is_ours_and_nothing_else(network, tmp_path):
    network[1].save(tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "run.log").write_text("ours", encoding="utf-8")
    folder.clear(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_history_and_rejects_are_tables(tmp_path):
    epochs = [{"member": 0, "epoch": 1, "valid_loss": None}, {"member": 0, "epoch": 2, "valid_loss": 0.5}]
    folder.save_history(tmp_path, epochs)
    assert pd.read_csv(tmp_path / "history.csv")["epoch"].tolist() == [1, 2]
    folder.save_history(tmp_path, [])
    assert (tmp_path / "history.csv").read_text(encoding="utf-8") == "member,epoch\n"
    odd = Reject(7, 'C"C,\nO', "invalid_smiles", "ü")
    folder.save_rejects(tmp_path, [odd])
    with (tmp_path / "rejects.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["row", "text", "reason", "message"], ["7", 'C"C,\nO', "invalid_smiles", "ü"]]


def test_shared_it_predicts_the_same_and_tells_of_no_training_row(trained, series, tmp_path):
    predictor = trained[1]
    model, out = tmp_path / "model", tmp_path / "shared"
    model.mkdir()
    predictor.save(model)
    folder.save_history(model, [])
    for name in ("rejects.csv", "run.log", "run.toml", "checkpoint.safetensors", "metrics.jsonl", "mine.txt"):
        (model / name).write_text("secret", encoding="utf-8")
    lay = {
        "data": "project/secret folder/secret_patients.csv",
        "init": "secret/secret_m",
        "join": ["secret/secret_targets.fasta:target/id", r"C:\secret\secret more.csv:more"],
    }
    found = recipe_of(model)
    told = {"left": "the start 'secret_m' and 3 rows of secret_patients.csv, 'secret more.csv'"}
    rewrite(model, run={**found["run"], **lay}, facts={**found["facts"], "data": "secret_patients.csv", **told})
    digest = folder.share(model, out)
    shared = Predictor.load(out)
    assert shared.domain is None
    assert shared.digest == digest != predictor.digest
    ours, theirs = (pd.DataFrame(p.predict(LIGANDS)) for p in (predictor, shared))
    near = ["nn_id", "nn_smiles", "nn_similarity", *(f"{name}_nn" for name in predictor.targets)]
    blank = [*near, "in_domain"]
    assert [c for c in ours if c not in theirs] == blank
    domain = ["message"]  # it says which rows are outside of it
    pd.testing.assert_frame_equal(ours.drop(columns=blank + domain), theirs.drop(columns=domain), check_exact=True)
    assert ours["message"].str.contains("outside the domain").any()
    assert not theirs["message"].str.contains("outside the domain").any()
    text = "".join(p.read_text(encoding="utf-8", errors="replace") for p in out.iterdir())
    assert "secret" not in text
    run = shared.recipe.run
    assert (run.data, run.init, run.join) == ("a file", "another model", ["a file:target/id", "a file:more"])
    assert shared.facts["left"] == "the start 'another model' and 3 rows of a file, 'a file'"
    assert "- data: a file\n" in (out / "card.md").read_text(encoding="utf-8")
    assert "domain.npz" not in recipe_of(out)["files"]
    assert not [name for name in series["name"] if f'"{name}"' in text]
    assert not [smiles for smiles in series["smiles"] if smiles in text]
    assert {p.name for p in out.iterdir()} == {*recipe_of(out)["files"], "recipe.json", "card.md", "history.csv"}


def test_what_everybody_knows_keeps_its_name_when_shared(network, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    network[1].save(model)
    found = recipe_of(model)
    rewrite(model, run={**found["run"], "data": "esol", "init": "admet"}, facts={**found["facts"], "data": "esol"})
    folder.share(model, tmp_path / "shared")
    shared = recipe_of(tmp_path / "shared")
    assert (shared["run"]["data"], shared["run"]["init"], shared["facts"]["data"]) == ("esol", "admet", "esol")


def test_a_sharing_that_was_killed_goes_on_and_a_broken_model_is_left_alone(network, tmp_path):
    model, killed, broken = (tmp_path / name for name in ("model", "killed", "broken"))
    for path in (model, killed, broken):
        path.mkdir()
    network[1].save(model)
    for path in (killed, broken):
        (path / "weights-0.safetensors").write_bytes(b"half")
    (killed / ".molgraph.lock").touch()  # as a command leaves it that did not end by itself
    folder.share(model, killed)
    assert Predictor.load(killed).facts["shared"] and not (killed / ".molgraph.lock").exists()
    with pytest.raises(ConfigError, match="is not empty"):
        folder.share(model, broken)
    assert (broken / "weights-0.safetensors").read_bytes() == b"half"


def test_sharing_into_a_folder_in_use_or_a_damaged_model_is_refused(network, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    network[1].save(model)
    with pytest.raises(ConfigError, match="is not empty"):
        folder.share(model, model)
    (model / "weights-0.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="damaged"):
        folder.share(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()
