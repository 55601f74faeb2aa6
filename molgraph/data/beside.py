"""What columns beside a target say of its cells: ChEMBL and others write sign, value and unit in a column each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from molgraph.data.numbers import spelled
from molgraph.data.stream import Stored
from molgraph.data.units import CONCENTRATIONS, ENERGIES, LOGARITHM
from molgraph.errors import many

Fits = Callable[[Sequence[str]], bool]
_SIGNS = frozenset(("<", "<=", "=<", "≤", "<<", ">", ">=", "=>", "≥", ">>", "~", "≈", "=", "=="))
_EXACT = frozenset(("", "=", "=="))
_KNOWN = {*CONCENTRATIONS, *ENERGIES}
# What such a column is called, alone or after the target ("IC50 relation").
_OF_SIGNS = re.compile(
    r"(standard |activity )?"
    r"(rel(ation(ship)?)?|qualifier|operator|modifier|sign|prefix|censor(ed|ing)?|inequality|bound)"
)
_OF_UNITS = re.compile(r"(standard |activity )?(units?|uom)")
_FIGURE = re.compile(r"\s*[+-]?[\d.,]+([eE][+-]?\d+)?\s*")
_LOOKED_AT = 20  # cells by which a column is taken for one of numbers


def completed(frame: pd.DataFrame, name: str, unit: str | None) -> tuple[pd.DataFrame, list[str]]:
    """Return a table whose target cells have the signs and units that stand in columns beside them, and what to say.

    A column of signs belongs to the target that it is called after (`IC50_relation`), or that follows it; one of units
    to the target that it is called after, or that stands before it. Units count where they differ, or where one was
    asked for. A column of signs that belongs to no target is said.

    See: activities in ChEMBL's schema, https://chembl.gitbook.io/chembl-interface-documentation/downloads
    """
    columns = [str(column) for column in frame.columns]
    if name not in columns or unit == LOGARITHM:
        return frame, []
    at = columns.index(name)
    signs = _found(frame, columns, _OF_SIGNS, name, columns[at - 1] if at else "", _are_signs)
    units = _found(frame, columns, _OF_UNITS, name, columns[at + 1] if at + 1 < len(columns) else "", _are_units)
    cells, said = list(frame[name]), []
    if signs:
        cells, some = _signed(cells, _texts(frame[signs]))
        said += [f"{name}: the signs of column '{signs}' are read with it, {many(some, 'bound')}."] if some else []
    else:
        said += _unread(frame, columns, name)
    if units:
        told = Counter(text for text in _texts(frame[units]) if text)
        if unit is not None or len(told) > 1:
            cells = [_joined(cell, "", text) for cell, text in zip(cells, _texts(frame[units]), strict=True)]
            counted = ", ".join(f"{count:,} in {text}" for text, count in told.most_common(5))
            said.append(f"{name}: the units of column '{units}' are read with it: {counted}.")
    changed = any(new is not old for new, old in zip(cells, frame[name], strict=True))
    return (frame.assign(**{name: pd.Series(cells, frame.index, dtype=object)}) if changed else frame), said


def _texts(cells: Iterable[object]) -> list[str]:
    """Return cells without the quotes that ChEMBL puts around signs."""
    return [spelled(str(cell).strip().strip("'\"").strip()) for cell in cells]


def _found(
    frame: pd.DataFrame, columns: Sequence[str], words: re.Pattern[str], name: str, near: str, fits: Fits
) -> str:
    """Return the column that belongs to a target, "" for none."""
    called = [column for column in columns if column != name and words.fullmatch(_rest(column, name))]
    nearby = [near] if near and near != name and words.fullmatch(_plain(near)) else []
    return next((column for column in (*called, *nearby) if fits(_texts(frame[column]))), "")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().lower()


def _rest(column: str, name: str) -> str:
    """Return what a column is called beside the name of the target, "" where that is no part of it."""
    long, short = _plain(column), _plain(name)
    if long.startswith(f"{short} "):
        return long.removeprefix(f"{short} ")
    return long.removesuffix(f" {short}") if long.endswith(f" {short}") else ""


def _are_signs(texts: Sequence[str]) -> bool:
    return any(texts) and all(not text or text in _SIGNS for text in texts)


def _are_units(texts: Sequence[str]) -> bool:
    return any(text in _KNOWN for text in texts) and not any(_FIGURE.fullmatch(text) for text in texts)


def _signed(cells: Sequence[object], signs: Sequence[str]) -> tuple[list[object], int]:
    made = [
        cell if sign in _EXACT else _joined(cell, sign.replace("==", "="), "")
        for cell, sign in zip(cells, signs, strict=True)
    ]
    return made, sum(new is not old for new, old in zip(made, cells, strict=True))


def _joined(cell: object, sign: str, unit: str) -> object:
    """Return a cell with a sign before it and a unit behind; one that is no plain number has its own."""
    text = str(cell)
    bare = text.strip().lstrip("<>=~≤≥≈ ") if unit else text
    if not _FIGURE.fullmatch(bare) or not (sign or unit):
        return cell
    made = f"{sign}{text.strip()} {unit}".strip()
    return Stored(made) if isinstance(cell, Stored) else made


def _unread(frame: pd.DataFrame, columns: Sequence[str], name: str) -> list[str]:
    """Say which column of bounds belongs to no target."""
    for at, column in enumerate(columns):
        if column == name or not _OF_SIGNS.fullmatch(_plain(column)):
            continue
        texts = _texts(frame[column])
        if not _are_signs(texts) or all(text in _EXACT for text in texts):
            continue
        after = _texts(frame[columns[at + 1]].head(_LOOKED_AT)) if at + 1 < len(columns) else []
        if not any(_FIGURE.fullmatch(text) for text in after):
            return [
                f"{name}: the signs of column '{column}' are not read with it; if they are its own, call the column "
                f"'{name} relation', or move it before '{name}'."
            ]
    return []
