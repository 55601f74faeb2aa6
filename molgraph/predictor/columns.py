"""The columns a prediction is written in: the same for one predictor and for several."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.calibrate import Interval
from molgraph.task import Task, labels, spreads

Array = NDArray[np.float32]


def deviation(task: Task, name: str, estimates: Array, spread: Array) -> Array | None:
    """Return the standard deviation that is predicted of each row, and that between members, together; None where the
    model predicts none.

    The variance of a mixture: that of the members (here the square of their mean deviation) and that of their means.

    Shapes: `estimates`, `spread` [P, columns of the target]; returns [P].
    See: Lakshminarayanan 2017, arXiv 1612.01474, section 2.4
    """
    if not spreads(task, name):
        return None
    found: Array = np.hypot(estimates[:, 1], np.nan_to_num(spread[:, 0])).astype(np.float32)
    return found


def target_columns(
    task: Task, name: str, estimates: Array, spread: Array, interval: Interval, unit: Array | None = None
) -> dict[str, Any]:
    """Return the columns of one target for P parts; intervals are counted in `unit`, else in the predicted deviation.

    A number, or a probability: `T`, `T_std` (predicted, where the model predicts it, and between members), `T_lo90`,
    `T_hi90`; for a probability the ends are the labels still possible at 90 % (0 and 1: undecided). One of several
    classes: `T` is the likeliest, `T_p_CLASS` the probability of each, `T_set90` the classes still possible.

    Shapes: `estimates`, `spread` [P, columns of the target].
    """
    if task.kind(name) == "multiclass":
        return _classes(name, labels(task, name), estimates, spread, interval)
    predicted = deviation(task, name, estimates, spread)
    low, high = interval.apply(estimates[:, 0], predicted if unit is None else unit)
    return {
        name: estimates[:, 0],
        f"{name}_std": spread[:, 0] if predicted is None else predicted,
        f"{name}_lo90": low.astype(np.float32),
        f"{name}_hi90": high.astype(np.float32),
    }


def number_columns(task: Task, name: str) -> tuple[str, ...]:
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
        f"{name}_std": np.take_along_axis(spread, first[:, None], 1)[:, 0],
    }
    found |= {f"{name}_p_{label}": estimates[:, i] for i, label in enumerate(classes)}
    inside = interval.sets(estimates) if interval.limits else np.ones_like(estimates, dtype=bool)
    found[f"{name}_set90"] = ["|".join(c for c, here in zip(classes, row, strict=True) if here) for row in inside]
    return found
