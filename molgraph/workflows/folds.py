"""The folds of a cross-validation, by the groups and in the shares of the split that a run names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from molgraph import split as splits
from molgraph.errors import ConfigError
from molgraph.predictor.duplicates import split_things, things
from molgraph.split import COLD_ALL, Split
from molgraph.workflows.plan import Plan, chosen_by, grouping, own_labels


def refuse_own_labels(split: str) -> None:
    """Refuse a split that makes no folds.

    Raises: ConfigError.
    """
    if chosen_by(split) or (split.partition(":")[0] in splits.METHODS and own_labels(split)):
        drawn = ", ".join(name for name, each in splits.METHODS.items() if each.method.startswith(("group", "random")))
        raise ConfigError(f"--split {split}: makes no folds to repeat; use one of {drawn}.")


def fold(made: Plan, number: int, of: int, seed: int, among: NDArray[np.int64] | None = None) -> Split:
    """Return the split of a plan's rows, or of those `among` them, that tests fold `number` of `of`.

    Where the plan's split is by the user's own labels, folds are drawn by the room's usual groups; where it is cold in
    all inputs, so are they.
    """
    data = made.rows.data
    rows = np.arange(len(data)) if among is None else among
    groups = grouping(made)[..., rows]
    method = COLD_ALL if groups.ndim > 1 else "group_random"
    shares = (made.run.fractions[0], made.run.fractions[1], made.run.fractions[2])
    return split_things(
        things(made.run, data)[rows], method=method, groups=groups, fractions=shares, seed=seed, fold=number, folds=of,
        rows=data.rows[rows],
    )  # fmt: skip
