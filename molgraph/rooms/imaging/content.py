"""The bytes of a file, unpacked, and quiet while foreign libraries read them."""

from __future__ import annotations

import gzip
import io
import logging
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from molgraph.data.regular import refused
from molgraph.rooms.imaging.scan import LIMIT, ScanError

UNPACKED = 2 * LIMIT  # bytes of a file: as many voxels of 16 bits as a scan may have
GZIP = b"\x1f\x8b"  # RFC 1952 section 2.3.1
_one_at_a_time = threading.RLock()  # the list of warning filters belongs to the process, not to a thread


def content(file: Path, where: str) -> bytes:
    """Return what a file holds, decompressed.

    Raises: ScanError where it is no regular file, empty, cut short, or holds or unpacks to more than any scan has.
    """
    try:
        why = refused(file, UNPACKED)
        if why is not None:
            raise ScanError(why[0], f"{why[1]}.")
        data = file.read_bytes()
        if data[:2] == GZIP:
            with gzip.open(io.BytesIO(data)) as stream:
                data = stream.read(UNPACKED + 1)
    except PermissionError as error:
        raise ScanError("no_permission", f"{where}: no permission to read; ask its owner or copy it.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ScanError("truncated", f"{where}: the packed file is damaged or cut short; fetch it again.") from error
    except OSError as error:
        raise ScanError("unreadable", f"{where}: cannot be read ({error.strerror or error}).") from error
    if not data:
        raise ScanError("empty", f"{where}: the file is empty; fetch or export it again.")
    if len(data) > UNPACKED:
        raise ScanError("too_large", f"{where}: unpacks to over {UNPACKED:,} bytes; no scan is so large.")
    return data


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what pydicom, nibabel and Pillow grumble about a file from the user's terminal."""
    talkers = [logging.getLogger(name) for name in ("pydicom", "nibabel.global", "PIL")]
    with _one_at_a_time, warnings.catch_warnings():
        before = [talker.disabled for talker in talkers]
        warnings.simplefilter("ignore")
        for talker in talkers:
            talker.disabled = True
        try:
            yield
        finally:
            for talker, was in zip(talkers, before, strict=True):
                talker.disabled = was
