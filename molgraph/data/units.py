"""Targets out of text cells: numbers, bounds, concentrations, labels; what is neither is rejected, never guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from shlex import quote
from statistics import median

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.labels import (
    MISSING,
    NO,
    YES,
    blanks_of,
    labels_of,
    refuse_words,
    same_label,
    two_classes,
    words_met,
)
from molgraph.data.numbers import NOWHERE, Elsewhere, elsewhere, reader, remarks, spelled
from molgraph.data.numbers import Read as Parse
from molgraph.data.stream import Unread
from molgraph.data.targets import ABOVE, BELOW, EXACT
from molgraph.errors import ConfigError, DataError, Reject, did_you_mean

REGRESSION, BINARY, MULTICLASS, ORDINAL = "regression", "binary", "multiclass", "ordinal"
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


@dataclass(frozen=True)
class ParsedTargets:
    """Hold the targets of N rows as they stand in the user's cells.

    Shapes: `values` float64 [N, T], NaN where nothing was measured; `bound` int8 [N, T] of EXACT, BELOW, ABOVE.
    `classes` maps a target of classes to its labels: the value is a position in them; those of a binary target are the
    negative and the positive one, none where they are yes and no. `rejects` maps (row position,
    target) to why a cell could not be read; its value is NaN, and `Reject.row` is the position + 1. `notes` say what
    was made of words that may be a class or mean that nothing was measured.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    bound: NDArray[np.int8]
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rejects: dict[tuple[int, int], Reject] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def parse_targets(
    frame: pd.DataFrame,
    names: Sequence[str],
    *,
    units: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    classes: Mapping[str, Sequence[str]] | None = None,
    positive: Mapping[str, str] | None = None,
    delimiter: str = "",
) -> ParsedTargets:
    """Read target columns.

    A column of `units` becomes a negative decadic logarithm of a molar concentration, and its name says so: of a
    concentration (nM, uM, M, ...) or of the dissociation constant that belongs to a free energy of binding (kcal/mol,
    kJ/mol, at 298.15 K); `pK` says that a column is such a logarithm already. `>10` and the like are bounds, `~10` is
    10. `kinds` says which columns are `binary`, `multiclass` or `ordinal` (else `regression`); `classes` gives labels
    known from training. Where those of a multiclass target are words, `none` is one of them. `positive` names the
    positive one of the two labels of a binary target, where it is not the larger number or the word that affirms.
    What a comma means that may stand between thousands or before decimals, other columns tell, or the `delimiter`.

    Raises: DataError for a missing column, for cells with units that were not declared, for a number called Ki, Kd,
    IC50, EC50 or as in nM without a unit, for a unit that the name contradicts, and for affinities half of which are
    no such in it (weaker than 1 M, stronger than 1 fM; free energies: not below 0); ConfigError for an unknown unit.
    """
    units, kinds, classes, positive = units or {}, kinds or {}, classes or {}, positive or {}
    for name in units:
        if name not in names:
            raise ConfigError(f"a unit is given for '{name}', which is no target{did_you_mean(name, names)}")
    values = np.full((len(frame), len(names)), np.nan)
    bound = np.zeros((len(frame), len(names)), np.int8)
    labels: dict[str, tuple[str, ...]] = {}
    rejects: dict[tuple[int, int], Reject] = {}
    notes: list[str] = []
    for t, name in enumerate(names):
        if name not in frame:
            raise DataError(f"no target column '{name}'{did_you_mean(name, map(str, frame.columns))}")
        for cell in frame[name]:
            if isinstance(cell, Unread):
                raise DataError(f"{name}: {cell.why}.")
        cells = [str(cell).strip() for cell in frame[name]]
        kind = kinds.get(name, REGRESSION)
        if kind != REGRESSION:
            labels[name] = tuple(classes[name]) if name in classes else _labels(kind, name, cells, positive)
        if kind == BINARY and labels[name] and name not in classes:
            notes.append(_which_is_positive(name, labels[name]))
        told = _elsewhere(frame, name, cells, delimiter) if kind == REGRESSION else NOWHERE
        read = _reader(kind, name, cells, units.get(name), labels.get(name, ()), told)
        blank = (blanks_of(cells) if kind == BINARY else MISSING) - {x.lower() for x in labels.get(name, ())}
        notes += remarks(name, cells, told) if kind == REGRESSION else words_met(name, cells, blank)
        if name in units and unit_in_name(name) == spelled(units[name]):
            notes.append(
                f"{name}: read in {units[name]}, as it is called; {target_name(name, units[name])} is trained."
            )
        for i, cell in enumerate(cells):
            if cell.lower() in blank:
                continue
            try:
                values[i, t], bound[i, t] = read(cell)
            except ValueError as error:
                rejects[i, t] = Reject(i + 1, cell, "invalid_target", f"{name}: '{cell}' {error}")
    renamed = tuple(target_name(n, units.get(n, LOGARITHM)) for n in names)
    return ParsedTargets(renamed, values, bound, labels, rejects, tuple(notes))


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


