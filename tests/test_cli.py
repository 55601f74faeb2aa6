"""Words on the command line to settings, lists and exit codes; whole walks are in tests/walks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import molgraph
from molgraph import config, registry
from molgraph.cli import main, parser, run_settings
from molgraph.errors import ConfigError


def settings(*words: str) -> config.RunSettings:
    return run_settings(parser().parse_args(["train", *words]))


def test_options_lie_on_top_of_the_run_file_and_set_on_top_of_all(tmp_path: Path):
    run = tmp_path / "run.toml"
    run.write_text(
        'data = "x.csv"\ntargets = ["a"]\nseed = 1\nsplit = "random"\n[train]\nepochs = 9\n', encoding="utf-8"
    )
    found = settings(str(run), "--seed", "2", "--set", "train.epochs=3", "--set", "split=cluster")
    assert (found.data, found.targets, found.seed, found.split, found.train.epochs) == ("x.csv", ["a"], 2, "cluster", 3)
    assert settings(str(run)).split == "random"


def test_every_option_of_train_reaches_the_settings():
    words = (
        "x.csv -s mol --target IC50 --target b --model molecule/gin --task regression --split random --ensemble 3 "
        "--units IC50:nM --id no --init m --seed 4 --leaks refuse --no-standardize"
    )
    found = settings(*words.split())
    assert found == config.RunSettings(
        data="x.csv",
        column="mol",
        targets=["IC50", "b"],
        model="molecule/gin",
        task="regression",
        split="random",
        ensemble=3,
        units={"IC50": "nM"},
        id="no",
        init="m",
        seed=4,
        leaks="refuse",
        standardize=False,
    )


def test_weights_are_a_column_or_one_for_each_target():
    words = ("x.csv", "--target", "a", "--target", "b")
    assert settings(*words, "--weight", "trust").weight == "trust"
    assert settings(*words, "--weight", "a=trust").weight == {"a": "trust"}
    assert settings(*words, "--weight", "a=trust", "--weight", "b=n").weight == {"a": "trust", "b": "n"}
    assert settings(*words, "--weight", "n=1").weight == "n=1", "no target is called so: a column may be"
    with pytest.raises(ConfigError, match="TARGET=COLUMN"):
        settings(*words, "--weight", "trust", "--weight", "b=n")


def test_a_seed_of_zero_counts_as_given(tmp_path: Path):
    (tmp_path / "run.toml").write_text("seed = 7\n", encoding="utf-8")
    assert settings(str(tmp_path / "run.toml"), "--seed", "0").seed == 0


@pytest.mark.parametrize("text", ["IC50", "nM"])
def test_units_need_a_column_and_a_unit(text: str):
    with pytest.raises(ConfigError, match="COLUMN:UNIT"):
        settings("x.csv", "--units", text)


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("models", ["molecule/dmpnn", "molecule/forest", "(Yang 2019)"]),
        ("tasks", ["regression", "binary", "multiclass"]),
        ("splits", ["scaffold", "cluster", "column:NAME"]),
        ("datasets", ["chembl2321810", "esol", "Delaney"]),
    ],
)
def test_lists(what: str, names: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["list", what]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)


def test_data_is_shown_and_fetched(capsys: pytest.CaptureFixture[str]):
    assert main(["data", "show", "esol"]) == 0
    assert "licence" in capsys.readouterr().out
    assert main(["data", "fetch", "nci_5k"]) == 0
    assert Path(capsys.readouterr().out.strip()).exists()
    assert main(["data", "show", "esoll"]) == 2
    assert "did you mean 'esol'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [[], ["frobnicate"], ["train"], ["list", "modls"], ["predict", "x.csv"], ["train", "x.csv", "--taget", "y"]],
    ids=str,
)
def test_words_that_make_no_command_say_two(words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "usage: molgraph" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["predict x --model m -o y.csv", "screen x --model m --out o"])
def test_workers_are_counted_from_one(words: str, capsys: pytest.CaptureFixture[str]):
    assert main([*words.split(), "--workers", "-1"]) == 2
    assert "--workers -1" in capsys.readouterr().err


@pytest.mark.parametrize("shard", ["3/2", "0/2", "1", "a/b"])
def test_shards_are_counted_from_one(shard: str, capsys: pytest.CaptureFixture[str]):
    assert main(["screen", "x", "--model", "m", "--out", "o", "--shard", shard]) == 2
    assert "1 <= I <= N" in capsys.readouterr().err


def test_tune_does_not_offer_what_it_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["tune", "--help"])
    assert "--init" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert "--init" in capsys.readouterr().out
    assert main(["tune", "a.csv", "--init", "model", "--out", str(tmp_path / "out")]) == 2
    assert "tuning begins from drawn weights" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("train a.csv --epochs 3", "--epochs: no option of train; write --set train.epochs=VALUE"),
        ("train a.csv --lr=0.1", "write --set train.lr=VALUE"),
        ("train a.csv --batch-size 3", "write --set train.batch_size=VALUE"),
        ("tune a.csv --out x --hidden-size 3", "write --set encoder.hidden or --set head.hidden=VALUE"),
        ("predict a.csv --model x -o b.csv --lr 3", "unrecognized arguments: --lr 3"),
        ("train a.csv --nonsense", "unrecognized arguments: --nonsense"),
    ],
)
def test_a_setting_written_as_an_option_is_refused_with_what_to_write(words: str, says: str, capsys: Any):
    with pytest.raises(SystemExit) as stopped:
        main(words.split())
    assert stopped.value.code == 2 and says in capsys.readouterr().err


def test_a_fault_in_the_code_of_another_package_is_not_called_ours(monkeypatch: Any, capsys: Any):
    theirs = ModuleType("their_encoders.deep")
    exec("def fail(*words):\n    raise KeyError('graph')", vars(theirs))
    point = EntryPoint("molecule/theirs", "their_encoders.deep:Encoder", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    monkeypatch.setattr("molgraph.workflows.share.share_folder", theirs.fail)
    assert main(["share", "a", "--out", "b"]) == 1
    said = capsys.readouterr().err
    assert "error in the package their_encoders: KeyError: 'graph'" in said and "report it to its authors" in said


def test_what_nobody_expected_is_called_internal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def broken(*_: object) -> None:
        raise AttributeError("oops")

    monkeypatch.setattr("molgraph.datasets.show", broken)
    assert main(["data", "show", "esol"]) == 1
    shown = capsys.readouterr().err
    assert "internal error: AttributeError: oops" in shown and "Traceback" not in shown
    with pytest.raises(AttributeError):
        main(["data", "show", "esol", "--debug"])


def test_debug_shows_where_an_error_came_from(capsys: pytest.CaptureFixture[str]):
    assert main(["data", "show", "nothing", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(monkeypatch: pytest.MonkeyPatch):
    class Gone:
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr("sys.stdout", Gone())
    monkeypatch.setattr("sys.stderr", Gone())
    assert main(["list", "models"]) == 0


def test_several_inputs_by_column_and_encoder():
    found = settings("x.csv", "--inputs", "smiles:molecule/gin, seq:protein/cnn", "--set", "inputs.seq.filters=4")
    assert found.model == config.FUSION
    assert found.inputs == {
        "smiles": {"column": "smiles", "encoder": "molecule/gin"},
        "seq": {"column": "seq", "encoder": "protein/cnn", "filters": 4},
    }
    assert (
        settings("x.csv", "--inputs", "a:molecule/gin,b:protein/cnn", "--model", "fusion/cross").model == "fusion/cross"
    )
    one = settings("x.csv", "--inputs", "mol:molecule/gin")
    assert (one.model, one.column, one.inputs) == ("molecule/gin", "mol", {})


def test_curves_are_columns_times_ahead_or_visits():
    curves = ("--curve", "fev1=y1,y2", "--curve", "fvc=+1,+2.5", "--curve", "w=+1visit,+2visits")
    found = settings("x.csv", *curves, "--within", "0.5")
    assert found.curves == {
        "fev1": {"columns": ["y1", "y2"]},
        "fvc": {"ahead": [1.0, 2.5], "within": 0.5},
        "w": {"visits": [1, 2]},
    }
    for wrong in ("fev1", "fev1=", "fev1=+1,y2", "fev1=+1,+2visits", "fev1=+1.5visits"):
        with pytest.raises(ConfigError, match="write NAME=COLUMN,COLUMN"):
            settings("x.csv", "--curve", wrong)


def test_visits_are_a_file_and_the_column_that_says_whose_they_are(tmp_path: Path):
    words = ("--model", "disease/forest", "--inputs", "visits.csv:mrn", "--at", "admitted", "--time", "drawn")
    found = settings("x.csv", *words)
    assert found.records == {"file": "visits.csv", "by": "mrn", "at": "admitted", "time": "drawn"}
    assert (found.inputs, found.model) == ({}, "disease/forest")
    for same in ("x.csv", "./x.csv"):  # the rows are visits themselves
        assert settings("x.csv", "--inputs", f"{same}:mrn").records == {"by": "mrn"}
    several = settings("x.csv", "--inputs", "smiles:molecule/gin,state:disease/forest,visits.xlsx:mrn")
    assert list(several.inputs) == ["smiles", "state"] and several.records == {"file": "visits.xlsx", "by": "mrn"}
    with pytest.raises(ConfigError, match="one file of visits is read"):
        settings("x.csv", "--inputs", "a.csv:mrn,b.csv:mrn")
    (tmp_path / "visits.csv").write_text("mrn\n", encoding="utf-8")
    (tmp_path / "run.toml").write_text('data = "x.csv"\n[records]\nfile = "visits.csv"\nby = "mrn"\n', encoding="utf-8")
    assert settings(str(tmp_path / "run.toml")).records["file"] == str(tmp_path / "visits.csv")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("smiles", "write COLUMN:ENCODER"),
        ("smiles:", "write COLUMN:ENCODER"),
        (":molecule/gin", "write COLUMN:ENCODER"),
        ("smiles:molecule/gin,", "write COLUMN:ENCODER"),
        ("smiles:molecule/gin,smiles:molecule/dmpnn", "'smiles' stands twice"),
    ],
)
def test_inputs_that_are_written_wrong(text: str, says: str):
    with pytest.raises(ConfigError, match=says):
        settings("x.csv", "--inputs", text)


@pytest.mark.parametrize("text", ["target", "target=", "=MKT"])
def test_what_is_given_needs_a_name_and_a_value(text: str, capsys: pytest.CaptureFixture[str]):
    assert main(["predict", "x.csv", "--model", "m", "-o", "y.csv", "--given", text]) == 2
    assert "write INPUT=FILE or INPUT=TEXT" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["\x1b[31mx"], ["predict", "a", "--model", "m", "--\x1b]0;x\x07"], ["list", "\x1b[2J"]]
)
def test_a_users_own_escape_sequences_are_shown_and_not_obeyed(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "\x1b" not in said and "\\x1b" in said


def test_an_error_that_came_of_ctrl_c_is_ctrl_c(monkeypatch, capsys):
    def interrupted(_):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("half of a library") from error

    monkeypatch.setattr("molgraph.cli.list_names", interrupted)
    assert main(["list", "models"]) == 130
    assert "stopped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict", "t.csv", "--model", "m"], "stopped. The same command begins anew."),
        (["deidentify", "in", "out"], "What was finished is kept; the same command goes on from there."),
    ],
)
def test_a_stopped_command_says_whether_it_goes_on(words, said, monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"molgraph.cli.{words[0]}", interrupted)
    assert main(words) == 130
    assert said in capsys.readouterr().err


SLOW = "import time; print('begun', flush=True); time.sleep(60)"


@pytest.mark.skipif(os.name == "nt", reason="signals of another process")
def test_ctrl_c_while_the_command_is_imported_leaves_no_traceback(tmp_path):
    (tmp_path / "difflib.py").write_text(SLOW, encoding="utf-8")  # the first that errors.py imports
    path = os.pathsep.join([str(tmp_path), str(Path(molgraph.__file__).parents[1])])
    command = [sys.executable, "-m", "molgraph", "--help"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path, **pipes)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "molgraph: stopped before anything was done.\n"
