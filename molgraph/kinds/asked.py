"""What is known of a target before it is read, and what was read of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.numbers import NOWHERE, Elsewhere
from molgraph.data.stream import Unread
from molgraph.errors import DataError, Reject, did_you_mean

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Read = Callable[[str], tuple[float, int]]  # a cell to (value, bound); ValueError says why not


@dataclass(frozen=True)
class Settings:
    """Hold what a run says of its answers (see `make`): the labels of classes by target, weights, logarithms."""

    labels: Mapping[str, tuple[str, ...]]
    balance: bool = False
    focal: float = 0.0
    variance: bool = False
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Hold what is known of a column before it is read: its unit, its classes, which of two is the positive one, what
    parts the columns of the text, what those tell of commas, and the columns that belong to it by what they say
    (`time`, `start`)."""

    unit: str | None = None
    labels: Sequence[str] | None = None
    positive: str = ""
    delimiter: str = ""
    commas: Elsewhere = NOWHERE
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Parsed:
    """Hold what was read for one target.

    Shapes: `values`, `bound` [N, columns that the kind reads], NaN where nothing was measured. `labels` are those of
    its classes, None where it has none; `rejects` says of row positions why a cell could not be read.
    """

    values: Array
    bound: NDArray[np.int8]
    labels: tuple[str, ...] | None
    rejects: dict[int, Reject]
    notes: list[str]


def cells_of(frame: pd.DataFrame, name: str) -> list[str]:
    """Return the cells of a column as text.

    Raises: DataError where there is no such column, or a cell could not be read from its file.
    """
    if name not in frame:
        raise DataError(f"no target column '{name}'{did_you_mean(name, map(str, frame.columns))}")
    for cell in frame[name]:
        if isinstance(cell, Unread):
            raise DataError(f"{name}: {cell.why}.")
    return [str(cell).strip() for cell in frame[name]]
