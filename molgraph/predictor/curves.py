"""Curves: several future values of a quantity, which stand in columns of their own or in records over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from molgraph.config import RunSettings
from molgraph.data.labels import MISSING
from molgraph.data.records import NOBODY, Seen
from molgraph.data.table import Table
from molgraph.errors import ConfigError, DataError, did_you_mean, many
from molgraph.predictor.inputs import Inputs
from molgraph.predictor.records import long_table, seen, source_of

KEYS = ("columns", "ahead", "visits", "within")


@dataclass(frozen=True)
class Horizons:
    """Say which future values of a quantity are foretold: those in `columns`, those at times `ahead` of the row's
    moment (`within` that much of it), or those at the next visits, by their number."""

    name: str
    columns: tuple[str, ...] = ()
    ahead: tuple[float, ...] = ()
    visits: tuple[int, ...] = ()
    within: float = 0.0

    @classmethod
    def of(cls, name: str, section: Mapping[str, Any]) -> Self:
        """Read a section of a run file, [curves.NAME].

        Raises: ConfigError for an unknown key, a wrong value, and where not one of the three ways is said.
        """
        for key in section:
            if key not in KEYS:
                raise ConfigError(f"unknown key 'curves.{name}.{key}'{did_you_mean(key, KEYS)}")
        ways = [key for key in KEYS[:3] if section.get(key)]
        if len(ways) != 1:
            raise ConfigError(
                f"[curves.{name}]: say one of columns = [...], ahead = [1, 2] (times), visits = [1, 2] (numbers)."
            )
        for way, kinds in (("columns", (str,)), ("ahead", (int, float)), ("visits", (int,))):
            for value in section.get(way, ()):
                if type(value) not in kinds or value in ("", 0) or (way != "columns" and value < 0):
                    raise ConfigError(f"curves.{name}.{way}: {value!r} is none; numbers are above 0.")
        within = section.get("within", 0.0)
        if isinstance(within, bool) or not isinstance(within, int | float) or within < 0:
            raise ConfigError(f"curves.{name}.within = {within!r}: a number from 0 on is needed.")
        ahead = tuple(sorted(float(each) for each in section.get("ahead", ())))
        visits = tuple(sorted(section.get("visits", ())))
        return cls(name, tuple(section.get("columns", ())), ahead, visits, float(within))

    @property
    def targets(self) -> tuple[str, ...]:
        """Name the target of each horizon."""
        times = [f"{self.name}+{each:g}" for each in self.ahead]
        return self.columns or (
            *times,
            *(f"{self.name}+{many(each, 'visit').replace(' ', '')}" for each in self.visits),
        )

    @property
    def near(self) -> float:
        """Return how far from the time asked for a value may lie: what is said, else half of the smallest step."""
        return self.within or float(np.diff([0.0, *self.ahead]).min()) / 2

    def added(self, sight: Seen) -> dict[str, list[str]]:
        """Return the cells of each target, from the records that lie in the future of each row, "" where there is none.

        Raises: DataError where no record has the quantity.
        """
        frame = sight.records.frame
        if self.name not in frame:
            raise DataError(
                f"{sight.records.origin}: no column '{self.name}' of a curve{did_you_mean(self.name, map(str, frame))}"
            )
        cells = [str(cell).strip() for cell in frame[self.name]]
        found: dict[str, list[str]] = {name: [""] * len(sight) for name in self.targets}
        for row, thing in enumerate(sight.whose.tolist()):
            if thing == NOBODY or row in sight.lost:
                continue
            first, end = sight.records.offsets[thing : thing + 2].tolist()
            mine = np.arange(first, end)[sight.records.time[first:end] > sight.until[row]]
            times = sight.records.time[mine]
            picks = self._by_time(times - sight.until[row], [cells[at] for at in mine]) if self.ahead else None
            picks = self._by_visit(times) if picks is None else picks
            for name, pick in zip(self.targets, picks, strict=True):
                if pick is not None:
                    found[name][row] = cells[mine[pick]]
        return found

    def _by_time(self, gone: Any, cells: Sequence[str]) -> list[int | None]:
        """Return the known value nearest to each time ahead, if one is near enough."""
        known = np.array([cell.lower() not in MISSING for cell in cells], dtype=bool)
        picks: list[int | None] = []
        for wanted in self.ahead:
            off = np.where(known, np.abs(gone - wanted), np.inf)
            near = len(off) > 0 and off.min() <= self.near * (1 + 1e-9)
            picks.append(int(off.argmin()) if near else None)
        return picks

    def _by_visit(self, times: Any) -> list[int | None]:
        """Return the first record of each of the next visits, which are those of different times."""
        _, first = np.unique(times, return_index=True)
        return [int(first[number - 1]) if number <= len(first) else None for number in self.visits]


def horizons(run: RunSettings) -> tuple[Horizons, ...]:
    """Return the curves of a run.

    Raises: ConfigError as `Horizons.of`.
    """
    return tuple(Horizons.of(name, section) for name, section in run.curves.items())


def latest(run: RunSettings) -> dict[str, str]:
    """Return by target of a curve the field whose last value stands for it now."""
    return {target: each.name for each in horizons(run) for target in each.targets}


def with_curves(run: RunSettings, table: Table, inputs: Inputs) -> tuple[RunSettings, Table, tuple[str, ...]]:
    """Return a run with the horizons of its curves as targets, the table with their values where they come from
    records over time, and what is said of them.

    Raises: ConfigError where a curve is asked from records and there are none; DataError as `Horizons.added`.
    """
    asked, notes = horizons(run), []
    targets = [name for each in asked for name in each.targets]
    run = replace(run, targets=list(dict.fromkeys([*run.targets, *targets])))
    for each in asked:
        if each.columns:
            continue
        slot = next((slot for slot in inputs.slots if slot.line is not None), None)
        if slot is None or slot.line is None:
            raise ConfigError(f"[curves.{each.name}]: values ahead stand in visits: --inputs visits.csv:patient_id.")
        source = source_of(slot.line, inputs.given, inputs.lacked is not None)
        long = long_table(slot.line, table, source, inputs.made)
        line = slot.line.settled(long, table) if inputs.lacked is None else slot.line
        cells = each.added(seen(line, table, source, inputs.made))
        twice = [name for name in cells if name in table.frame]
        if twice:
            raise DataError(f"{table.origin}: has a column '{twice[0]}' already; rename it.")
        frame = pd.concat([table.frame, pd.DataFrame(cells, index=table.frame.index, dtype=object)], axis="columns")
        table = replace(table, frame=frame, added=(*table.added, *cells))
        if not any(map(any, cells.values())):
            reach = f" within {each.near:g} of it" if each.ahead else ""
            units = "dates, which count in days" if line.dates else "numbers"
            raise DataError(
                f"{long.origin}: no row has a future value of '{each.name}' at {' or '.join(cells)}{reach}; the times "
                f"of '{line.time}' are {units}."
            )
        known = ", ".join(f"{sum(map(bool, texts)):,} of {name}" for name, texts in cells.items())
        how = f", each within {each.near:g}" if each.ahead else ""
        notes.append(f"{each.name}: values ahead of {len(table):,} rows: {known}{how}.")
    return run, table, tuple(notes)
