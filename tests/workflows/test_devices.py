"""Several processes: they train together, and the first judges alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd

from molgraph.cli import main

LIMIT = 240  # seconds until processes that wait for each other are given up
RIVAL = "molecule/feedforward"
SETTINGS = ("train.epochs=2", "encoder.hidden=16", "encoder.depth=2", "head.hidden=16", f"comparator={RIVAL}")


def test_a_network_to_beat_is_trained_by_the_first_of_two_processes(chembl_table: pd.DataFrame, tmp_path: Path) -> None:
    chembl_table.iloc[::15].to_csv(tmp_path / "series.csv", index=False)
    words = ["train", str(tmp_path / "series.csv"), "--target", "pAct", *(w for s in SETTINGS for w in ("--set", s))]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "molgraph", *words, "--out", str(tmp_path / "two")],
            env={**os.environ, **group, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    try:
        assert [process.wait(LIMIT) for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert main([*words, "--out", str(tmp_path / "one")]) == 0
    one, two = (json.loads((tmp_path / name / "metrics.json").read_text("utf-8")) for name in ("one", "two"))
    assert one["comparator_name"] == two["comparator_name"] == RIVAL
    assert one["comparator"] == two["comparator"]  # the first process trained it as one process does
