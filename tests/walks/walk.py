"""The command line as a person uses it, without the seconds that a process of its own takes to start."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from molgraph.cli import main

# A model small enough to train in a second, beside nothing.
TINY = tuple(
    word
    for setting in ("train.epochs=2", "encoder.hidden=16", "encoder.depth=2", "head.hidden=16", "comparator=none")
    for word in ("--set", setting)
)
LIMIT = 120  # seconds until a process that does not do what it should is given up


@dataclass(frozen=True)
class Outcome:
    """Hold what a command left in the terminal."""

    code: int
    out: str
    err: str

    @property
    def shown(self) -> str:
        return self.out + self.err


def molgraph(*words: object) -> Outcome:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:  # argparse ends so
            code = int(stop.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


def done(*words: object) -> Outcome:
    """Run a command that must succeed."""
    outcome = molgraph(*words)
    assert outcome.code == 0, outcome.shown
    assert "Traceback" not in outcome.shown
    return outcome


def refused(outcome: Outcome, code: int, *words: str) -> None:
    """Check that a command ended as an error should: its exit code, a plain sentence that holds the words."""
    assert outcome.code == code, outcome.shown
    assert "Traceback" not in outcome.shown
    assert "internal error" not in outcome.shown
    last = outcome.err.strip().splitlines()[-1]
    assert last.startswith("molgraph"), outcome.shown
    for word in words:
        assert word in last


def no_leftovers(folder: Path) -> None:
    """Check that no temporary file is left anywhere below."""
    assert [p for p in folder.rglob("*") if p.name.endswith(".part") or p.name.startswith(".")] == []


def start(*words: object) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "molgraph", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )


def wait_until(process: subprocess.Popen[str], true: Callable[[], bool]) -> None:
    """Wait until something is so; fail where the process ends before."""
    began = time.monotonic()
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < LIMIT
        time.sleep(0.01)
