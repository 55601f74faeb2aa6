"""What a kind of answer has words for: its cells, its classes, its numbers and its simplest guess."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from molgraph.kinds.asked import Asked


class Worded:
    """Say in words what a kind reads and answers."""

    @classmethod
    def notes(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> list[str]:
        """Say what was made of cells that may mean something else."""
        return []

    @classmethod
    def taken(cls, labels: Sequence[str]) -> str:
        """Say what labels are taken for, behind the word of a kind that was told by its cells; "" where notes do."""
        return ""

    @property
    def words(self) -> tuple[str, ...]:
        """Return how the data calls the classes of one target, those of two as the negative and the positive one; none
        of numbers, and of two classes that are 0 and 1."""
        return ()

    def text(self, value: float, bound: int) -> str:
        """Return what was measured in words: a bound with its sign, a class by its name."""
        raise NotImplementedError

    @property
    def quantity(self) -> str:
        """Say what the numbers of an estimate are, where their unit does not say it; "" where nobody does."""
        return ""

    def guess_in_words(self, guess: Any, rows: str = "training rows") -> str:
        """Say what is always said, and of which rows it was learnt."""
        raise NotImplementedError
