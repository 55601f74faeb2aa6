"""A study in a real PostgreSQL, which the test starts: joined, and with a heartbeat that finds the dead."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from molgraph.tune.goals import goals
from molgraph.tune.rows import Visible
from molgraph.tune.study import open_study
from molgraph.tune.work import ROWS, Job, work

MISSING = [name for name in ("initdb", "pg_ctl") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"no PostgreSQL server here: {', '.join(MISSING)} not found"),
    pytest.mark.skipif(find_spec("pg8000") is None, reason="no PostgreSQL driver here: pip install pg8000"),
    pytest.mark.skipif(os.name == "nt", reason="signals and users as POSIX has them"),
]
HEARTBEAT = 1  # seconds; a worker counts as dead after two of them


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Start a server of our own and return where its database is."""
    folder = Path(tempfile.mkdtemp(prefix="molgraph-postgres-"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        who = {"user": "postgres", "env": {**os.environ, "HOME": str(folder)}}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(*words: str) -> None:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "tester", "--auth=trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+pg8000://tester@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def nothing(study: Any) -> None:
    """Watch nothing."""


def _hangs(job: Job, ready: Any) -> None:
    def watch(study: Any) -> None:
        ready.set()
        time.sleep(60)

    work(job, {True: Visible.load(job.place.folder / ROWS[True])}, watch)


def test_workers_share_a_study_and_the_heartbeat_finds_the_dead(
    url: str, job: Callable[..., Job], rows: Visible
) -> None:
    here = job(3, url=url, heartbeat=HEARTBEAT)
    rows.save(here.place.folder / ROWS[True])
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hangs, args=(here, ready))
    process.start()
    assert ready.wait(60) and process.pid
    study = open_study(here.place, goals((), rows.kinds), here.made_from)
    assert [t.state.name for t in study.trials] == ["RUNNING"]
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    time.sleep(3.5 * HEARTBEAT)
    work(here, {True: rows}, nothing)
    states = [t.state.name for t in study.trials]
    assert states[0] == "FAIL" and set(states[1:]) <= {"COMPLETE", "PRUNED"} and len(states) == 4
    assert study.trials[1].params == study.trials[0].params
    assert not (here.place.folder / "study.journal").exists()
    work(here, {True: rows}, nothing)  # and once more: nothing is left to do
    assert len(study.trials) == 4
