"""What can go wrong, as a caller sees it: every error names its place and its remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass


class MolgraphError(Exception):
    """Be the root of every error this package raises on purpose."""

    exit_code = 1


class ConfigError(MolgraphError):
    """Report an unknown key or name, or a value out of range."""

    exit_code = 2


class DataError(MolgraphError, ValueError):
    """Report a file that cannot be read, has no usable row or lacks a column.

    It is a ValueError, as what scikit-learn's estimators raise of such data.
    """

    exit_code = 3


class CheckpointError(MolgraphError):
    """Report a model folder that is missing, damaged or of another version."""

    exit_code = 4


class DivergedError(MolgraphError):
    """Report a loss that is not finite, with its epoch, value and learning rate."""

    exit_code = 5


class ResourceError(MolgraphError):
    """Report a full disk, a missing permission or too little memory."""

    exit_code = 6


# What a terminal obeys instead of showing it, and what turns the reading direction of the text around it.
# See: ECMA-48 (control functions), Unicode Standard Annex 9 (bidirectional controls)
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return a text as a terminal may see it: control characters of somebody's file are written out, not obeyed.

    >>> print(printable("a\x1b[2Jb"))
    a\\x1b[2Jb
    """
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


INTERRUPTED = 130  # 128 + SIGINT, as shells count it


@dataclass(frozen=True)
class Reject:
    """Say why one row was left out: a bad row is data, not an exception.

    `row` counts the records of the file from 1 (the header is not a record); `text` is what stood
    there; `reason` is a status word (`invalid_smiles`, `empty`, ...); `message` says it in a sentence.
    """

    row: int
    text: str
    reason: str
    message: str


def many(count: int, one: str, several: str = "") -> str:
    """Return a number of things as a person says it.

    >>> many(1, "row"), many(2000, "row"), many(0, "box", "boxes")
    ('1 row', '2,000 rows', '0 boxes')
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'? Known: ..." for an unknown name."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return f"{hint} Known: {', '.join(names)}."
