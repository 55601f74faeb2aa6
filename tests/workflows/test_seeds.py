import json

import numpy as np
import pytest

import molgraph
from molgraph import config
from molgraph.cli import main
from molgraph.errors import ConfigError
from molgraph.predictor import Panel
from molgraph.workflows.plan import plan
from molgraph.workflows.seeds import Spread, train_seeds

FAST = ("--set", "encoder.rounds=5", "--set", "encoder.depth=2", "--set", "comparator=none", "--set", "refit=no")


@pytest.fixture(scope="module")
def table(chembl_table, tmp_path_factory):
    path = tmp_path_factory.mktemp("seeds") / "ligands.csv"
    chembl_table.iloc[::12].head(60).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def words(table):
    return ("train", str(table), "--target", "pAct", "--model", "molecule/forest", *FAST)


@pytest.fixture(scope="module")
def out(words, table):
    folder = table.parent / "out"
    assert main([*words, "--seeds", "0,3", "--out", str(folder)]) == 0
    return folder


def test_each_seed_is_what_its_seed_alone_makes(words, out, table, tmp_path):
    assert main([*words, "--seed", "3", "--out", str(tmp_path / "alone")]) == 0
    smiles = ["CCO", "c1ccccc1O"]
    mine, alone = (molgraph.load(folder).predict(smiles)["pAct"] for folder in (out / "seed-3", tmp_path / "alone"))
    np.testing.assert_array_equal(mine, alone)


def test_mean_deviation_and_every_score_are_written(out):
    found = json.loads((out / "seeds.json").read_text(encoding="utf-8"))
    each = [json.loads((out / f"seed-{seed}" / "metrics.json").read_text(encoding="utf-8")) for seed in (0, 3)]
    values = [one["model"]["pAct"]["rmse"]["value"] for one in each]
    rmse = found["scores"]["pAct"]["rmse"]["model"]
    assert found["seeds"] == [0, 3] and rmse["each"] == values
    assert rmse["mean"] == pytest.approx(np.mean(values)) and rmse["sd"] == pytest.approx(np.std(values, ddof=1))
    page = (out / "seeds.md").read_text(encoding="utf-8")
    assert "| rmse | " in page and "The same rows test every seed (split scaffold)" in page


def test_the_same_command_keeps_what_is_finished_and_goes_on_with_more(words, out, capsys):
    before = (out / "seed-0" / "recipe.json").stat().st_mtime_ns
    assert main([*words, "--seeds", "0,3,4", "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert "seed 0 is finished" in said and "mean over 3 seeds" in said and "seed 4 is finished" not in said
    assert (out / "seed-0" / "recipe.json").stat().st_mtime_ns == before
    assert main([*words, "--seeds", "0,3", "--set", "encoder.l2=9", "--out", str(out)]) == 2
    assert "holds a model of other settings or other data" in capsys.readouterr().err


def test_a_split_that_is_drawn_is_said(words, tmp_path, capsys):
    assert main([*words, "--split", "random", "--seeds", "1,2", "--out", str(tmp_path / "out")]) == 0
    assert "Each seed draws its own split (random)" in capsys.readouterr().err


def test_in_python_it_is_the_mean_of_all(table, out):
    settings = {"encoder": {"rounds": 5, "depth": 2}, "comparator": "none", "refit": "no"}
    made = molgraph.train(str(table), "pAct", model="molecule/forest", seeds=[0, 3], out=out, **settings)
    assert isinstance(made, Panel) and len(made.predictors) == 2
    with pytest.raises(ConfigError, match="name a folder"):
        molgraph.train(str(table), "pAct", seeds=[0, 3])


@pytest.mark.parametrize(
    ("seeds", "model", "says"),
    [
        ([1], "molecule/gin", "at least two different ones"),
        ([1, 1], "molecule/gin", "at least two different ones"),
        ([-1, 1], "molecule/gin", "from 0 on"),
        ([0, 1], "imaging/unet", "trains from one seed a command"),
    ],
)
def test_seeds_that_are_none_are_refused(tmp_path, seeds, model, says):
    with pytest.raises(ConfigError, match=says):
        train_seeds(config.settings({"data": "x.csv", "model": model, "seeds": seeds}), tmp_path)


def test_other_commands_take_one_seed(table):
    with pytest.raises(ConfigError, match="only `molgraph train` takes several"):
        plan(config.settings({"data": str(table), "targets": ["pAct"], "seeds": [0, 1]}))


def test_a_score_that_a_seed_lacks_is_said():
    spread = Spread({"model": [0.5, None, 0.7], "none": [None, None, None]})
    assert spread.text("model") == "0.6, sd 0.14 (0.5, none, 0.7)" and spread.text("none") == "none"
    assert spread.to_json()["none"] == {"mean": None, "sd": None, "each": [None, None, None]}
