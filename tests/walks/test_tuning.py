"""A chemist tunes: one command, stopped and taken up again, by one process or two; then screens with the result."""

from __future__ import annotations

import csv
import os
import signal
from pathlib import Path

import pandas as pd
import pytest
from walk import LIMIT, TINY, done, molgraph, no_leftovers, refused, start, wait_until

SPACE = tuple(
    word
    for setting in ("space.encoder.hidden=[8,16]", "space.head.hidden=[16]", "space.train.batch_size=[32]")
    for word in ("--set", setting)
)
posix = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


@pytest.fixture(scope="module")
def words(data: Path) -> tuple[object, ...]:
    return ("tune", data, "--target", "pAct", *TINY, "--model", "molecule/gin", *SPACE, "--split", "random")


def trials(out: Path) -> list[tuple[str, ...]]:
    """Return what the trials that count tried and found."""
    with (out / "trials.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["state"] != "fail"]
    return [tuple(v for k, v in row.items() if k not in ("trial", "seconds", "worker", "why")) for row in rows]


@pytest.fixture(scope="module")
def whole(words: tuple[object, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuning") / "whole"
    said = done(*words, "--trials", 4, "--out", out).err
    assert "trial 0: RMSE" in said and "taken: trial" in said and "study.html" in said
    return out


def test_tune_then_screen(whole: Path, data: Path, tmp_path: Path):
    models = [whole / "best", *sorted((whole / "ensemble").glob("*"))]
    done("screen", data, "--model", *models, "--out", tmp_path / "screen", "--top", 5, "--workers", 1)
    assert len(pd.read_csv(tmp_path / "screen" / "top.csv")) == 5
    done("train", whole / "best.toml", "--set", "comparator=none", "--out", tmp_path / "again")
    weights = [(folder / "weights-0.safetensors").read_bytes() for folder in (whole / "best", tmp_path / "again")]
    assert weights[0] == weights[1]


@posix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_stopped_tuning_goes_on_as_one_that_was_not(
    words: tuple[object, ...], whole: Path, tmp_path: Path, how: signal.Signals
):
    out = tmp_path / "out"
    process = start(*words, "--trials", 4, "--out", out)
    wait_until(process, lambda: (out / "estimates" / "tune" / "1.npy").exists())
    process.send_signal(how)
    said = "".join(process.communicate(timeout=LIMIT))
    assert "Traceback" not in said
    if how is signal.SIGINT:
        assert process.returncode == 130 and "the same command goes on from there" in said, said
        assert (out / "best.toml").exists() and (out / "study.html").exists()
    assert "going on after" in done(*words, "--trials", 4, "--out", out).err
    assert trials(out) == trials(whole)
    no_leftovers(out)


@posix
def test_two_processes_and_ctrl_c(words: tuple[object, ...], tmp_path: Path):
    out = tmp_path / "out"
    process = start(*words, "--trials", 6, "--jobs", 2, "--out", out)
    wait_until(process, lambda: (out / "estimates" / "tune" / "1.npy").exists())
    process.send_signal(signal.SIGINT)  # to the parent alone: it ends its workers
    said = "".join(process.communicate(timeout=LIMIT))
    assert process.returncode == 130 and "Traceback" not in said, said
    done(*words, "--trials", 6, "--top", 1, "--out", out)
    assert len(trials(out)) == 6
    assert not list((out / "workers").iterdir())


def test_several_models_of_which_one_is_trees(data: Path, tmp_path: Path):
    few = ("--set", "space.molecule/forest.rounds=[5,9]", "--set", "space.molecule/gin.hidden=[8]")
    words = ("tune", data, "--target", "active", "--task", "binary", "--model", "molecule/gin,molecule/forest")
    said = done(
        *words, "--split", "random", *TINY[:4], *TINY[8:], *few, "--trials", 3, "--top", 1, "--out", tmp_path / "m"
    ).err
    assert "grouped by model" in said and "trial 2: AUROC" in said


def test_what_is_wrong_is_said_before_anything_runs(data: Path, tmp_path: Path):
    words = ("tune", data, "--target", "pAct", "--out", tmp_path / "out")
    refused(molgraph(*words, "--timeout", "soon"), 2, "--timeout soon", "2h")
    refused(molgraph(*words, "--model", "molecule/gun,molecule/gin"), 2, "did you mean 'molecule/gin'")
    refused(molgraph(*words, "--set", "space.encoder.deph=[1]"), 2, "did you mean 'depth'")
    refused(molgraph(*words, "--objectives", "latency"), 2, "name an accuracy first")
    refused(molgraph(*words, "--jobs", 0), 2, "--jobs 0")
    refused(molgraph(*words, "--storage", "mongodb://x/y", "--trials", 1, *TINY), 6, "--storage mongodb")
