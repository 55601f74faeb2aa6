from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from molgraph.data import endable, pool
from molgraph.data.endable import TooLong, step
from molgraph.data.pool import in_processes
from molgraph.errors import ResourceError

SLEEPERS = """
import time
from molgraph.data.pool import in_processes
def sleep(chunk):
    time.sleep(chunk[0])
if __name__ == "__main__":
    for _ in in_processes(sleep, [[0.2]] * 1000, 2, str):
        print("working", flush=True)
"""
HANGS, BREAKS = -1, -2


def roots(chunk: list[float]) -> list[float]:
    found = []
    for number in chunk:
        step(f"root of {number}")
        if number == HANGS:
            sum(range(10**12))  # one native call, which gives Python no turn
        if number == BREAKS:
            os.abort()
        found.append(math.sqrt(number))
    return found


def said(error: TooLong) -> list[float]:
    return [float("inf") if error.crashed else float("nan")]


def slowly(chunk: list[float]) -> list[float]:
    """Take longer than a limit in all, and say so on the way."""
    for number in chunk:
        step("counting")
        time.sleep(number)
    return chunk


def leaves(chunk: list[int]) -> None:
    os._exit(chunk[0])


@pytest.mark.parametrize("workers", [1, 2])
def test_in_order(workers: int) -> None:
    chunks = [[16.0, 9.0], [4.0], [25.0]]
    assert list(in_processes(roots, chunks, workers, said)) == [
        [([16, 9], [4, 3])],
        [([4], [2])],
        [([25], [5])],
    ]


def test_an_error_of_the_work_comes_through_with_its_place() -> None:
    with pytest.raises(ValueError, match="math domain error") as told:
        list(in_processes(roots, [[4.0], [-4.0]], 2, said))
    assert "in roots" in told.value.__notes__[0]


def test_a_worker_that_dies() -> None:
    with pytest.raises(ResourceError, match="fewer workers"):
        list(in_processes(leaves, [[9], [9]], 2, said))


def test_rows_that_hang_or_break_a_library_down_are_told_and_the_others_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(endable.VARIABLE, "0.3")
    monkeypatch.setattr(pool, "FIRST", 1.0)
    chunks = [[16.0, HANGS, 9.0, BREAKS], [4.0], [HANGS], [25.0]]
    errors = []

    def noted(error: TooLong) -> list[float]:
        errors.append((error.step, error.crashed))
        return said(error)

    found = list(in_processes(roots, chunks, 2, noted))
    assert [chunk for each in found for chunk, _ in each] == [[16, 9], [HANGS], [BREAKS], [4], [], [HANGS], [25]]
    assert found[0][0] == ([16, 9], [4, 3]) and found[3] == [([25], [5])]
    assert errors == [("root of -1", False), ("root of -2", True), ("root of -1", False)]


def test_who_says_that_work_goes_on_may_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "FIRST", 0.0)
    monkeypatch.setenv(endable.VARIABLE, "0.4")
    chunk = [0.3] * 8  # twice as long as three limits
    assert list(in_processes(slowly, [chunk, []], 2, said)) == [[(chunk, chunk)], [([], [])]]


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
