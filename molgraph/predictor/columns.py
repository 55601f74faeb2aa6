"""The columns a prediction is written in: the same for one predictor and for several."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.calibrate import NUMBERS, Interval
from molgraph.kinds import Kind, labels, logarithm, out_of, scale, spread_out_of, spreads

Array = NDArray[np.float64]
OFFSET = 100  # standard deviations from 0 to the mean; float32 keeps 5 digits of the deviation there
FAR = 10  # standard deviations from the mean within which estimates lie
TINY, HUGE = 1e-30, 1e30  # of a standard deviation, in the range of float32 with some to spare
YES, NO, UNDECIDED, UNLIKE, UNLIKE_ANY = "yes", "no", "undecided", "unlike either", "unlike any"
YES_OR_NO = np.array([UNLIKE, NO, YES, UNDECIDED], dtype=object)  # by whether 0, and twice whether 1, is in the set


def deviation(task: Kind, name: str, estimates: Array, spread: Array) -> Array | None:
    """Return the standard deviation that is predicted of each row, and that between members, together; None where the
    model predicts none.

    The variance of a mixture: that of the members (here the square of their mean deviation) and that of their means.

    Shapes: `estimates`, `spread` [P, columns of the target]; returns [P].
    See: Lakshminarayanan 2017, arXiv 1612.01474, section 2.4
    """
    if not spreads(task, name):
        return None
    found: Array = np.hypot(estimates[:, 1], np.nan_to_num(spread[:, 0]))
    return found


def target_columns(
    task: Kind, name: str, estimates: Array, spread: Array, interval: Interval, unit: Array | None = None
) -> dict[str, Any]:
    """Return the columns of one target for P parts; intervals are counted in `unit`, else in the predicted deviation.

    All: `T` (of several classes the likeliest), `T_std` (predicted, where the model predicts it, and between members).
    A number: `T_lo90`, `T_hi90`. Classes: `T_set90` (see `set_columns`), and of several the probability of each,
    `T_p_CLASS`.

    Shapes: `estimates`, `spread` [P, columns of the target].
    """
    if task.kind(name) == "multiclass":
        return _classes(name, labels(task, name), estimates, spread, interval)
    predicted = deviation(task, name, estimates, spread)
    found = {name: estimates[:, 0], f"{name}_std": spread[:, 0] if predicted is None else predicted}
    if task.kind(name) == "binary":
        numbers = {column: values.astype(np.float32) for column, values in found.items()}
        return numbers | set_columns(name, estimates[:, 0], interval)
    low, high = interval.apply(estimates[:, 0], predicted if unit is None else unit)
    found = {f"{name}": estimates[:, 0], f"{name}_lo90": low, f"{name}_hi90": high}
    found = {column: out_of(task, name, values) for column, values in found.items()}
    std = spread_out_of(task, name, spread[:, 0] if predicted is None else predicted, estimates[:, 0])
    ordered = {name: found[name], f"{name}_std": std, **found}
    return {column: values.astype(written_as(task, name)) for column, values in ordered.items()}


def written_as(task: Kind, name: str) -> type[np.floating[Any]]:
    """Return the type in which a target's values are written: float32, whose 7 digits are more than a model knows, or
    float64 where they are not, as of values near 1e7 that differ by 0.01."""
    mean, std = scale(task, name)
    if logarithm(task, name):
        return np.float32 if abs(mean) + FAR * std < math.log10(HUGE) else np.float64
    return np.float64 if abs(mean) > OFFSET * std or not TINY < std < HUGE else np.float32


def set_columns(
    name: str, estimates: Array, interval: Interval, classes: Sequence[str] | None = None
) -> dict[str, list[str | None]]:
    """Return the classes still possible of each row in words, by column: `T_set90`, and beside it the sets of a lower
    level (`T_set80`) where those of 90 % decide too little.

    Of two classes: "yes", "no", "undecided", "unlike either"; of several the names, joined by |, or "unlike any".
    Blank where there is no estimate, or no set for the reason that the interval holds.
    """
    steps = [interval] if interval.lower is None else [interval, interval.lower]
    return {f"{name}_set{100 * step.level:.0f}": set_words(estimates, step, classes) for step in steps}


def set_words(estimates: Array, interval: Interval, classes: Sequence[str] | None = None) -> list[str | None]:
    """Return one column of `set_columns`."""
    if not interval.limits:
        return [None] * len(estimates)
    inside, lost = interval.sets(estimates), np.asarray(np.isnan(estimates))
    if classes is None:
        words: list[str] = YES_OR_NO[inside[:, 0] + 2 * inside[:, 1]].tolist()
    else:
        words = ["|".join(c for c, here in zip(classes, row, strict=True) if here) or UNLIKE_ANY for row in inside]
    blank: Any = lost if classes is None else lost.any(axis=1)
    return [None if here else word for word, here in zip(words, blank, strict=True)]


def without_interval(models: Sequence[Mapping[str, Interval]]) -> Iterator[str]:
    """Say of the intervals of each model which targets have none, or no set, and why."""
    for number, intervals in enumerate(models, start=1):
        of = f" of model {number}" if len(models) > 1 else ""
        for name, interval in intervals.items():
            if not interval.limits:
                what = "interval" if interval.kind == NUMBERS else "set"
                yield f"{name}{of} has no {100 * interval.level:.0f} % {what}: {interval.reason}."


def sets_of(name: str, columns: Iterable[str]) -> list[str]:
    """Return which columns hold sets of a target, those of the highest level first."""
    return sorted((c for c in columns if re.fullmatch(rf"{re.escape(name)}_set\d+", c)), reverse=True)


def set_text(column: str, word: object) -> str:
    """Return how a set is called where a person reads it, "" for a blank one.

    >>> set_text("hERG_p_set90", "undecided"), set_text("grade_set80", "mild|severe")
    ('90 % set: undecided', '80 % set: mild or severe')
    """
    level = column.rpartition("_set")[2]
    return f"{level} % set: {word.replace('|', ' or ')}" if isinstance(word, str) and word else ""


def number_columns(task: Kind, name: str) -> tuple[str, ...]:
    """Return the columns of one target that rows can be ranked by: its value, or the probability of each class."""
    if task.kind(name) == "multiclass":
        return tuple(f"{name}_p_{label}" for label in labels(task, name))
    return (name,)


def _classes(
    name: str, classes: tuple[str, ...], estimates: Array, spread: Array, interval: Interval
) -> dict[str, Any]:
    first = estimates.argmax(axis=1)
    found: dict[str, Any] = {
        name: [classes[i] for i in first],
        f"{name}_std": np.take_along_axis(spread, first[:, None], 1)[:, 0].astype(np.float32),
    }
    found |= {f"{name}_p_{label}": estimates[:, i].astype(np.float32) for i, label in enumerate(classes)}
    return found | set_columns(name, estimates, interval, classes)
