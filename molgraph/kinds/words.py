"""The classes that are still possible of a row, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.calibrate import Interval, Sets
from molgraph.kinds.column import Column

YES, NO, UNDECIDED, UNLIKE, UNLIKE_ANY = "yes", "no", "undecided", "unlike either", "unlike any"
YES_OR_NO = np.array([UNLIKE, NO, YES, UNDECIDED], dtype=object)  # by whether 0, and twice whether 1, is in the set


def set_columns(
    name: str, estimates: NDArray[np.float64], interval: Interval, classes: Sequence[str] | None = None
) -> dict[str, list[str | None]]:
    """Return the classes still possible of each row in words, by column: `T_set90`, and beside it the sets of a lower
    level (`T_set80`) where those of 90 % decide too little.

    Of two classes: "yes", "no", "undecided", "unlike either"; of several the names, joined by |, or "unlike any".
    Blank where there is no estimate, or no set for the reason that the interval holds.
    """
    steps = [interval] if interval.lower is None else [interval, interval.lower]
    return {f"{name}_set{100 * step.level:.0f}": set_words(estimates, step, classes) for step in steps}


def set_words(
    estimates: NDArray[np.float64], interval: Interval, classes: Sequence[str] | None = None
) -> list[str | None]:
    """Return one column of `set_columns`."""
    if not interval.limits or not isinstance(interval, Sets):
        return [None] * len(estimates)
    inside, lost = interval.sets(estimates), np.asarray(np.isnan(estimates))
    if classes is None:
        words: list[str] = YES_OR_NO[inside[:, 0] + 2 * inside[:, 1]].tolist()
    else:
        words = ["|".join(c for c, here in zip(classes, row, strict=True) if here) or UNLIKE_ANY for row in inside]
    blank: Any = lost if classes is None else lost.any(axis=1)
    return [None if here else word for word, here in zip(words, blank, strict=True)]


def described_sets(name: str, columns: Iterable[str]) -> Iterator[Column]:
    """Describe the columns of sets of a target, whatever their levels are."""
    for column in columns:
        found = re.fullmatch(rf"{re.escape(name)}_set(\d+)", column)
        if found:
            yield Column(column, "set", int(found[1]) / 100)
