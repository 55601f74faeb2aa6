"""What becomes of one text: its key, what each view sees of its scans, a thumbnail; or why it has none."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from molgraph.data.endable import step
from molgraph.data.files import atomic, os_errors
from molgraph.rooms.imaging.cache import CACHE
from molgraph.rooms.imaging.content import UNPACKED
from molgraph.rooms.imaging.scan import ScanError, address, files_below
from molgraph.rooms.imaging.similarity import thumbnail
from molgraph.rooms.imaging.source import SET, digest_of, digests, files_of, joined, key_of, names_of
from molgraph.rooms.imaging.store import scans_folder
from molgraph.rooms.imaging.view import Bytes, View

FORMAT = 5  # of what is kept on disk; a change of what is made of a scan, or refused, is another number
KEPT = 1 << 20  # bytes of files from which on decoding takes longer than hashing them


class Refusal(NamedTuple):
    """Say why a text has no picture."""

    reason: str
    message: str


@dataclass(frozen=True)
class Made:
    """Hold a part: `values` has for each view what it sees, uint8 [n, C, *shape]; `thumbnail` is int8 [256]; `said` is
    what its user should know of how it was read, "" for nothing."""

    key: str
    values: dict[str, Bytes]
    thumbnail: NDArray[np.int8]
    said: str = ""


def made_of(texts: Sequence[str], views: Sequence[View]) -> list[Made | Refusal]:
    """Read the scans of each text, from the disk cache where they were read before."""
    found = []
    for text in texts:
        step("reading")
        found.append(_made(text, views))
    return found


def _made(text: str, views: Sequence[View]) -> Made | Refusal:
    try:
        kept = _place(text, views)
        if kept is not None and kept.exists():
            with suppress(OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):  # damaged: made again
                return _read(kept, text, views)
        found = _seen(text, views)
    except ScanError as error:
        return Refusal(error.reason, error.message)
    if kept is not None:
        _write(kept, found)
    return found


def _seen(text: str, views: Sequence[View]) -> Made:
    files = files_of(text)
    scans = joined(files, text)
    where = text if len(text) <= 200 else f"{text[:200]}…"
    values = {view.name: np.concatenate([view.of(scan, where) for scan in scans]) for view in views}
    said = "; ".join(dict.fromkeys(scan.said for scans in files for scan in scans if scan.said))
    return Made(key_of(text, digests(files)), values, thumbnail(scans, where), said)


def _place(text: str, views: Sequence[View]) -> Path | None:
    """Return where what is made of a text is kept, by the content of its files; None where that does not pay."""
    files = [[_read_for(name) for name in scan] for scan in names_of(text)]
    flat = [path for scan in files for each in scan for path in each]
    large = next((path for path in flat if SET not in text and path.stat().st_size > UNPACKED), None)
    if large is not None:
        raise ScanError("too_large", f"{large}: has over {UNPACKED:,} bytes; no scan is so large.")
    if SET in text or sum(path.stat().st_size for path in flat) < KEPT:
        return None
    shape = [[len(each) for each in scan] for scan in files]
    digest = hashlib.sha256(repr((FORMAT, [view.name for view in views], shape)).encode())
    for path in flat:
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return scans_folder() / f"{digest.hexdigest()}.npz"


def _read_for(name: str) -> list[Path]:
    """Return all files that are read for one name."""
    from molgraph.rooms.imaging.nifti import beside_header  # nibabel: slow to import

    file, _ = address(name)
    if file.is_dir():
        return files_below(file)
    beside = beside_header(file)
    return [file] if beside is None else [file, beside]


def _write(kept: Path, made: Made) -> None:
    with os_errors(kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
    with atomic(kept) as file:
        np.savez(
            file,
            allow_pickle=False,
            key=np.array(made.key),
            thumbnail=made.thumbnail,
            said=np.array(made.said),
            **made.values,
        )
    CACHE.added(kept)


def _read(kept: Path, text: str, views: Sequence[View]) -> Made:
    with kept.open("rb") as file, np.load(file, allow_pickle=False) as found:
        values = {view.name: found[view.name] for view in views}
        made = Made(key_of(text, digest_of(str(found["key"]))), values, found["thumbnail"], str(found["said"]))
    CACHE.used(kept)
    return made
