"""Moments as people write them: numbers, or dates as ISO 8601, which become days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from molgraph.data.labels import MISSING
from molgraph.errors import DataError

DAY = 86_400.0  # seconds
START = datetime(1970, 1, 1, tzinfo=UTC)
WANTED = {False: "a number", True: "a date as in 2024-01-31 or 2024-01-31T14:05"}


def are_dates(cells: Sequence[str], what: str) -> bool:
    """Tell whether moments are dates, by all that can be read of them.

    Raises: DataError where none can be read.
    """
    known = [cell.strip() for cell in cells if cell.strip().lower() not in MISSING]
    numbers, dates = (sum(_moment(cell, kind) is not None for cell in known) for kind in (False, True))
    if not numbers and not dates:
        shown = f", first '{known[0]}'" if known else ""
        raise DataError(f"{what} holds no time{shown}: write {WANTED[False]}, or {WANTED[True]}.")
    return dates > numbers


def moments(cells: Sequence[str], dates: bool) -> tuple[NDArray[np.float64], dict[int, str]]:
    """Return moments [n], those of dates in days since 1970 (UTC where no zone is given), NaN of blank ones, and by
    position why others are none."""
    found, bad = np.full(len(cells), np.nan), {}
    for at, cell in enumerate(cells):
        text = cell.strip()
        if text.lower() in MISSING:
            continue
        value = _moment(text, dates)
        if value is None:
            bad[at] = f"'{text}' is not {WANTED[dates]}"
        else:
            found[at] = value
    return found, bad


def _moment(text: str, dates: bool) -> float | None:
    try:
        if not dates:
            value = float(text)
            return value if np.isfinite(value) else None
        day = datetime.fromisoformat(text)
    except ValueError:
        return None
    if text.isdigit():  # 20240131 is a date in the basic format, and much likelier a number
        return None
    return ((day if day.tzinfo else day.replace(tzinfo=UTC)) - START).total_seconds() / DAY


def moment_text(value: float, dates: bool) -> str:
    """Return a moment as it is written.

    >>> moment_text(19753.5, True), moment_text(19753.0, True), moment_text(9.97, False)
    ('2024-01-31 12:00:00', '2024-01-31', '9.97')
    """
    if not dates:
        return f"{value:.15g}"
    day = START + timedelta(days=value)
    return str(day.date()) if value == int(value) else f"{day:%Y-%m-%d %H:%M:%S}"
