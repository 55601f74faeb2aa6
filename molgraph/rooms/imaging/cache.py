"""How much of the disk decoded scans may take: the least recently used leave first."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

from molgraph.data.files import PARTS
from molgraph.errors import ConfigError

KEPT = "*.npz"
LIMIT, DEFAULT = "MOLGRAPH_CACHE_GB", 20.0
SHARE = 0.02  # of the limit: after so many new bytes the folder is looked through again, as that takes a while


def limit() -> float:
    """Return how many bytes decoded scans may take: MOLGRAPH_CACHE_GB.

    Raises: ConfigError where that is no number from 0 on.
    """
    given = os.environ.get(LIMIT) or str(DEFAULT)
    with suppress(ValueError):
        if float(given) >= 0:
            return float(given) * 1e9
    raise ConfigError(f"{LIMIT} = {given!r}: a number of gigabytes, 0 or more.")


class Cache:
    """Keep a folder within its limit, beside other processes that do the same."""

    def __init__(self) -> None:
        self.unseen = math.inf  # bytes added since the folder was looked through: at first nobody knows

    def used(self, file: Path) -> None:
        """Note that a file was used now, in its time of change: not every disk keeps that of reading."""
        with suppress(OSError):
            os.utime(file)

    def added(self, file: Path) -> None:
        """Note a new file, and make room where there are too many; somebody who reads one that goes makes it again."""
        most = limit()
        with suppress(OSError):  # another process made room with it
            self.unseen += file.stat().st_size
        if self.unseen > SHARE * most:
            trim(file.parent, most)
            self.unseen = 0


def trim(folder: Path, most: float) -> None:
    """Remove the least recently used files, and what killed processes left, until at most so many bytes are there."""
    found = []
    for file in (*folder.glob(KEPT), *folder.glob(PARTS)):
        with suppress(OSError):  # another process was first
            stamp = file.stat()
            found.append((stamp.st_mtime_ns, stamp.st_size, file))
    total = sum(size for _, size, _ in found)
    for _, size, file in sorted(found):
        if total <= most:
            return
        with suppress(OSError):
            file.unlink()
            total -= size


CACHE = Cache()
