"""How the cells of an event are read: what happened, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from molgraph.data.labels import MISSING, NOTHING, same_label
from molgraph.data.targets import EXACT
from molgraph.errors import DataError, did_you_mean
from molgraph.kinds.asked import Array


def causes_in(name: str, cells: Sequence[str]) -> tuple[str, ...]:
    """Return what may happen, in the order of its labels: all that does not say that nothing did."""
    shown: dict[str, str] = {}
    for cell in cells:
        if cell.lower() not in MISSING:
            shown.setdefault(same_label(cell), cell)
    found = sorted(shown.keys() - NOTHING, key=lambda label: (as_number(label) is None, as_number(label) or 0.0, label))
    if not found:
        raise DataError(f"{name}: no row says that the event happened; 0, no, alive, censored say that it did not.")
    if len(found) > 10:
        raise DataError(f"{name}: {len(found)} different events; this column hardly says what happened. Name another.")
    return tuple(shown[label] for label in found)


def as_number(label: str) -> float | None:
    """Return the number that a label is, None where it is none."""
    try:
        return float(label)
    except ValueError:
        return None


def cause_of(cell: str, place: Mapping[str, int], causes: Sequence[str]) -> int:
    """Return which event a cell says, from 1 on; 0 where none had happened."""
    label = same_label(cell)
    if label in place:
        return place[label]
    if label in NOTHING:
        return 0
    raise ValueError(f"is none of the events in training{did_you_mean(cell, causes)}")


def time_in(read: Any, column: str, cell: str) -> float:
    """Return a time above 0 out of a cell.

    Raises: ValueError where it holds none.
    """
    try:
        found = read(cell)
    except ValueError as error:
        raise ValueError(f"has the {column} '{cell}', which {error}") from error
    if found.bound != EXACT or not found.value > 0:
        raise ValueError(f"has the {column} '{cell}': a time above 0 is needed")
    return float(found.value)


def told(name: str, time: str, values: Array, causes: Sequence[str]) -> str:
    """Say how often what happened."""
    known = ~np.isnan(values[:, 0])
    counts = [f"{int((values[known, 1] == at).sum())} {cause}" for at, cause in enumerate(causes, start=1)]
    none = int((values[known, 1] == 0).sum())
    return f"{name}: events by {time}: {', '.join(counts)}; {none} rows were watched until {time} and had none."
