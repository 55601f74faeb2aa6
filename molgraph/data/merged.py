"""Merged areas of a sheet, row by row: only their first cell holds anything."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple

from molgraph.errors import DataError


class Area(NamedTuple):
    """Hold the first and the last row and column of a merged area, counted from 1.

    >>> str(Area(2, 1, 3, 28))
    'A2:AB3'
    """

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        from openpyxl.utils import get_column_letter

        return f"{get_column_letter(self.left)}{self.top}:{get_column_letter(self.right)}{self.bottom}"


class Covered:
    """Tell of each row, asked for in rising order, which areas lie over it, from left to right.

    No two may overlap, which Excel does not allow either: so a row has no more of them than columns.
    """

    def __init__(self, areas: Sequence[Area], where: str) -> None:
        self._waiting, self._where = sorted(areas, reverse=True), where
        self._open: list[tuple[int, Area]] = []  # by their first column

    def at(self, row: int) -> list[Area]:
        """Return the areas over a row.

        Raises: DataError where two overlap.
        """
        self._open = [each for each in self._open if each[1].bottom >= row]
        while self._waiting and self._waiting[-1].top <= row:
            area = self._waiting.pop()
            if area.bottom >= row:
                self._refuse_overlap(area)
                insort(self._open, (area.left, area))
        return [area for _, area in self._open]

    def _refuse_overlap(self, area: Area) -> None:
        at = bisect_left(self._open, (area.left, area))
        for other in (each for _, each in self._open[max(at - 1, 0) : at + 1]):
            if area.left <= other.right and other.left <= area.right:
                raise DataError(
                    f"{self._where} has merged areas that overlap, {other} and {area}; unmerge them, or open the "
                    "workbook in Excel, which repairs them, and save it"
                )
