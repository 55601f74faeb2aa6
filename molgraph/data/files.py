"""Files that are there whole or not at all: written under a temporary name and renamed at the end."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, Any
from uuid import uuid4

from filelock import FileLock, Timeout

from molgraph.errors import ConfigError, ResourceError

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
LOCK = ".molgraph.lock"
FRESH = 2.0  # seconds in which a file that was opened is locked for certain
PARTS = ".molgraph-*.part"  # what a killed process may leave behind
SCRATCH = "molgraph-scratch-"


@contextmanager
def os_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the system says against writing `path` into a ResourceError with the remedy."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDY.get(error.errno or 0, error.strerror or str(error))
        raise ResourceError(f"{path}: cannot be written: {remedy}") from error


@contextmanager
def alone(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Be the only command that writes a folder, which is made where it is missing and goes again if it stays empty.

    Raises: ConfigError where another command holds it; ResourceError where it cannot be made.
    """
    path = Path(folder)
    with os_errors(path):
        made = not path.exists()
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ConfigError(
                f"{path}: another command is writing there. Wait for its end, or name another --out."
            ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            (path / LOCK).unlink()  # while it is held, so that nobody else's is taken away
        lock.release()
        if made:
            with suppress(OSError):
                path.rmdir()


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
        _sweep_once(goal.parent)
        part = goal.with_name(PARTS.replace("*", uuid4().hex))  # process ids repeat on a disk that machines share
        try:
            with part.open(mode, **text) as handle:
                _hold(handle)
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            part.replace(goal)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def is_empty(folder: Path) -> bool:
    """Tell whether nothing stands in a folder but what a killed command left unfinished, or holds it with."""
    return all(path.name == LOCK or path.match(PARTS) for path in folder.iterdir())


def sweep(folder: Path) -> None:
    """Delete what killed processes left half-written in a folder; what a living one writes stays."""
    with suppress(OSError):
        for part in folder.glob(PARTS):
            with suppress(OSError):
                if time.time() - part.stat().st_mtime > FRESH and not _is_held(part):
                    part.unlink()


_swept: set[Path] = set()


def _sweep_once(folder: Path) -> None:
    """Sweep a folder when this process first writes there."""
    if folder not in _swept:
        _swept.add(folder)
        sweep(folder)


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder in the system's temporary one that goes at the end, and remove those that killed processes left.

    Raises: ResourceError where the temporary folder is full or closed to the user.
    """
    with ExitStack() as stack:
        with os_errors(gettempdir()):
            made = TemporaryDirectory(prefix=SCRATCH, ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made))
            _hold(stack.enter_context((folder / LOCK).open("wb")))
            inside = folder / "inside"
            inside.mkdir()
        for left in folder.parent.glob(f"{SCRATCH}*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > FRESH and not _is_held(left / LOCK):
                    shutil.rmtree(left, ignore_errors=True)
        yield inside


def _hold(handle: IO[Any]) -> None:
    """Lock a file that is being written, where the system knows locks: the lock ends with the process."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_held(part: Path) -> bool:
    """Tell whether a process writes a file, or may: Windows itself keeps an open file from being deleted."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        with part.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
