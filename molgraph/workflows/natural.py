"""Predictions in the units of the bench: nM beside pIC50."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from molgraph.data.numbers import spelled
from molgraph.data.units import CONCENTRATIONS
from molgraph.errors import ConfigError, did_you_mean
from molgraph.kinds import Number
from molgraph.kinds.column import Column, What, named
from molgraph.predictor.rows import LOG_MOLAR
from molgraph.predictor.scored import Scorer
from molgraph.workflows.plan import Plan

_LOGARITHM = re.compile(r"p[ _-]?((?:K(?:[id]|(?![a-z]))|[A-Z]{1,2}C?50).*)")  # of a concentration, not pKa
# More of a logarithm is less of a concentration.
TURNED: dict[What, What] = {"value": "value", "low": "high", "high": "low"}


def unit_of_errors(made: Plan, targets: Sequence[str]) -> str:
    """Return the unit of errors of some targets, "" where they have none in common: of logarithms those."""
    logs, units = made.task, made.rows.units
    each = {f"log10 of {name}" if logs.of(name).on_logarithm else units.get(name, "") for name in targets}
    return each.pop() if len(each) == 1 else ""


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


def concentrations(columns: Sequence[Column], name: str, called: str) -> dict[str, Column]:
    """Describe the columns of concentrations, each by the column of the logarithm that it is made of."""
    of = {column.what: column for column in columns if column.what in TURNED}
    return {
        of[TURNED[what]].name: replace(column, name=f"{called}{column.name.removeprefix(name)}")
        for what, column in of.items()
    }


def with_units(frame: pd.DataFrame, targets: Mapping[str, str], unit: str) -> pd.DataFrame:
    """Add the concentration to the right of each logarithm's interval, ends of the interval changed over."""
    columns: dict[str, pd.Series | Sequence[object]] = {}
    found = {name: Number((name,)).described(frame.columns) for name in targets}
    made = {name: concentrations(found[name], name, f"{called}_{unit}") for name, called in targets.items()}
    last = {name: named(found[name], "high") or named(found[name], "value") for name in targets}
    for column in frame.columns:
        columns[column] = frame[column]
        for name in targets:
            if last[name] == column:
                columns |= {each.name: concentration(frame[of], unit) for of, each in made[name].items()}
    return pd.DataFrame(columns)


def concentration(values: pd.Series, unit: str) -> pd.Series:
    """Return what negative decadic logarithms of mol/L are in a unit.

    >>> concentration(pd.Series([9.0, 6.0]), "nM").round(6).tolist()
    [1.0, 1000.0]
    """
    with np.errstate(over="ignore"):
        numbers = 10.0 ** (-values.astype(np.float64) - CONCENTRATIONS[unit])
    return numbers.astype(np.float32)
