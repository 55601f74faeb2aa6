"""Trainings and screens that are stopped, killed, shared among processes: nothing is lost, nothing differs."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from walk import LIMIT, TINY, done, molgraph, no_leftovers, refused, start, wait_until

from molgraph.cli import main
from molgraph.workflows.devices import relaunch

LONG = ("--set", "train.epochs=60", "--set", "train.patience=60", "--set", "encoder.hidden=48")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


@pytest.fixture(scope="module")
def words(data: Path) -> tuple[object, ...]:
    return ("train", data, "--target", "pAct", *TINY, *LONG, "--out")


@pytest.fixture(scope="module")
def uninterrupted(words: tuple[object, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stops") / "whole"
    done(*words, folder)
    return folder


def epochs(folder: Path) -> int:
    lines = folder / "metrics.jsonl"
    return lines.read_bytes().count(b"\n") if lines.exists() else 0


def same_result(one: Path, other: Path) -> None:
    assert (one / "weights-0.safetensors").read_bytes() == (other / "weights-0.safetensors").read_bytes()
    histories = [pd.read_csv(folder / "history.csv").drop(columns="seconds") for folder in (one, other)]
    pd.testing.assert_frame_equal(*histories)
    metrics = [json.loads((folder / "metrics.json").read_text(encoding="utf-8")) for folder in (one, other)]
    assert metrics[0] == metrics[1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_stopped_training_goes_on_to_the_same_model(
    words: tuple[object, ...], uninterrupted: Path, data: Path, tmp_path: Path, how: signal.Signals
):
    folder = tmp_path / "m"
    process = start(*words, folder)
    wait_until(process, lambda: epochs(folder) >= 3)
    process.send_signal(how)
    out, err = process.communicate(timeout=LIMIT)
    assert "Traceback" not in out + err
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert "the same command goes on from there" in err
        assert json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["facts"]["interrupted"]
        done("predict", data, "--model", folder, "-o", tmp_path / "so-far.csv")
    else:
        assert process.returncode == -how
        assert not (folder / "recipe.json").exists()
    assert 3 <= epochs(folder) < 60
    said = done(*words, folder).err
    assert "going on where an earlier training stopped" in said
    same_result(folder, uninterrupted)
    assert not (folder / "checkpoint.safetensors").exists()
    no_leftovers(folder)


def test_two_processes_train_one_model(data: Path, tmp_path: Path):
    process = start("train", data, "--target", "pAct", *TINY, "--devices", 2, "--out", tmp_path / "m")
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, out + err
    assert err.count("model written to") == 1 and err.count("split scaffold") == 1
    done("predict", data, "--model", tmp_path / "m", "-o", tmp_path / "scores.csv", "--strict")
    history = pd.read_csv(tmp_path / "m" / "history.csv")
    assert history["member"].tolist() == [0, 0] + [1] * int(history["best"][1]), "of the split, and refitted by both"
    assert epochs(tmp_path / "m") == len(history)


def test_the_first_error_of_several_processes_is_their_exit_code():
    assert relaunch(2, ["list", "models"]) == 0
    assert relaunch(2, ["data", "show", "nothing-of-the-kind"]) == 2


@pytest.fixture(scope="module")
def library(nci: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "library.csv"
    pd.DataFrame({"smiles": nci, "number": range(len(nci))}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def screened(model: Path, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a screen made by two calls for a half each, merged by a third."""
    out = tmp_path_factory.mktemp("screen") / "halves"
    words = ("screen", library, "--model", model, "--out", out, "--top", 20, "--workers", 1)
    assert "shard 1" in done(*words, "--shard", "1/2").err
    refused(molgraph(*words), 2, "unfinished screen", "--resume")
    assert "shard 2" in done(*words, "--shard", "2/2").err
    done(*words)
    return out


def same_screen(one: Path, other: Path) -> None:
    for name in ("scores.parquet", "top.csv"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_shards_merge_to_one_row_per_row(screened: Path, nci: list[str]):
    scores = pd.read_parquet(screened / "scores.parquet")
    assert scores["number"].astype(int).tolist() == list(range(len(nci)))
    assert not (screened / "shards").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_stopped_screen_goes_on_to_the_same_bytes(
    model: Path, library: Path, screened: Path, tmp_path: Path, how: signal.Signals
):
    out = tmp_path / "out"
    words = ("screen", library, "--model", model, "--out", out, "--top", 20)
    process = start(*words, "--workers", 2 if how is signal.SIGINT else 1)
    wait_until(process, lambda: any(out.glob("shards/*.parquet")))
    process.send_signal(how)
    said, err = process.communicate(timeout=LIMIT)
    assert process.returncode == (130 if how is signal.SIGINT else -how)
    assert "Traceback" not in said + err
    if how is signal.SIGINT:
        assert "--resume" in err
    done(*words, "--workers", 1, "--resume")
    same_screen(out, screened)
    no_leftovers(out)


def test_ctrl_c_in_this_process(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("molgraph.workflows.predict.load", interrupted)
    assert main(["predict", str(data), "--model", "m", "-o", str(tmp_path / "x.csv")]) == 130
    assert "stopped" in capsys.readouterr().err


def test_a_second_training_into_a_folder_is_refused(words: tuple[object, ...], tmp_path: Path):
    process = start(*words, tmp_path / "m")
    wait_until(process, lambda: epochs(tmp_path / "m") >= 1)
    refused(molgraph(*words, tmp_path / "m"), 2, "another command is writing there")
    refused(molgraph(*words, tmp_path / "m", "--overwrite"), 2, "another command is writing there")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 130 and epochs(tmp_path / "m") >= 1
    no_leftovers(tmp_path)


def test_nothing_is_left_in_the_folder_for_temporary_files(
    uninterrupted: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Neither after commands that came to their end nor after one that was refused half-way."""
    there, out = tmp_path / "tmp", tmp_path / "out"
    there.mkdir(), out.mkdir()
    table = pd.read_csv(data).head(40)
    table.to_excel(out / "t.xlsx", index=False)
    monkeypatch.setattr(tempfile, "tempdir", str(there))
    monkeypatch.setenv("TMPDIR", str(there))
    few = ("--model", "molecule/forest", "--set", "encoder.rounds=5")
    done("train", out / "t.xlsx", "--target", "pAct", "--split", "random", *few, "--out", out / "m")
    for name in ("p.xlsx", "p.csv", "p.parquet"):
        done("predict", out / "t.xlsx", "--model", uninterrupted, "-o", out / name)
    done("screen", out / "t.xlsx", "--model", uninterrupted, "--out", out / "s", "--top", 5)
    table.assign(smiles="C" * 40_000).to_csv(out / "long.csv", index=False)
    assert molgraph("predict", out / "long.csv", "--model", uninterrupted, "-o", out / "long.xlsx").code == 3
    assert not list(there.iterdir()) and not (out / "long.xlsx").exists()
    no_leftovers(out)
