"""Molecules that native code may not come to an end with, told by their text; and what is done with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from molgraph.data import endable

T = TypeVar("T")

# Paths are enumerated in times that grow with the number of rings (bonds more than a tree has) and with the atoms
# around them. Measured for all that is computed of atoms each bound to all: 10 rings take 0.1 s, 15 take 0.2 s (4 s
# with 40 more atoms), 21 take 0.5 s, 28 take 3 s, 36 take 12 s, 55 do not end. 500 atoms without a ring take 4 s.
# Vancomycin has 10 rings, C60 has 31. See docs/decisions/0029.
RINGS = 10
RINGS_OF_MANY_BRANCHES, BRANCHES = 5, 30
LONG = 300  # characters
_BRACKETS = re.compile(r"\[[^\]]*\]")
_CLOSURE = re.compile(r"%\(\d+\)|%\d\d|\d")
_COUNTS = re.compile(r"^(?:M  V30 COUNTS +(\d+) +(\d+)|([ \d]{3})([ \d]{3})[^\n]*V2000)", re.MULTILINE)

_given_up: set[tuple[str, str]] = set()


def hard(text: str) -> bool:
    """Tell whether a SMILES has so many rings, or is so long, that it is worked on where it can be ended."""
    if len(text) > LONG:
        return True
    few = RINGS_OF_MANY_BRANCHES if text.count("(") > BRANCHES else RINGS
    if len(text) <= 2 * few or sum(map(text.count, "0123456789")) <= 2 * few:
        return False
    smiles = _BRACKETS.sub("", text.partition(" ")[0])
    return len(_CLOSURE.findall(smiles)) > 2 * few


def hard_block(block: str) -> bool:
    """Tell the same of a mol block, by its counts of atoms and bonds."""
    found = _COUNTS.search(block)
    if found is None:
        return False
    atoms, bonds = (int(number) for number in found.groups() if number is not None and number.strip())
    return bonds - atoms >= RINGS or atoms > LONG // 3


def within(function: Callable[..., T], text: str, *others: object, instead: T) -> T:
    """Return `function(text, *others)`; of a hard text computed where it can be ended, and `instead` where it was.

    It is not tried twice.
    """
    if not hard(text):
        return function(text, *others)
    if (function.__qualname__, text) in _given_up:
        return instead
    try:
        found: T = endable.call(function, text, *others)
    except endable.TooLong:
        _given_up.add((function.__qualname__, text))
        return instead
    return found


def why(error: endable.TooLong) -> tuple[str, str]:
    """Return status and message of a row that was given up."""
    return endable.why(error, "too many rings or atoms")
