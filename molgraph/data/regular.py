"""Whether a path that a cell names may be opened: nothing is read before it is known to be a file of bearable size."""

from __future__ import annotations

import stat
from pathlib import Path

MOST = 1 << 32  # bytes: what a cell names is one thing, and none that is read here is so large
SHOWN = 200  # characters of a path in a message
_KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
}


def refused(path: str | Path, most: int = MOST) -> tuple[str, str] | None:
    """Return why a path must not be opened, as a status word and a sentence; None where it is a file that may be.

    That is one with content, of at most `most` bytes.
    A device or a pipe may never end, and a file beyond the limit is no single scan, structure or set of poses.
    """
    shown = shortened(path)
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return "no_such_file", f"{shown}: no such file; check the path"
    except PermissionError:
        return "no_permission", f"{shown}: no permission to read; ask its owner or copy it"
    except (OSError, ValueError) as error:  # a name too long, a zero byte, links in a circle
        return "no_such_file", f"{shown}: is no path of a file ({getattr(error, 'strerror', None) or error})"
    if not stat.S_ISREG(found.st_mode):
        what = next((word for check, word in _KINDS.items() if check(found.st_mode)), "no regular file")
        return "not_a_file", f"{shown}: is {what}; name a file"
    if not found.st_size:  # also what the kernel shows as a file, which may wait for ever
        return "empty", f"{shown}: the file is empty; fetch or export it again"
    if found.st_size > most:
        return "too_large", f"{shown}: has {found.st_size:,} bytes, the limit is {most:,}; is it the right file?"
    return None


def shortened(path: str | Path) -> str:
    """Return a path as messages show it, the middle of a long one left out."""
    text = str(path)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}…{text[-SHOWN // 2 :]}"


def is_there(path: Path) -> bool:
    """Tell whether there is anything under a path, whatever stands in the cell that it comes from."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
