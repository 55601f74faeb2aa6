"""Targets out of text cells: numbers, bounds, concentrations, labels; what is neither is rejected, never guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from shlex import quote
from statistics import median

import pandas as pd

from molgraph.data.numbers import NOWHERE, Elsewhere, elsewhere, reader, spelled
from molgraph.data.numbers import Read as Parse
from molgraph.data.stream import Stored
from molgraph.data.targets import ABOVE, BELOW
from molgraph.errors import ConfigError, DataError, did_you_mean

# Powers of ten of the SI prefixes (BIPM, The International System of Units, 9th edition, table 7).
CONCENTRATIONS = {"M": 0, "mM": -3, "uM": -6, "nM": -9, "pM": -12, "fM": -15}
# Free energies of binding: dG = RT ln(Kd / 1 M), so pK = -dG / (RT ln 10), at 298.15 K.
# See: IUPAC Gold Book, standard reaction Gibbs energy; CODATA 2018 for R; the thermochemical calorie is 4.184 J.
_GAS, _KELVIN, _CALORIE = 8.314462618, 298.15, 4.184
_RT_LN_10 = _GAS * _KELVIN * math.log(10) / 1000  # kJ/mol
ENERGIES = {"kcal/mol": _CALORIE / _RT_LN_10, "kJ/mol": 1 / _RT_LN_10}  # what one unit of -dG adds to pK
LOGARITHM = "pK"  # a column that is a negative decadic logarithm of a molar concentration already
LIKELY = 2.0, 13.0  # of a pK: from fragments to the tightest drugs
USUAL = 4.0, 10.0  # of the middle pK of a table
STRONGEST = 15.0  # of a pK: biotin and avidin. See: Green 1990, https://doi.org/10.1016/0076-6879(90)84259-J
UNITS = (*CONCENTRATIONS, *ENERGIES, LOGARITHM)
_MOLAR = re.compile(r"[ _\-]*[(\[]?([munpfµμ]?M)[)\]]?$")
_CONCENTRATION = re.compile(rf"(?<![a-z])(?<!p[ _\-])(K[id]|[IE]C50)({_MOLAR.pattern})?$", re.IGNORECASE)
_MOLAR_IN_NAME = re.compile(r"(?:[ _\-][(\[]?|[(\[])([munpfµμ]M)[)\]]?$|[(\[](M)[)\]]$")  # of whatever
_LOGARITHM = re.compile(r"(?<![A-Za-z])([lL]og|p[ _\-]?(K[aid]?|[A-Z][A-Z]50)(?![A-Za-z]))")
_LOGARITHM_IN_ANY_CASE = re.compile(r"^p[ _\-]?(K[aid]?|[A-Z][A-Z]50)(?![A-Za-z])", re.IGNORECASE)
_ENERGY_IN_NAME = re.compile(r"[ _\-]*[(\[]?k(cal|J)([/_ ]?mol)?[)\]]?$", re.IGNORECASE)

Read = Callable[[str], tuple[float, int]]  # a cell to (value, bound); ValueError says why not


def target_name(name: str, unit: str = "nM") -> str:
    """Return what a concentration or free energy is called once it is a logarithm.

    >>> target_name("IC50"), target_name("Kd_nM"), target_name("EC50 (uM)"), target_name("dG_kcal", "kcal/mol")
    ('pIC50', 'pKd', 'pEC50', 'pK_dG')
    """
    if unit == LOGARITHM:
        return name
    if unit in ENERGIES:
        return f"pK_{_ENERGY_IN_NAME.sub('', name)}".rstrip("_")
    return "p" + (_MOLAR.sub("", name) or name)


def is_logarithm(name: str) -> bool:
    """Tell whether a column is called as a logarithm.

    >>> is_logarithm("logS"), is_logarithm("pIC50"), is_logarithm("clearance")
    (True, True, False)
    """
    return bool(_LOGARITHM.search(name) or _LOGARITHM_IN_ANY_CASE.search(name))


def told_elsewhere(frame: pd.DataFrame, name: str, cells: Sequence[str], delimiter: str) -> Elsewhere:
    """Return what the rest of a text tells of the commas of a column: a workbook writes its numbers its own way, with
    points where the user sees commas, so these tell nothing."""
    if not any("," in cell for cell in cells):
        return NOWHERE
    if not delimiter:
        return Elsewhere(stored=frozenset(str(cell) for cell in frame[name] if isinstance(cell, Stored)))
    columns = ((str(other), map(str.strip, map(str, frame[other]))) for other in frame.columns if other != name)
    return elsewhere(columns, delimiter)


def number_reader(name: str, cells: Sequence[str], unit: str | None, told: Elsewhere = NOWHERE) -> Read:
    """Return what reads the numbers and bounds of a column, in a unit as the logarithm it becomes.

    Raises: DataError and ConfigError for cells, names and units that do not go together (see `kinds.read`).
    """
    number = reader(cells, told)
    if unit is None:
        _refuse_units(name, cells, number)
        _refuse_no_unit(name)
        return lambda cell: number(cell)[:2]
    declared = spelled(unit)
    if declared not in UNITS:
        raise ConfigError(
            f"unknown unit '{unit}' for '{name}'{did_you_mean(unit, UNITS)} Only these are converted; another one "
            f"belongs into the name of the column, as in '{name} ({unit})'."
        )
    if declared == LOGARITHM:
        return lambda cell: number(cell)[:2]
    _refuse_called_otherwise(name, cells, number, declared)
    _refuse_implausible(name, cells, number, declared)
    return lambda cell: _negative_log(*number(cell)[:3], declared)


def _negative_log(value: float, bound: int, unit: str, declared: str) -> tuple[float, int]:
    """Return pK; more of a concentration or a free energy is less of it, so a bound turns round."""
    unit = unit or declared
    if unit in ENERGIES:
        return -value * ENERGIES[unit], -bound
    if value <= 0:
        raise ValueError("is no concentration: it has no logarithm; correct it, or leave it blank")
    return -(math.log10(value) + CONCENTRATIONS[unit]), -bound


def _refuse_called_otherwise(name: str, cells: Sequence[str], number: Parse, declared: str) -> None:
    """Refuse a unit that the name of the column contradicts: another unit, or a logarithm already."""
    named = unit_in_name(name)
    if named and named != declared:
        raise DataError(
            f"{name}: is called as in {named}, and declared in {declared}; add --units {quote(f'{name}:{named}')}, or "
            "rename the column"
        )
    within = [LIKELY[0] <= value <= LIKELY[1] for value in _numbers(cells, number)]
    if _LOGARITHM.search(name) or (_LOGARITHM_IN_ANY_CASE.search(name) and within and all(within)):
        raise DataError(
            f"{name}: is called as a logarithm already, and {declared} would take one again; add --units "
            f"{quote(f'{name}:{LOGARITHM}')} where it holds -log10 of a molar concentration, or rename the column"
        )


def _numbers(cells: Sequence[str], number: Parse) -> Iterator[float]:
    for cell in cells:
        with suppress(ValueError):
            yield number(cell).value


def _refuse_implausible(name: str, cells: Sequence[str], number: Parse, declared: str) -> None:
    """Refuse affinities that can hardly be such in this unit: half of them do not bind, or better than anything."""
    most, least = [], []  # what a bound leaves possible
    for cell in cells:
        with suppress(ValueError):
            value, bound = _negative_log(*number(cell)[:3], declared)
            most.append(math.inf if bound == ABOVE else value)
            least.append(-math.inf if bound == BELOW else value)
    if len(most) < 2:
        return
    if declared in ENERGIES and median(most) <= 0:
        raise DataError(
            f"{name}: most free energies are not below 0, so the column may hold -dG, ddG or something else; "
            "give dG of binding (negative for what binds), or convert it yourself and declare pK"
        )
    weak, strong = median(most) < 0, median(least) > STRONGEST
    if weak or strong:
        than = "weaker than 1 M" if weak else "stronger than 1 fM"
        middle = median(most if weak else least)
        raise DataError(
            f"{name}: half of the values or more are {than}, so the unit is hardly {declared}; declare that of the "
            f"cells{_plausible(middle, declared)}"
        )


def _plausible(middle: float, declared: str) -> str:
    """Say which other unit would make an affinity of the middle value, if one does."""
    for unit in ("nM", "uM", "M", "mM", "pM"):  # the usual ones first
        value = middle + CONCENTRATIONS.get(declared, 0) - CONCENTRATIONS[unit]
        if declared in CONCENTRATIONS and USUAL[0] <= value <= USUAL[1]:
            return f" (in {unit} the middle one is a pK of {value:.1f})"
    return ""


def unit_in_name(name: str) -> str:
    """Return the unit that a column is called by, "" where it names none.

    >>> [unit_in_name(n) for n in ("affinity_nM", "Kd [µM]", "ki_um", "dG (kcal/mol)", "height_M", "wavelength_nm")]
    ['nM', 'uM', 'uM', 'kcal/mol', '', '']
    """
    energy = _ENERGY_IN_NAME.search(name)
    if energy:
        return "kcal/mol" if energy[1].lower() == "cal" else "kJ/mol"
    affinity, other = _CONCENTRATION.search(name), _MOLAR_IN_NAME.search(name)
    unit = spelled((affinity and affinity[3]) or (other and (other[1] or other[2])) or "")
    return f"{unit[:-1].lower()}M" if unit else ""


def told_unit(name: str) -> str:
    """Return the unit that the name of a concentration says, "" where it says none or is that of a logarithm.

    >>> [told_unit(n) for n in ("IC50 (nM)", "Kd_uM", "IC50", "pIC50", "log_affinity_nM", "dG (kcal/mol)")]
    ['nM', 'uM', '', '', '', '']
    """
    unit = unit_in_name(name)
    return unit if unit in CONCENTRATIONS and not _LOGARITHM.search(name) else ""


def _refuse_no_unit(name: str) -> None:
    """Refuse a concentration of unknown unit: nobody can tell nM from uM, and without a logarithm it trains badly."""
    unit = unit_in_name(name)
    called = _CONCENTRATION.search(name) or unit in CONCENTRATIONS
    if called and not _LOGARITHM.search(name):
        unit = unit or "nM"
        others = ", ".join(each for each in CONCENTRATIONS if each != unit)
        raise DataError(
            f"{name}: is called as a concentration, but no unit is declared; add --units {quote(f'{name}:{unit}')} (or "
            f"{others}), or --units {quote(f'{name}:{LOGARITHM}')} where it holds negative logarithms already; rename "
            "it where its numbers are meant as they stand"
        )


def _refuse_units(name: str, cells: Sequence[str], number: Parse) -> None:
    """Refuse a column with units that were not declared: 3 uM would be taken for less than 12 nM."""
    seen: dict[str, int] = {}
    for row, cell in enumerate(cells, start=1):
        with suppress(ValueError):
            unit = number(cell).unit if cell.endswith(("M", "/mol", "/L", "/l")) else ""
            if unit:
                seen.setdefault(unit, row)
    if seen:
        where = " and ".join(f"{unit} (row {row}: '{cells[row - 1]}')" for unit, row in seen.items())
        words = quote(f"{name}:{next(iter(seen))}")
        raise DataError(
            f"{name}: cells are in {where}, but no unit is declared; add --units {words}, the unit of the cells that "
            "name none"
        )
