from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from molgraph.data.pool import in_processes
from molgraph.errors import ResourceError

SLEEPERS = """
import time
from molgraph.data.pool import in_processes
if __name__ == "__main__":
    for _ in in_processes(time.sleep, [0.2] * 1000, 2):
        print("working", flush=True)
"""


def test_in_order() -> None:
    assert list(in_processes(math.sqrt, [16, 9, 4], 2)) == [4, 3, 2]


def test_an_error_of_the_work_comes_through() -> None:
    with pytest.raises(ValueError, match="math domain error"):
        list(in_processes(math.sqrt, [4, -1], 2))


def test_a_worker_that_dies() -> None:
    with pytest.raises(ResourceError, match="fewer workers"):
        list(in_processes(os._exit, [1, 1], 2))


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to a process group is POSIX")
@pytest.mark.parametrize("when", ["starting", "working"])
def test_interrupt_ends_the_workers_quietly(tmp_path: Path, when: str) -> None:
    script = tmp_path / "work.py"
    script.write_text(SLEEPERS, encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, "-u", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.stdout is not None
    if when == "working":
        run.stdout.readline()
    else:
        time.sleep(1)
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=60)  # returns when the last process that holds the pipes, a worker too, is gone
    assert run.returncode != 0
    assert errors.count("Traceback") == 1
    assert "KeyboardInterrupt" in errors
