"""Predictions of a few rows in the terminal: a line for each target."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from molgraph.errors import printable
from molgraph.kinds.column import Column, named, sets
from molgraph.metrics.figures import figure, figures

MOST = 20  # rows that are shown; more belong in a file
DIGITS = 4


def lines(
    frame: pd.DataFrame, column: str, targets: Mapping[str, Sequence[Column]], units: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield what there is to say of each row: what it is, its message, and per target its unit, value, interval,
    neighbour.

    `targets` describes the columns of each.
    """
    known = units or {}
    for number, row in enumerate(frame.head(MOST).to_dict("records")):
        yield from [""] * (number > 0)
        yield printable(str(row[column]))
        if row.get("message"):
            yield f"  {printable(str(row['message']))}"
        if row["status"] != "ok":
            yield f"  no prediction: {row['status']}"
            continue
        found = [_line(row, name, columns, known.get(name, "")) for name, columns in targets.items() if name in frame]
        widths = [max(map(len, cells)) for cells in zip(*found, strict=True)]
        yield from (
            "  " + "  ".join(f"{cell:<{w}}" for cell, w in zip(cells, widths, strict=True)).rstrip() for cells in found
        )
        yield from _near(row)
    if len(frame) > MOST:
        yield f"\n{len(frame) - MOST:,} more rows; -o FILE writes all."


def _line(row: Mapping[Hashable, Any], name: str, columns: Sequence[Column], unit: str) -> tuple[str, str, str, str]:
    ends = [row.get(named(columns, "low")), row.get(named(columns, "high"))]
    known = [end for end in ends if isinstance(end, float) and _known(end)]
    value, *shown = figures(row[name], *known, digits=DIGITS) if isinstance(row[name], float) else [str(row[name])]
    words = [str(row[each.name]) for each in sets(columns)[:1] if _known(row[each.name])]
    interval = f"{' to '.join(shown)} (90 %)" if len(shown) == 2 else ""
    near = row.get(f"{name}_nn")
    return (
        f"{name} ({unit})" if unit else name,
        value,
        interval or "".join(words),
        f"nearest measured: {_short(near)}" * _known(near),
    )


def _near(row: Mapping[Hashable, Any]) -> Iterator[str]:
    if _known(row.get("nn_id")):
        where = "" if row.get("in_domain") else ", outside the domain of the training data"
        yield printable(f"  nearest: {row['nn_id']}, similarity {_number(row.get('nn_similarity'))}{where}")


def _short(value: object) -> str:
    """Return what was measured with the digits that a glance needs; a bound keeps its sign."""
    text = str(value)
    try:
        return _number(float(text))
    except ValueError:
        return text


def _known(value: object) -> bool:
    return value is not None and value != "" and not (isinstance(value, float) and value != value)


def _number(value: object) -> str:
    return figure(value, DIGITS) if isinstance(value, float) else str(value)
