import json

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

import molgraph
from molgraph import config
from molgraph.errors import ConfigError
from molgraph.predictor import Panel, Predictor
from molgraph.predictor.assess import NEIGHBOUR
from molgraph.predictor.checkpoint import CHECKPOINT
from molgraph.workflows.plan import plan
from molgraph.workflows.share import share_folder
from molgraph.workflows.train import train_folder, train_rows

TINY = {
    "encoder": {"hidden": 16, "depth": 2},
    "head": {"hidden": 16},
    "train": {"epochs": 2},
    "comparator": "none",
    "refit": "no",
    "split": "random",
}


@pytest.fixture(scope="module")
def ligands(chembl_table):
    return chembl_table.iloc[::9].head(100).reset_index(drop=True)


@pytest.fixture(scope="module")
def folder(ligands, tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "m"
    molgraph.train(ligands, "pAct", out=out, **TINY)
    return out


@pytest.fixture(scope="module")
def model(folder):
    return molgraph.load(folder)


def test_three_lines_in_a_notebook(ligands, model):
    trained = molgraph.train(ligands, target="pAct", **TINY)
    assert isinstance(trained, Predictor)
    found = trained.predict(["CCO", "c1ccccc1O"])
    assert isinstance(found, pd.DataFrame)
    assert found["status"].tolist() == ["ok", "ok"]
    np.testing.assert_array_equal(found["pAct"], model.predict(["CCO", "c1ccccc1O"])["pAct"])


def test_all_ways_to_ask_give_the_same(model, ligands, tmp_path):
    smiles = ligands["smiles"].tolist()[:5]
    expected = model.predict(smiles)["pAct"].to_numpy()
    path = tmp_path / "x.csv"
    pd.DataFrame({"SMILES": smiles}).to_csv(path, index=False)
    mols = [Chem.MolFromSmiles(s) for s in smiles]
    frame = pd.DataFrame({"id": range(5), "smiles": smiles})
    for way in (pd.Series(smiles), mols, frame, pd.DataFrame({"mol": mols}), path, str(path)):
        np.testing.assert_array_equal(model.predict(way)["pAct"].to_numpy(), expected)
    assert list(model.predict(frame))[:2] == ["id", "smiles"]
    odd = pd.DataFrame({"structure of it": smiles})
    np.testing.assert_array_equal(model.predict(odd, "structure of it")["pAct"].to_numpy(), expected)


def test_training_from_a_file_is_training_from_its_table(ligands, model, tmp_path):
    path = tmp_path / "data.csv"
    ligands.to_csv(path, index=False)
    again = molgraph.train(path, ["pAct"], **TINY)
    np.testing.assert_array_equal(again.predict(["CCO"])["pAct"], model.predict(["CCO"])["pAct"])


def test_several_folders_are_a_panel(folder):
    assert isinstance(molgraph.load(folder, folder), Panel)


def test_the_folder_is_complete(folder, ligands):
    names = {p.name for p in folder.iterdir()}
    assert names == {
        *("recipe.json", "weights-0.safetensors", "domain.npz", "history.csv", "rejects.csv", "card.md"),
        *("run.toml", "run.log", "metrics.json", "metrics.jsonl"),
    }
    assert len(pd.read_csv(folder / "history.csv")) == 2
    assert len((folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["model"]["pAct"]["rmse"]) >= {"value", "low", "high"}
    assert metrics["comparator_name"] == NEIGHBOUR
    assert metrics["leaks"]["across"] == {} and f"Leaks: {metrics['leaks']['sentence']}." in (
        folder / "card.md"
    ).read_text("utf-8")
    assert config.settings(config.read(folder / "run.toml")) == Predictor.load(folder).recipe.run


def test_the_comparator_is_judged_on_the_same_rows(ligands):
    forest = {"model": "molecule/forest", "encoder": {"rounds": 10, "depth": 2}}
    run = config.settings({"targets": ["pAct"], **TINY, **forest, "comparator": "molecule/dmpnn"})
    predictor = train_rows(plan(run, ligands))
    metrics = predictor.recipe.metrics
    assert metrics["comparator_name"] == "molecule/dmpnn"
    assert set(metrics["others"]) == {"molecule/dmpnn", NEIGHBOUR}
    assert metrics["rows"] == predictor.facts["test"]
    assert metrics["comparator"] == metrics["others"]["molecule/dmpnn"]


def test_a_comparator_that_cannot_learn_is_left_out_and_named(ligands):
    bounds = ligands.assign(pAct=[f">{v}" for v in ligands["pAct"]])
    run = config.settings({"targets": ["pAct"], **TINY, "comparator": "molecule/forest"})
    predictor = train_rows(plan(run, bounds))
    assert predictor.recipe.metrics["comparator_name"] == NEIGHBOUR
    assert any("forest, a method to beat, was left out: target 'pAct'" in note for note in predictor.facts["notes"])
    assert "trees begin with exact values" in predictor.recipe.metrics["left_out"]["molecule/forest"]


def test_a_comparator_that_diverges_or_finds_no_memory_is_left_out_and_a_full_disk_is_not_passed_over(
    ligands, monkeypatch
):
    from molgraph.errors import DivergedError, ResourceError
    from molgraph.predictor.training import Training

    whole = Training.epochs

    def failing(error):
        def epochs(self):
            if self.run.model == "molecule/forest":
                raise error
            yield from whole(self)

        monkeypatch.setattr(Training, "epochs", epochs)

    def caused(cause):
        error = ResourceError(str(cause))
        error.__cause__ = cause
        return error

    made = plan(config.settings({"targets": ["pAct"], **TINY, "comparator": "molecule/forest"}), ligands)
    for error in (DivergedError("the loss is nan"), caused(MemoryError("out of memory"))):
        failing(error)
        assert train_rows(made).recipe.metrics["left_out"] == {"molecule/forest": str(error)}
    failing(caused(OSError(28, "No space left")))
    with pytest.raises(ResourceError, match="No space left"):
        train_rows(made)


def interrupt_after(epochs):
    seen = []

    def watch(member, epoch):
        seen.append((member, epoch.number))
        if len(seen) == epochs:
            raise KeyboardInterrupt

    return watch


def test_interrupted_it_keeps_what_there_is_and_goes_on_to_the_same_model(ligands, tmp_path):
    run = config.settings({"targets": ["pAct"], **TINY, "ensemble": 2})
    made = plan(run, ligands)
    whole = train_rows(made)
    early = train_rows(made, folder=tmp_path, watch=interrupt_after(1))
    assert early.facts["interrupted"] and early.facts["members"] == 1
    assert early.predict(["CCO"])["status"].tolist() == ["ok"]
    assert (tmp_path / CHECKPOINT).exists()
    later = train_rows(made, folder=tmp_path, watch=interrupt_after(2))
    assert later.facts["interrupted"] and later.facts["members"] == 2
    done = train_rows(made, folder=tmp_path)
    assert not done.facts["interrupted"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(done.predict(ligands.head(9))), pd.DataFrame(whole.predict(ligands.head(9))), check_exact=True
    )


def test_interrupted_before_the_first_epoch_there_is_no_model(ligands, monkeypatch):
    from molgraph.predictor.network import Network

    def stop(*_, **__):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Network, "train", stop)
    with pytest.raises(KeyboardInterrupt):
        train_rows(plan(config.settings({"targets": ["pAct"], **TINY}), ligands))


def test_an_interrupted_folder_is_a_model_and_the_same_command_finishes_it(ligands, folder, tmp_path, monkeypatch):
    from molgraph.workflows import show

    run = config.settings({"targets": ["pAct"], **TINY})
    watch = interrupt_after(1)
    with monkeypatch.context() as patch:
        patch.setattr(show.Epochs, "__call__", lambda self, member, epoch: watch(member, epoch))
        with pytest.raises(KeyboardInterrupt):
            train_folder(run, tmp_path, source=ligands)
    assert molgraph.load(tmp_path).facts["interrupted"]
    train_folder(run, tmp_path, source=ligands)
    done, whole = molgraph.load(tmp_path), molgraph.load(folder)
    np.testing.assert_array_equal(done.predict(["CCO"])["pAct"], whole.predict(["CCO"])["pAct"])
    assert not (tmp_path / CHECKPOINT).exists()
    with pytest.raises(ConfigError, match="holds a trained model"):
        train_folder(run, tmp_path, source=ligands)


def test_fine_tuning_begins_where_the_other_ended(ligands, folder):
    few = ligands.head(50)
    tuned = molgraph.train(few, "pAct", init=str(folder), **{**TINY, "train": {"epochs": 1, "lr": 1e-9}})
    expected = molgraph.load(folder).members[0].model.encoder.state_dict()
    found = tuned.members[0].model.encoder.state_dict()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name].numpy(), value.numpy(), atol=1e-6)
    with pytest.raises(ConfigError, match="its architecture is not 'molecule/gin'"):
        molgraph.train(few, "pAct", init=str(folder), **{**TINY, "model": "molecule/gin"})
    with pytest.raises(
        ConfigError, match=r"set up with encoder\.hidden = 16, and this run has 17: add --set encoder\.hidden=16"
    ):
        molgraph.train(few, "pAct", init=str(folder), **{**TINY, "encoder": {"hidden": 17}})


def test_a_shared_model_screens(folder, ligands, tmp_path):
    share_folder(folder, tmp_path / "shared")
    from molgraph.workflows.screen import screen_file

    library = tmp_path / "library.csv"
    pd.DataFrame({"smiles": [*ligands["smiles"].tolist()[:20], "xx"]}).to_csv(library, index=False)
    result = screen_file(library, [tmp_path / "shared"], tmp_path / "screen", top=5, workers=1, fmt="csv")
    assert result.finished
    scores = pd.read_csv(tmp_path / "screen" / "scores.csv")
    assert len(scores) == 21
    assert not {"nn_id", "nn_similarity", "in_domain"} & set(scores)
    ours = molgraph.load(folder).predict(library)
    np.testing.assert_allclose(scores["pAct"], ours["pAct"], rtol=1e-6)
    page = (tmp_path / "screen" / "report.html").read_text(encoding="utf-8")
    assert "shared without its training molecules" in page
