"""`kill -9` at random moments, then resume: the final files are those of a screen that was never stopped."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import molgraph

SCRIPT = """
import sys
from molgraph.screen import screen
if __name__ == "__main__":
    library, out, fmt, resume = sys.argv[1:]
    screen(library, ["slow/pAct", "slow/sol"], out, top=100, by="desirability", fmt=fmt, resume=resume == "resume",
           workers=2, shard_rows=250, loader="fake_predictor:load")
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(molgraph.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    with (folder / "stderr.txt").open("wb") as stderr:
        return subprocess.Popen([sys.executable, str(script), *arguments], env=environment, stderr=stderr)


def digests(out: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(out.iterdir()) if p.is_file()}


def finished_shards(out: Path) -> int:
    return len(list((out / "shards").glob("*.parquet")))


def wait_for(process: subprocess.Popen[bytes], out: Path, shards: int) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and finished_shards(out) < shards and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.parametrize("fmt", ["parquet", "csv"])
def test_killed_screens_end_with_the_same_bytes(library: Path, tmp_path: Path, fmt: str) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(tmp_path, str(library), str(whole), fmt, "fresh").wait() == 0
    moments = random.Random(fmt)
    for after in (moments.randint(1, 30), moments.randint(31, 79), 80):
        process = start(tmp_path, str(library), str(killed), fmt, "resume")
        wait_for(process, killed, after)
        time.sleep(moments.random() * 0.05)
        process.kill()
        process.wait()
    assert start(tmp_path, str(library), str(killed), fmt, "resume").wait() == 0
    assert digests(killed) == digests(whole)
    assert {p.name for p in killed.iterdir()} >= {"manifest.json", "top.csv", f"scores.{fmt}"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_parent(library: Path, tmp_path: Path, how: signal.Signals) -> None:
    process = start(tmp_path, str(library), str(tmp_path / "out"), "csv", "fresh")
    wait_for(process, tmp_path / "out", 3)
    workers = children(process.pid)
    assert workers
    process.send_signal(how)
    assert process.wait(timeout=30) != 0
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if alive(pid)]
    if how == signal.SIGINT:
        assert "go on with --resume" in (tmp_path / "stderr.txt").read_text(encoding="utf-8")


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text(encoding="utf-8").split()]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
