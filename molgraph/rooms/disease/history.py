"""What the records of a patient say together: of each field its last value, mean, slope, count and age."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from molgraph.data.fields import CATEGORY, Field

ROWS = 2_000_000  # records that are summed up at once: 16 MB a column

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def width(fields: Sequence[Field]) -> int:
    """Return how many numbers stand for fields over time, all together."""
    return sum(_width(field) for field in fields)


def names(field: Field) -> list[str]:
    """Name the numbers that stand for a field over time, in their order."""
    what = ("last", "mean") if field.kind == CATEGORY else ("last", "mean", "slope")
    each = [f"'{column}' ({word})" for word in what for column in field.columns]
    return [*each, f"'{field.name}' (times known)", f"'{field.name}' (since last known)"]


def _width(field: Field) -> int:
    return (2 if field.kind == CATEGORY else 3) * field.width + 2


def summarised(
    fields: Sequence[Field], values: Sequence[Floats], time: Floats, spans: Rows, until: Floats
) -> tuple[Floats, list[Floats]]:
    """Sum up the records that each part sees; what no record says is NaN, and a count of 0.

    Of each field: the last value, the mean, the slope by least squares over the times at which it is known (of a
    category none, and the mean is its share), how many times it is known, and how long ago it last was. Records are put
    in the order of their time; of one time, what was known last is the last.

    Shapes: `values` of each field [M, its width], `time` [M], `spans` int64 [P, 2], `until` [P]; returns [P, width] and
    the last values of each field [P, its width].
    """
    blocks = [np.zeros((0, width(fields)))]
    last: list[list[Floats]] = [[np.zeros((0, field.width))] for field in fields]
    for some in _in_blocks(spans):
        owner, rows = _expanded(spans[some])
        order = np.lexsort((np.arange(len(rows)), time[rows], owner))  # stable: what was known last stays last
        owner, rows = owner[order], rows[order]
        made = []
        for field, mine, kept in zip(fields, values, last, strict=True):
            known = ~np.isnan(mine[rows, 0])
            each = _of_field(field, mine[rows[known]], time[rows[known]], owner[known], until[some])
            made.append(each)
            kept.append(each[:, : field.width])
        blocks.append(np.concatenate([np.zeros((len(until[some]), 0)), *made], axis=1))
    return np.concatenate(blocks), [np.concatenate(each) for each in last]


def _of_field(field: Field, values: Floats, time: Floats, owner: Rows, until: Floats) -> Floats:
    """Return last value, mean, slope, count and age of what is known of one field, [P, ...].

    Shapes: `values` [K, width], `time`, `owner` [K] in the order of owner and time; `until` [P].
    """
    parts = len(until)
    count = np.bincount(owner, minlength=parts).astype(np.float64)
    at = np.cumsum(count).astype(np.int64) - 1  # the last of each part, where it has one
    there = count > 0

    def mean(each: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.bincount(owner, each, minlength=parts) / count  # NaN of none

    last = np.full((parts, field.width), np.nan)
    last[there] = values[at[there]]
    age = np.full(parts, np.nan)
    age[there] = until[there] - time[at[there]]
    means = np.stack([mean(column) for column in values.T], axis=1)
    off = time - mean(time)[owner]
    spread = mean(off * off)
    slopes = []
    for column, centre in zip(values.T, means.T, strict=True):
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = mean(off * (column - centre[owner])) / spread
        slopes.append(np.where(spread > 0, slope, np.nan))
    blocks = [last, means, *([] if field.kind == CATEGORY else [np.stack(slopes, axis=1)]), count[:, None]]
    return np.concatenate([*blocks, age[:, None]], axis=1)


def _in_blocks(spans: Rows) -> list[slice]:
    """Cut parts so that each block has no more records than can be summed up at once, but one part at least."""
    block = np.cumsum(spans[:, 1] - spans[:, 0]) // ROWS
    starts = np.flatnonzero(np.diff(block, prepend=-1)).tolist()
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(spans)], strict=True)]


def _expanded(spans: Rows) -> tuple[Rows, Rows]:
    """Return for each record that a part sees which part it is and which record."""
    lengths = spans[:, 1] - spans[:, 0]
    owner = np.repeat(np.arange(len(spans)), lengths)
    begin = np.cumsum(lengths) - lengths
    return owner, np.arange(len(owner)) - begin[owner] + spans[owner, 0]
