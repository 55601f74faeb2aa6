"""Targets that are learnt on their logarithm: which, why or why not, and the rows as a model keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm, skew

from molgraph.config import AUTO
from molgraph.data.targets import ABOVE, BELOW, EXACT, Targets
from molgraph.data.units import is_logarithm
from molgraph.errors import ConfigError, DataError, Reject, did_you_mean
from molgraph.kinds import NAMED, Kind
from molgraph.kinds.scale import Floats, kept
from molgraph.predictor.rows import Rows

FEWEST = 20  # values from which their distribution says anything
DECADES = 2.0  # that the middle 99 % must span: 0.01 to 700 are 4.8, a pIC50 has 0.3
SKEWED = 1.0  # "highly skewed" from here on. See: Bulmer 1979, Principles of Statistics, chapter 4
EVEN = 0.5  # share of the skewness that may be left in the logarithms
CLEAR = 5.0  # of log likelihoods: "very strong". See: Kass & Raftery 1995, doi 10.1080/01621459.1995.10476572
SHARE = re.compile(r"%|percent|pct", re.IGNORECASE)  # in a name: what ends at 100 has no open scale


def transformed(
    rows: Rows, wanted: str | Mapping[str, str], train: NDArray[np.int64], start: Kind | None = None
) -> tuple[Rows, tuple[str, ...], list[str]]:
    """Return the rows with targets as a model keeps them, which of them are logarithms, and what there is to say.

    `wanted` is the setting `transform`; "auto" takes what `start` has, a task whose weights a training starts from,
    else looks at the training rows: all values are above 0, the middle 99 % span DECADES, they are skewed, and their
    logarithms are much less so. Bounds count at their bound, and where they hide a tail by what lies behind them.

    Raises: ConfigError for a target that is unknown, no number, or a logarithm already; DataError for a value that has
    no logarithm.
    """
    given = dict.fromkeys(rows.kinds, wanted) if isinstance(wanted, str) else dict(wanted)
    called = dict(zip(rows.run.targets, rows.kinds, strict=True))  # a column may be trained under another name
    given = {called.get(name, name): word for name, word in given.items()}
    for name in given:
        if name not in rows.kinds:
            raise ConfigError(f"transform names the target '{name}'{did_you_mean(name, rows.kinds)}")
    log, said = [], []
    for name, kind in rows.kinds.items():
        word, number = given.get(name, AUTO), NAMED[kind].transforms
        if not number or (start is not None and word == AUTO and name in start.names):
            chosen, why = number and start is not None and start.of(name).on_logarithm, ""
            if word == "log" and not isinstance(wanted, str):
                raise ConfigError(f"transform: '{name}' is no number, and has no logarithm.")
        elif word == AUTO:
            chosen, why = _asked_for(rows, name, train)
        else:
            chosen, why = word == "log", ""
            if chosen:
                _refuse(rows, name, one=isinstance(wanted, str))
        log += [name] if chosen else []
        said += [why] if why else []
    return _with(rows, lambda name, values: kept(values, name in log)), tuple(log), said


def as_kept(rows: Rows, task: Kind) -> Rows:
    """Return measured rows as a trained model keeps them; a value that has no logarithm counts as not measured, and a
    row that has no other value is left out.
    """
    found, unread = _with(rows, lambda name, values: task.of(name).into(values)), dict(rows.unread)
    for name in task.present(rows.data.targets):
        before, after = (task.of(name).measured(each.data.targets) for each in (rows, found))
        lost = np.flatnonzero(before[1] & ~after[1])
        why = "the model was trained on logarithms of {}, and {:g} has none"
        unread[name] = unread.get(name, []) + [
            Reject(int(rows.data.rows[at]), "", "invalid_target", why.format(name, before[0][at])) for at in lost
        ]
    found = replace(found, unread={name: cells for name, cells in unread.items() if cells})
    there = found.data.targets.observed.any(dim=1).numpy()
    return found if there.all() else _without(found, there)


def _without(rows: Rows, there: NDArray[np.bool_]) -> Rows:
    """Return the rows that are `there`; the others are rejects, for the reason that their values are none."""
    why = {cell.row: cell for cells in rows.unread.values() for cell in cells}
    column = next(iter(rows.columns.values()))
    gone = [
        replace(why[int(rows.data.rows[at])], text=str(rows.frame[column].iloc[at])) for at in np.flatnonzero(~there)
    ]
    data = rows.data.subset(np.flatnonzero(there))
    data = replace(data, rejects=(*rows.data.rejects, *gone))
    lost = {cell.row for cell in gone}
    unread = {name: [cell for cell in cells if cell.row not in lost] for name, cells in rows.unread.items()}
    frame = rows.frame[there].reset_index(drop=True)
    return replace(rows, data=data, frame=frame, unread={name: cells for name, cells in unread.items() if cells})


def agree(task: Kind, start: Kind, init: str) -> None:
    """Refuse to start from weights that learnt another thing.

    Raises: ConfigError where a target is a logarithm for one of both only.
    """
    for name in task.names:
        theirs = name in start.names and start.of(name).on_logarithm
        if name in start.names and task.of(name).on_logarithm != theirs:
            how = ("its logarithm", "its values") if theirs else ("its values", "its logarithm")
            raise ConfigError(
                f"--init {init}: was trained on {name} by {how[0]}, and this run is to be by {how[1]}; "
                f'set transform = "{"log" if theirs else "none"}".'
            )


def _with(rows: Rows, turn: Callable[[str, Floats], Floats]) -> Rows:
    """Return the rows with the values of each target turned; a value that becomes NaN is not observed."""
    targets, data = rows.data.targets, rows.data
    columns = [
        turn(name, values) if name in rows.kinds else values
        for name, values in zip(targets.names, targets.values.numpy().T, strict=True)
    ]
    values = torch.from_numpy(np.stack(columns, axis=1))
    observed = targets.observed & ~torch.isnan(values)
    made = Targets(targets.names, torch.where(observed, values, 0.0), observed, targets.bound, targets.weight)
    return replace(rows, data=replace(data, targets=made))


def _asked_for(rows: Rows, name: str, train: NDArray[np.int64]) -> tuple[bool, str]:
    """Tell whether a target is to be learnt on its logarithm, and what to say of that ("": nothing)."""
    values, observed, bound = rows.data.targets.arrays(name)
    some = train[observed[train]]
    some = some[values[some] > 0]
    positive, sides = values[some], bound[some]
    if len(positive) < FEWEST:
        return False, ""
    seen, behind = _spans(positive), _spans_behind(positive, sides)
    few = int((sides != EXACT).sum())
    counted = f", {few} of {len(positive)} of them bounds, counted at their bound" if few else ""
    low, high = (f"{end:.3g}" for end in (positive.min(), positive.max()))
    over = f"values over {_decades(positive):.1f} powers of ten ({low} to {high} in training rows{counted})"
    if not seen and not behind:
        open_ends = few and _is_open(positive) and not _is_log(rows, name) and not SHARE.search(name)
        why = f'{name}: {over}, not clearly skewed: learnt as they stand; transform = "log" says otherwise.'
        return False, why if open_ends else ""
    shape = f"{name}: skewed {over}{'' if seen else ', as far as it can be told what lies behind the bounds'}"
    below = np.flatnonzero(observed & (values <= 0))
    if len(below):
        row = f"row {rows.data.rows[below[0]]}: {values[below[0]]:g}"
        return False, f"{shape}, {len(below)} are 0 or below ({row}) and have no logarithm: learnt as they stand."
    if _is_log(rows, name) or SHARE.search(name):
        what = "a percentage" if SHARE.search(name) else "a logarithm already"
        return False, f'{shape}; called as {what}, so learnt as they stand; transform = "log" says otherwise.'
    ends = "predictions are medians, with intervals, in the units of the file"
    return True, f'{shape}: learnt on log10, errors are of log10; {ends}. transform = "none" says otherwise.'


def _spans(values: Floats) -> bool:
    if _decades(values) < DECADES:  # of equal values there is no skewness
        return False
    raw, logs = skew(values), skew(np.log10(values))
    return bool(raw > SKEWED and abs(logs) < EVEN * raw)


def _spans_behind(values: Floats, bound: NDArray[np.int8]) -> bool:
    """Tell the same of values of which some are bounds, by what may lie behind those: many `>100` pile up at 100 and
    hide a tail. Clear is a ratio of the likelihoods of both scales beyond CLEAR.

    See: a normal distribution known in part by bounds: Tobin 1958, doi 10.2307/1907382
    """
    if (bound == EXACT).all() or (bound != EXACT).all() or _decades(values) < DECADES:
        return False
    logs = np.log(values)
    return _likelihood(logs, bound) - float(logs[bound == EXACT].sum()) > _likelihood(values, bound) + CLEAR


def _likelihood(values: Floats, bound: NDArray[np.int8]) -> float:
    """Return the logarithm of the likelihood of the normal distribution that fits values and bounds best."""
    exact, below, above = (values[bound == side] for side in (EXACT, BELOW, ABOVE))

    def lost(at: Floats) -> float:
        normal = norm(at[0], np.exp(at[1]))
        return -float(normal.logpdf(exact).sum() + normal.logcdf(below).sum() + normal.logsf(above).sum())

    start = np.array([values.mean(), np.log(max(values.std(), np.finfo(np.float64).tiny))])
    return -float(minimize(lost, start, method="Nelder-Mead").fun)


def _is_open(values: Floats) -> bool:
    """Tell whether values span decades or are skewed: who reads a model of them asks on which scale it learnt."""
    return _decades(values) >= DECADES or bool(np.ptp(values) > 0 and skew(values) > SKEWED)


def _decades(values: Floats) -> float:
    low, high = np.quantile(values, [0.005, 0.995])
    return float(np.log10(high / low))


def _is_log(rows: Rows, name: str) -> bool:
    return name in rows.units or is_logarithm(name)


def _refuse(rows: Rows, name: str, *, one: bool) -> None:
    values, observed, _ = rows.data.targets.arrays(name)
    if name in rows.units:
        raise ConfigError(f"transform: '{name}' is a logarithm already ({rows.units[name]}).")
    below = np.flatnonzero(observed & (values <= 0))
    if len(below):
        off = 'transform = "none"' if one else f'transform.{name} = "none"'
        raise DataError(
            f"{rows.origin}: row {rows.data.rows[below[0]]}: {name} is {values[below[0]]:g}, and has no logarithm "
            f"({len(below)} such rows). Correct them, leave them blank, or set {off}."
        )
