"""How much each row counts where it trains: weights out of a user's column, rows of weight 0, and means of 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.numbers import Read, reader
from molgraph.data.targets import EXACT, Targets
from molgraph.errors import ConfigError, DataError, did_you_mean, many
from molgraph.kinds import NAMED
from molgraph.metrics.figures import figure
from molgraph.predictor.duplicates import Of, merged
from molgraph.predictor.rows import Rows

Floats = NDArray[np.float64]
LEAST = float(np.finfo(np.float32).tiny)  # no weight above 0 becomes 0, however heavy another is
MUTE = "weight_zero"
ALIKE = "Test scores, intervals and thresholds count every row alike, whatever it weighs."


def columns(run: RunSettings) -> dict[str, str]:
    """Return the column of weights of each target that has one, by the target's name in the user's table.

    Raises: ConfigError for a target that is none.
    """
    if isinstance(run.weight, str):
        return dict.fromkeys(run.targets, run.weight) if run.weight else {}
    for name in run.weight:
        if name not in run.targets:
            raise ConfigError(f"a weight is given for '{name}', which is no target{did_you_mean(name, run.targets)}")
    return dict(run.weight)


def weighed(rows: Rows) -> tuple[Rows, list[str]]:
    """Return the rows with the weights that the run names, and what to say of them.

    Weights count relative to each other: their mean over the measured rows of a target is 1. Where all but zeros are
    alike they say nothing, and every row weighs 1.

    Raises: ConfigError as `columns`; DataError for a column that is missing or a target, a cell of a measured row that
    is no number from 0 on, and a target of which no row has a weight.
    """
    named, told = columns(rows.run), dict[str, list[str]]()
    if not named:
        return rows, []
    targets = rows.data.targets
    weight = targets.weight.clone()
    for name, trained in zip(rows.run.targets, rows.kinds, strict=True):
        if name not in named:
            continue
        own = NAMED[rows.kinds[trained]]((trained,)).reading
        at = [targets.names.index(column) for column in own]
        observed = targets.observed[:, at[0]].numpy()
        found = _read(rows, named[name], observed)
        if observed.any() and not found[observed].any():
            raise DataError(f"{rows.origin}: '{named[name]}' is 0 in every row of {name}; no row is left to learn.")
        weight[:, at] = torch.from_numpy(_relative(found, observed)).float().unsqueeze(1)
        told.setdefault(_told(named[name], found[observed]), []).append(trained)
    data = replace(rows.data, targets=replace(targets, weight=weight))
    return replace(rows, data=data), [*(f"{', '.join(names)}: {text}." for text, names in told.items()), ALIKE]


def _read(rows: Rows, column: str, observed: NDArray[np.bool_]) -> Floats:
    """Return the weight of each row as it stands in its column, 0 where nothing was measured."""
    if column not in rows.frame:
        raise DataError(
            f"{rows.origin}: no column '{column}' of weights{did_you_mean(column, map(str, rows.frame.columns))}"
        )
    if column in (*rows.run.targets, *rows.columns.values()):
        raise ConfigError(f"'{column}' is a target or an input, and no column of weights.")
    cells = [str(cell).strip() for cell in rows.frame[column]]
    read, found = reader(cells), np.zeros(len(cells))
    for at in np.flatnonzero(observed):
        try:
            found[at] = _number(cells[at], read)
        except ValueError as why:
            raise DataError(
                f"{rows.origin}, row {rows.data.rows[at]}: the weight '{cells[at]}' in column '{column}' {why}. A "
                "weight is a number from 0 on; 0 is of a row that shall not train."
            ) from why
    return found


def _number(cell: str, read: Read) -> float:
    """Return the weight in a cell.

    Raises: ValueError that says why it is none.
    """
    if not cell:
        raise ValueError("is blank")
    try:
        value = float(cell)
    except ValueError:
        try:
            number = read(cell)
        except ValueError as error:
            raise ValueError("is no number") from error
        if number.bound != EXACT or number.unit:
            raise ValueError("is no plain number") from None
        value = number.value
    if not math.isfinite(value) or value < 0:
        raise ValueError("is below 0" if value < 0 else "is not finite")
    return value


def _relative(weight: Floats, observed: NDArray[np.bool_]) -> Floats:
    """Return weights whose mean over measured rows is 1, not of those that are 0; all 1 where they are alike."""
    counted = observed & (weight > 0)
    own = weight[counted]
    if not len(own) or own.min() == own.max():
        return np.where(weight > 0, 1.0, np.where(observed, 0.0, 1.0))
    share = weight / own.max()
    return np.where(counted, np.maximum(share / share[counted].mean(), LEAST), np.where(observed, 0.0, 1.0))


def _told(column: str, weight: Floats) -> str:
    """Say how the rows of a target are weighed."""
    own, zero = weight[weight > 0], int((weight == 0).sum())
    ends = f"{figure(own.min())} to {figure(own.max())}, median {figure(float(np.median(own)))}"
    if own.min() == own.max():
        said = f"all weights in '{column}' are {figure(own[0])}, so its rows weigh alike"
    else:
        said = f"rows that train weigh by '{column}' ({ends}); repeats of one thing weigh as their sum"
    mute = f"; {many(zero, 'row')} of weight 0 {'does' if zero == 1 else 'do'} not train" if zero else ""
    return said + mute


def mute(targets: Targets) -> NDArray[np.bool_]:
    """Tell which rows have measured values, but none of a weight above 0, bool [N]."""
    counted = targets.observed & (targets.weight > 0)
    return np.asarray((targets.observed.any(dim=1) & ~counted.any(dim=1)).numpy())


def taught(data: Dataset, rows: NDArray[np.int64], kind: Of, rule: str) -> Dataset:
    """Return rows that train or stop the training: merged where several are the same thing, without what has the weight
    0, and with weights whose mean is 1 for each target.

    Without weights every thing weighs 1, however often it was measured; with weights those of its rows add up.
    """
    some, adds = data.subset(rows), differ(data.targets)
    if bool((some.targets.weight == 0).any()):
        some = heard(some)
    made = merged(some, kind, rule, adds=adds)
    return _even(made) if adds else made


def differ(targets: Targets) -> bool:
    """Tell whether rows that train weigh differently."""
    return targets.offsets is None and bool(((targets.weight != 0) & (targets.weight != 1)).any())


def heard(data: Dataset) -> Dataset:
    """Return the rows with a weight; what has none counts as not measured."""
    targets = data.targets
    heard = targets.observed & (targets.weight > 0)
    found = replace(
        targets, observed=heard, values=torch.where(heard, targets.values, torch.zeros_like(targets.values))
    )
    return replace(data, targets=found).subset(np.flatnonzero(~mute(targets)))


def _even(data: Dataset) -> Dataset:
    """Return rows whose weights have the mean 1 for each target, of what was measured."""
    targets = data.targets
    counted = targets.observed.double()
    total = (targets.weight.double() * counted).sum(dim=0)
    scale = torch.where(total > 0, counted.sum(dim=0) / total, 1.0)
    return replace(data, targets=replace(targets, weight=(targets.weight.double() * scale).float()))


def said_mute(run: RunSettings) -> str:
    """Say why a row of weight 0 does not train."""
    names: Sequence[Any] = sorted(set(columns(run).values()))
    return f"its weight ({', '.join(map(repr, names))}) is 0: it does not train"
