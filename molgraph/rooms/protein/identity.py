"""When two proteins are the same thing."""

from __future__ import annotations

from collections.abc import Sequence


def identity(keys: Sequence[str]) -> list[str]:
    """Return the sequence of each protein: a key is the sequence already, however it was written.

    >>> identity(["MKT", "MKT"])
    ['MKT', 'MKT']
    """
    return list(keys)
