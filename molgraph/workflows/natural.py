"""Predictions in the units of the bench: nM beside pIC50."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from molgraph.data.numbers import spelled
from molgraph.data.units import CONCENTRATIONS
from molgraph.errors import ConfigError, did_you_mean
from molgraph.predictor.rows import LOG_MOLAR
from molgraph.predictor.scored import Scorer

_LOGARITHM = re.compile(r"p[ _-]?((?:K(?:[id]|(?![a-z]))|[A-Z]{1,2}C?50).*)")  # of a concentration, not pKa
ENDS = {"_hi90": "_lo90", "_lo90": "_hi90"}  # more of a logarithm is less of a concentration


def logarithms(scorer: Scorer) -> dict[str, str]:
    """Return the targets that are negative logarithms of a concentration, and what each is one of.

    So it is where training turned a concentration into it, and where its name says so.
    """
    found = {}
    for predictor in scorer.predictors:
        units: Mapping[str, str] = predictor.recipe.units  # type: ignore[attr-defined]
        for name in predictor.targets:
            named = _LOGARITHM.fullmatch(name)
            if units.get(name) == LOG_MOLAR or (named and not units.get(name)):
                found[name] = named[1] if named else name.removeprefix("p")
    return found


def unit_of(word: str, scorer: Scorer) -> str:
    """Check a unit that predictions are wanted in.

    Raises: ConfigError for what is no unit of concentrations, and where no target is one's logarithm.
    """
    unit = spelled(word)
    if unit not in CONCENTRATIONS:
        raise ConfigError(f"--as {word}: no unit of concentrations{did_you_mean(word, CONCENTRATIONS)}")
    if not logarithms(scorer):
        raise ConfigError(f"--as {word}: no target of the model is the negative logarithm of a concentration.")
    return unit


def with_units(frame: pd.DataFrame, targets: Mapping[str, str], unit: str) -> pd.DataFrame:
    """Add the concentration to the right of each logarithm's interval, ends of the interval changed over."""
    columns: dict[str, pd.Series | Sequence[object]] = {}
    added = {name: _concentrations(frame, name, f"{called}_{unit}", unit) for name, called in targets.items()}
    last = {name: next((c for c in (f"{name}_hi90", name) if c in frame), "") for name in targets}
    for column in frame.columns:
        columns[column] = frame[column]
        for name in targets:
            if last[name] == column:
                columns |= added[name]
    return pd.DataFrame(columns)


def _concentrations(frame: pd.DataFrame, name: str, called: str, unit: str) -> dict[str, pd.Series]:
    found = {}
    for end in ("", "_lo90", "_hi90"):
        source = f"{name}{ENDS.get(end, end)}"
        if source in frame:
            found[f"{called}{end}"] = concentration(frame[source], unit)
    return found


def concentration(values: pd.Series, unit: str) -> pd.Series:
    """Return what negative decadic logarithms of mol/L are in a unit.

    >>> concentration(pd.Series([9.0, 6.0]), "nM").round(6).tolist()
    [1.0, 1000.0]
    """
    with np.errstate(over="ignore"):
        numbers = 10.0 ** (-values.astype(np.float64) - CONCENTRATIONS[unit])
    return numbers.astype(np.float32)
