"""Training in several processes: the same command once per process, as torchrun would start it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence


def relaunch(processes: int, argv: Sequence[str]) -> int | None:
    """Run `molgraph ARGV` in several processes and return the first exit code that is not 0, else 0.

    Returns None inside such a process (torchrun's environment is there): the caller then does the work itself.
    """
    if "RANK" in os.environ:
        return None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    group = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "molgraph", *argv],
            env={**os.environ, **group, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(processes)
    ]
    try:
        return _wait(running)
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
            process.wait()


def _wait(running: Sequence[subprocess.Popen[bytes]]) -> int:
    while True:
        codes = [process.poll() for process in running]
        failed = [code for code in codes if code]
        if failed or None not in codes:
            return failed[0] if failed else 0
        time.sleep(0.05)
