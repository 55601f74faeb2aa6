"""Targets out of the cells of a table, each as its kind reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.numbers import spelled
from molgraph.data.units import LOGARITHM, target_name, unit_in_name
from molgraph.errors import ConfigError, Reject, did_you_mean
from molgraph.kinds import NAMED, Number
from molgraph.kinds.asked import Asked


@dataclass(frozen=True)
class ParsedTargets:
    """Hold the targets of N rows as they stand in the user's cells.

    Shapes: `values` float64 [N, C], NaN where nothing was measured; `bound` int8 [N, C] of EXACT, BELOW, ABOVE.
    `names` are the targets as they are trained, `columns` what is read for them, one each or several (see
    `Kind.reads`). `classes` maps a target of classes to its labels: the value is a position in them; those of a binary
    target are the negative and the positive one, none where they are 0 and 1. `rejects` maps (row position, column)
    to why a cell could not be read; its value is NaN, and `Reject.row` is the position + 1. `notes` say what was made
    of words that may be a class or mean that nothing was measured.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
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
    events: Mapping[str, Mapping[str, str]] | None = None,
) -> ParsedTargets:
    """Read target columns.

    A column of `units` becomes a negative decadic logarithm of a molar concentration, and its name says so: of a
    concentration (nM, uM, M, ...) or of the dissociation constant that belongs to a free energy of binding (kcal/mol,
    kJ/mol, at 298.15 K); `pK` says that a column is such a logarithm already. `>10` and the like are bounds, `~10` is
    10. `kinds` says by its word of which kind a column is (else a number); `classes` gives labels known from training.
    Where those of a target of several classes are words, `none` is one of them. `positive` names the positive one of
    the two labels of a binary target, where it is not the larger number or the word that affirms. What a comma means
    that may stand between thousands or before decimals, other columns tell, or the `delimiter`. `events` are
    the columns that belong to one of an event: its `time`, and the `start` of watching.

    Raises: DataError for a missing column, for cells with units that were not declared, for a number called Ki, Kd,
    IC50, EC50 or as in nM without a unit, for a unit that the name contradicts, and for affinities half of which are
    no such in it (weaker than 1 M, stronger than 1 fM; free energies: not below 0); ConfigError for an unknown unit.
    """
    units, kinds, classes, positive = units or {}, kinds or {}, classes or {}, positive or {}
    for name in units:
        if name not in names:
            raise ConfigError(f"a unit is given for '{name}', which is no target{did_you_mean(name, names)}")
    columns: list[str] = []
    values, bound = [np.zeros((len(frame), 0))], [np.zeros((len(frame), 0), np.int8)]
    labels: dict[str, tuple[str, ...]] = {}
    rejects: dict[tuple[int, int], Reject] = {}
    notes: list[str] = []
    for name in names:
        kind = NAMED[kinds[name]] if name in kinds else Number
        asked = Asked(
            units.get(name),
            classes.get(name),
            positive.get(name, ""),
            delimiter,
            beside=(events or {}).get(name, {}),
        )
        parsed = kind.parse(frame, name, asked)
        rejects |= {(row, len(columns)): reject for row, reject in parsed.rejects.items()}
        columns += kind((target_name(name, units.get(name, LOGARITHM)),)).reading
        values.append(parsed.values)
        bound.append(parsed.bound)
        notes += parsed.notes
        if parsed.labels is not None:
            labels[name] = parsed.labels
        if name in units and unit_in_name(name) == spelled(units[name]):
            trained = target_name(name, units[name])
            notes.append(f"{name}: read in {units[name]}, as it is called; {trained} is trained.")
    renamed = tuple(target_name(name, units.get(name, LOGARITHM)) for name in names)
    whole = np.concatenate(values, axis=1), np.concatenate(bound, axis=1)
    return ParsedTargets(renamed, tuple(columns), *whole, labels, rejects, tuple(notes))
