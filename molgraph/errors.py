"""What can go wrong, as a caller sees it: every error names its place and its remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class MolgraphError(Exception):
    """Be the root of every error this package raises on purpose."""

    exit_code = 1


class ConfigError(MolgraphError):
    """Report an unknown key or name, or a value out of range."""

    exit_code = 2


class DataError(MolgraphError):
    """Report a file that cannot be read, has no usable row or lacks a column."""

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


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'? Known: ..." for an unknown name."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return f"{hint} Known: {', '.join(names)}."
