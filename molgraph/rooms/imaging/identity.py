"""When two rows show the same pictures, and what two of them have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from molgraph.rooms.imaging.scan import ScanError
from molgraph.rooms.imaging.source import BAG, SEQUENCES, digest_of, digests, files_of


def identity(keys: Sequence[str]) -> list[str]:
    """Return a digest of each key's pixels: equal for equal pictures, whatever their files are called.

    The order of several scans does not count, that of the sequences of one does. A text without a digest is read;
    where that is not possible it stands for itself.
    """
    return [_of_all(_told(key)) or key for key in keys]


def pictures(keys: Sequence[str]) -> list[set[str]]:
    """Return the digests of all files of each key: each of its scans, each of their sequences."""
    return [set(_told(key).replace(SEQUENCES, BAG).split(BAG)) - {""} or {key} for key in keys]


def _told(key: str) -> str:
    """Return the digests of a key's files, "" where they cannot be read."""
    try:
        return digest_of(key) or digests(files_of(key))
    except ScanError:
        return ""


def _of_all(told: str) -> str:
    """Return one digest of several.

    >>> _of_all("b;a") == _of_all("a;b") != _of_all("a|b"), _of_all("a")
    (True, 'a')
    """
    if BAG not in told and SEQUENCES not in told:
        return told
    return hashlib.sha256(BAG.join(sorted(told.split(BAG))).encode()).hexdigest()[:32]
