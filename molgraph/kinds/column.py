"""The columns of a prediction, described: looked up by what they hold, never parsed from their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

What = Literal["value", "deviation", "low", "high", "set", "probability"]


@dataclass(frozen=True)
class Column:
    """Say what a column holds: `level` is that of an interval or a set (0.9), `of` the class of a probability."""

    name: str
    what: What
    level: float = 0.0
    of: str = ""


def named(columns: Iterable[Column], what: What, of: str = "") -> str:
    """Return the first column that holds this, "" where none does."""
    return next((column.name for column in columns if column.what == what and (not of or column.of == of)), "")


def sets(columns: Iterable[Column]) -> list[Column]:
    """Return the columns of sets, those of the highest level first."""
    return sorted((c for c in columns if c.what == "set"), key=lambda c: c.level, reverse=True)


def set_text(column: Column, word: object) -> str:
    """Return how a set is called where a person reads it, "" for a blank one.

    >>> set_text(Column("hERG_p_set90", "set", 0.9), "undecided"), set_text(Column("g", "set", 0.8), "mild|severe")
    ('90 % set: undecided', '80 % set: mild or severe')
    """
    return f"{100 * column.level:.0f} % set: {word.replace('|', ' or ')}" if isinstance(word, str) and word else ""
