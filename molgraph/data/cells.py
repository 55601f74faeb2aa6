"""Cells of a table: those of one input of all rows, and how they are written, with the digits that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from molgraph.errors import DataError

if TYPE_CHECKING:  # it needs torch, and a screen starts its workers without
    from molgraph.data.records import Seen

DIGITS = ".7g"  # what a float32 holds: 24 bits of mantissa are 7.2 decimal digits (IEEE 754)
EXACT_DIGITS = ".15g"  # what a float64 holds: 53 bits, 15.95 digits; its columns hold what float32 cannot


@dataclass(frozen=True)
class Cells:
    """Hold what one input has of n rows: columns of text, each [n], and records over time where there are some. Most
    rooms read a single column; of no rows there need be none."""

    columns: Mapping[str, Sequence[str]]
    seen: Seen | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), self.seen or ()))

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Return the cells of a single column."""
        return cls({"": texts})

    @property
    def texts(self) -> Sequence[str]:
        """Return the cells of the only column."""
        (texts,) = self.columns.values() or ((),)
        return texts

    def column(self, name: str) -> Sequence[str]:
        """Return the cells of a column; none where there are no rows."""
        return self.columns[name] if self.columns else ()


def column_texts(values: pd.Series) -> list[str]:
    """Return a column as text: float64 with 15 digits, other floats with 7, NaN as "", bools as true and false."""
    if pd.api.types.is_float_dtype(values):
        numbers = values.to_numpy(np.float64, na_value=np.nan) + 0.0  # -0.0 becomes 0.0
        digits = EXACT_DIGITS if values.dtype == np.float64 else DIGITS
        return ["" if v != v else format(v, digits) for v in numbers.tolist()]
    return [cell_text(v) for v in values.tolist()]


def cell_text(value: Any) -> str:
    """Return a cell as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if value is None or pd.isna(value) is True:
        return ""
    return format(value + 0.0, DIGITS) if isinstance(value, float | np.floating) else str(value)


def same_columns(columns: Sequence[str], frame: pd.DataFrame) -> None:
    """Check that a block has the columns of those before it.

    Raises: DataError where it has others.
    """
    if list(frame.columns) != list(columns):
        raise DataError(f"a block has the columns {list(frame.columns)}, the blocks before it {list(columns)}")