def _elsewhere(frame: pd.DataFrame, name: str, cells: Sequence[str], delimiter: str) -> Elsewhere:
    """Return what the rest of a text tells of the commas of a column: a workbook writes its numbers its own way."""
    if not delimiter or not any("," in cell for cell in cells):
        return NOWHERE
    columns = ((str(other), map(str.strip, map(str, frame[other]))) for other in frame.columns if other != name)
    return elsewhere(columns, delimiter)


def _reader(
    kind: str, name: str, cells: Sequence[str], unit: str | None, labels: Sequence[str], told: Elsewhere
) -> Read:
    if kind == BINARY:
        return _binary(labels)
    if kind in (MULTICLASS, ORDINAL):
        at = {label: float(i) for i, label in enumerate(labels)}
        return lambda cell: _class(cell, at)
    number = reader(cells, told)
    if unit is None:
        _refuse_units(name, cells, number)
        _refuse_no_unit(name)
        return lambda cell: number(cell)[:2]
    declared = spelled(unit)
    if declared not in UNITS:
        raise ConfigError(f"unknown unit '{unit}' for '{name}'{did_you_mean(unit, UNITS)}")
    if declared == LOGARITHM:
        return lambda cell: number(cell)[:2]
    _refuse_called_otherwise(name, cells, number, declared)
    _refuse_implausible(name, cells, number, declared)
    return lambda cell: _negative_log(*number(cell)[:3], declared)


def _binary(labels: Sequence[str]) -> Read:
    """Read one of two labels, the second positive; without labels, yes or no in any words."""
    at = {same_label(label): float(i) for i, label in enumerate(labels)}
    known = at or {**dict.fromkeys(NO, 0.0), **dict.fromkeys(YES, 1.0)}
    what = f"is neither '{labels[0]}' nor '{labels[1]}'" if labels else "is neither yes nor no; write 1 or 0"

    def read(cell: str) -> tuple[float, int]:
        label = same_label(cell)
        if label not in known:
            raise ValueError(f"{what}; leave it blank where nothing was measured")
        return known[label], EXACT

    return read


def _labels(kind: str, name: str, cells: Sequence[str], positive: Mapping[str, str]) -> tuple[str, ...]:
    if kind == BINARY:
        return two_classes(name, cells, positive.get(name, ""))
    found = labels_of(cells)
    if kind == ORDINAL:
        refuse_words(name, found)
    return found


def _which_is_positive(name: str, labels: Sequence[str]) -> str:
    no, yes = labels
    return f"{name}: '{yes}' is the positive class, '{no}' the negative; --positive {quote(f'{name}:{no}')} turns them."


def _class(cell: str, at: Mapping[str, float]) -> tuple[float, int]:
    if cell not in at:
        raise ValueError(f"is none of the classes {', '.join(at)}")
    return at[cell], EXACT


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
