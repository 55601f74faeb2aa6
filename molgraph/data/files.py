"""Files that are there whole or not at all: written under a temporary name and renamed at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from molgraph.errors import ResourceError

_REMEDY = {
    errno.ENOSPC: "no space is left on the disk; free some or write elsewhere",
    errno.EDQUOT: "your disk quota is used up; free some space or write elsewhere",
    errno.EACCES: "no permission to write there, or another program has the file open",
    errno.EPERM: "no permission to write there",
    errno.EROFS: "the disk is read-only; write elsewhere",
    errno.ENOENT: "the folder does not exist; create it first",
    errno.EEXIST: "a file of that name is in the way; name another folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "this is a folder; name a file",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EFBIG: "the file grows larger than this disk allows",
    errno.EMFILE: "too many files are open",
}
PARTS = ".molgraph-*.part"  # what a killed process may leave behind


@contextmanager
def os_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the system says against writing `path` into a ResourceError with the remedy."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDY.get(error.errno or 0, error.strerror or str(error))
        raise ResourceError(f"{path}: cannot be written: {remedy}") from error


@contextmanager
def atomic(path: str | os.PathLike[str], mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file ("wb", or "w" for UTF-8 text) that takes its name only when the block ends without an error.

    A link is followed, and what is no ordinary file (`/dev/stdout`, a named pipe) is written as it stands.

    Raises: ResourceError where the disk is full, read-only or closed to the user; nothing half-written is left.
    """
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    with os_errors(path):
        goal = Path(path).resolve()
        if goal.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        if goal.exists() and not goal.is_file():
            with goal.open(mode, **text) as handle:
                yield handle
            return
        if goal.exists() and not os.access(goal, os.W_OK):
            raise PermissionError(errno.EACCES, "is write-protected")
        part = goal.with_name(PARTS.replace("*", uuid4().hex))  # process ids repeat on a disk that machines share
        try:
            with part.open(mode, **text) as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            part.replace(goal)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
