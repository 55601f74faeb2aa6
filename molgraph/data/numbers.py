"""Numbers as people write them in cells: bounds, units, spreads, "ca.", commas and blanks between digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from molgraph.data.targets import ABOVE, BELOW, EXACT
from molgraph.errors import many

LARGEST = float(np.finfo(np.float32).max)  # what is predicted of them is written as float32 where that holds it
_FIGURE = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_CELL = re.compile(
    r"(?P<sign>[<>]=?|=[<>]|[≤≥=~≈]|<<|>>)?\s*(?P<about>(?:ca?\.?|circa|approx\.?|approximately|about|around)\s*)?"
    rf"(?P<figure>{_FIGURE})\s*(?P<spread>\(?(?:±|\+/?-)\s*{_FIGURE}\)?)?\s*(?P<unit>[munpf]?M|kcal/mol|kJ/mol)?"
)
_BOUND = {
    **dict.fromkeys(("<", "<=", "=<", "≤", "<<"), BELOW),
    **dict.fromkeys((">", ">=", "=>", "≥", ">>"), ABOVE),
}
_MOL_PER_LITRE = re.compile(r"([munpf]?)mol/[lL]")
_BLANK_BETWEEN = re.compile(r"(?<=\d)[ '\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}](?=\d{3}(?!\d))")
_COMMA = re.compile(r"\d,\d")
_POINT = re.compile(r"\d\.|\.\d")
_THOUSANDS = re.compile(r"\D*[1-9]\d{0,2}(,\d{3})+(?:[\D].*)?")
_SURELY_THOUSANDS = re.compile(r"\D*[1-9]\d{0,2}(?:(?:,\d{3})+\.\d.*|(?:,\d{3}){2,}(?:\D.*)?)")
_ROUND = re.compile(r"\D*[1-9]\d{0,2},000(?:\D.*)?")
_POINTS_BETWEEN = re.compile(r"\D*[1-9]\d{0,2}(?:\.\d{3})+,\d.*")  # 1.234,5
_NO_EFFECT = frozenset(
    ("inactive", "not active", "no activity", "no effect", "no inhibition", "ni", "n.i.", "no binding", "nb", "n.b.")
)
_BELOW_LIMIT = frozenset(("<lod", "<loq", "blq", "bloq", "lod", "loq", "below detection", "bdl"))
_ONLY_POINTS_BETWEEN = re.compile(r"\D*\d{1,3}(?:\.\d{3})+(?:[^\d.].*)?")
_DECIMAL, _EUROPEAN, _GROUPS = "decimal", "points between thousands", "groups"
_WITH_POINT = re.compile(r"[<>~=≤≥]*\s*[+-]?(?:0?\.\d+|\d+\.(?:\d{1,2}|\d{4,})|\d{4,}\.\d+)")  # no thousands
_WITH_COMMA = re.compile(r"[<>~=≤≥]*\s*[+-]?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,})|\d{4,}\,\d+)")


class Number(NamedTuple):
    """Hold a number, what bound it is, its unit ("" if none), and whether it came with a spread, or as about."""

    value: float
    bound: int
    unit: str
    spread: bool = False
    about: bool = False


class Elsewhere(NamedTuple):
    """Say what the commas of a column are where its own cells do not tell ("": nobody knows), and why; and which of
    its cells tell nothing, as a workbook holds them as numbers."""

    commas: str = ""
    why: str = ""
    stored: frozenset[str] = frozenset()


Read = Callable[[str], Number]
NOWHERE = Elsewhere()


def elsewhere(columns: Iterable[tuple[str, Iterable[str]]], delimiter: str = "") -> Elsewhere:
    """Return what the other columns of a table, by name, tell of a comma, or else what stands between its cells.

    Numbers with a decimal point or a decimal comma are written so in all columns; and where semicolons stand between
    cells the comma is the decimal one, as programs write tables in languages that have it.

    See: RFC 4180 and the list separator of Windows, which is a semicolon where the decimal sign is a comma
    """
    found: dict[str, tuple[str, str]] = {}
    for name, cells in columns:
        for cell in cells:
            kind = _GROUPS if _WITH_POINT.fullmatch(cell) else _DECIMAL if _WITH_COMMA.fullmatch(cell) else ""
            if kind:
                found.setdefault(kind, (name, cell))
        if len(found) > 1:
            return NOWHERE
    if found:
        kind, (name, cell) = next(iter(found.items()))
        return Elsewhere(kind, f"as column '{name}' has '{cell}'")
    return Elsewhere(_DECIMAL, "as semicolons stand between the cells") if delimiter == ";" else NOWHERE


def spelled(text: str) -> str:
    """Return text with one spelling of micro (two Unicode signs, and u), of minus and of mol/L."""
    if not text.isascii():
        text = text.replace("µ", "u").replace("μ", "u").replace("−", "-")
    return _MOL_PER_LITRE.sub(r"\1M", text) if "mol/" in text else text


def reader(cells: Sequence[str], told: Elsewhere = NOWHERE) -> Read:
    """Return what reads the cells of a column; what a comma means is told by all of them, or else by the table."""
    commas = _commas(cells, told)
    return lambda cell: _number(cell, commas)


def remarks(name: str, cells: Sequence[str], told: Elsewhere = NOWHERE) -> list[str]:
    """Say of a column of numbers what was made of commas, spreads and words such as "ca."."""
    commas, read = _commas(cells, told), reader(cells, told)
    why = f", {told.why}" if told.why and _commas(cells, NOWHERE) != commas else ""
    found: dict[str, list[str]] = {"spread": [], "about": [], "comma": []}
    for cell in cells:
        if cell.isascii() and cell.replace(".", "", 1).isdigit():
            continue  # most are plain
        try:
            number = read(cell)
        except ValueError:
            continue
        kinds = {"spread": number.spread, "about": number.about, "comma": bool(_COMMA.search(cell))}
        for kind, here in kinds.items():
            found[kind] += [cell] * here
    what = {
        "spread": "a spread stands beside the value, which is taken",
        "about": "about a value, which is taken as exact",
        "comma": ("the comma stands between thousands" if commas == _GROUPS else "the comma is a decimal one") + why,
    }
    return [f"{name}: {many(len(of), 'cell')} such as '{of[0]}': {what[kind]}." for kind, of in found.items() if of]


def _number(cell: str, commas: str) -> Number:
    """Cut a cell in number, bound and unit.

    Raises: ValueError that says why it is no number.
    """
    text = _BLANK_BETWEEN.sub("", spelled(cell))
    if "," in text:
        if not commas:
            raise ValueError(
                "has a comma that may mean thousands or decimals, as all of its column; write each of them without it "
                f"({text.replace(',', '')}) or with a point ({text.replace(',', '.')})"
            )
        text = text.replace(",", "") if commas == _GROUPS else text.replace(".", "").replace(",", ".")
    elif commas == _EUROPEAN and _ONLY_POINTS_BETWEEN.fullmatch(text):
        raise ValueError("has a point that may mean thousands or decimals, as others of its column")
    found = _CELL.fullmatch(text)
    if not found:
        raise ValueError(_why_not(cell))
    value = float(found["figure"])
    if abs(value) > LARGEST:
        raise ValueError("is too large for a number; correct it")
    about = bool(found["about"]) or found["sign"] in ("~", "≈")
    return Number(value, _BOUND.get(found["sign"] or "", EXACT), found["unit"] or "", bool(found["spread"]), about)


def _why_not(cell: str) -> str:
    word = cell.strip().lower()
    if word in _NO_EFFECT:
        return "says no number; write the bound that it stands for, such as > the highest concentration tested"
    if word.replace(" ", "") in _BELOW_LIMIT:
        return "says no number; write the limit as a bound, such as <0.5"
    return "is not a number; correct it, or leave it blank where nothing was measured"


def _commas(cells: Sequence[str], told: Elsewhere) -> str:
    """Return what the commas of a column are: decimal, between groups of three digits, "" where nobody can know."""
    commas = [cell for cell in cells if _COMMA.search(cell)]
    if not commas:
        return ""
    groups = [cell for cell in commas if _SURELY_THOUSANDS.fullmatch(cell)]
    points = any(_POINT.search(cell) for cell in cells if not (_COMMA.search(cell) or cell in told.stored))
    if any(map(_POINTS_BETWEEN.fullmatch, commas)):
        return "" if groups else _EUROPEAN
    if any(not _THOUSANDS.fullmatch(cell) for cell in commas if cell not in groups):
        return "" if groups or points else _DECIMAL
    return _GROUPS if groups or points or any(map(_ROUND.fullmatch, commas)) else told.commas
