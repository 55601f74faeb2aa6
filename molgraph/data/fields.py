"""Fields of records: what the columns of a patient's table are, told once on training rows and asked of new tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.labels import MISSING, MOST, NO, YES, labels_of, same_label
from molgraph.data.numbers import reader
from molgraph.data.records import Timeline
from molgraph.errors import ConfigError, DataError, did_you_mean

NUMBER, YES_NO, CATEGORY, GRADE = "number", "yes_no", "category", "grade"
KINDS = {
    NUMBER: "a number, of which `unit`, `low` and `high` say what it may be",
    YES_NO: "yes or no, in any words that are either",
    CATEGORY: "one of `categories`",
    GRADE: "one of `categories`, which are in an order",
}
AUTO, IGNORED = "auto", "ignore"
CATEGORIES = 30  # of a column whose values are taken for categories without being declared, at most
ROWS_EACH = 3  # that a category has on average, at least: a text of its own for each row is a name or a note
_UNIT = re.compile(r"\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$")


class Misread(Exception):
    """Say why a cell is not what its field holds: a reason in one word, and a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Field:
    """Describe one column of records.

    `unit`, `low` and `high` are of numbers (of a plausible one, None: any), `categories` of categories and grades (of
    these in their order). `over_time`: it stands in records over time (see `data.records`), not in the row.
    """

    name: str
    kind: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    over_time: bool = False

    @property
    def width(self) -> int:
        """Return how many numbers stand for it: of a category one for each, 1 or 0."""
        return len(self.categories) if self.kind == CATEGORY else 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Return what each of these numbers is called."""
        return tuple(f"{self.name}={c}" for c in self.categories) if self.kind == CATEGORY else (self.name,)

    @property
    def words(self) -> str:
        """Say in words what it holds."""
        if self.kind in (CATEGORY, GRADE):
            return (" < " if self.kind == GRADE else ", ").join(self.categories)
        ends = "" if self.low is None and self.high is None else f"{_end(self.low)} to {_end(self.high)}"
        return " ".join(filter(None, (ends, self.unit)))

    def to_toml(self) -> dict[str, Any]:
        """Return what a run file says of it; `declared` reads it back."""
        known = {k: v for k, v in asdict(self).items() if v not in (None, "", (), False) and k != "name"}
        return known | ({"categories": list(self.categories)} if self.categories else {})

    @classmethod
    def declared(cls, name: str, said: Any) -> Self:
        """Return what a run file declares: a kind, or a section with the kind and what goes with it.

        Raises: ConfigError for an unknown kind or word, categories where there are none, and none where there are some.
        """
        section = {"kind": said} if isinstance(said, str) else said
        if not isinstance(section, Mapping) or not isinstance(section.get("kind", NUMBER), str):
            raise ConfigError(f"fields.{name}: write a kind, or a section with `kind`; kinds: {', '.join(KINDS)}.")
        known = ("kind", "unit", "low", "high", "categories", "over_time")
        for key in section:
            if key not in known:
                raise ConfigError(f"unknown key 'fields.{name}.{key}'{did_you_mean(str(key), known)}")
        kind = section.get("kind", NUMBER)
        if kind not in KINDS:
            raise ConfigError(f"fields.{name}: unknown kind '{kind}'{did_you_mean(kind, KINDS)}")
        given, unit, over_time = section.get("categories", ()), section.get("unit", ""), section.get("over_time", False)
        plain = isinstance(given, list | tuple) and all(isinstance(each, str | int | float) for each in given)
        if not plain or not isinstance(unit, str) or not isinstance(over_time, bool):
            raise ConfigError(
                f"fields.{name}: `categories` are a list of words, `unit` is one, `over_time` true or false."
            )
        categories = tuple(map(str, given))
        if (kind in (CATEGORY, GRADE)) != bool(categories) or len(set(map(same_label, categories))) < len(categories):
            raise ConfigError(
                f"fields.{name}: `categories` are the different values of a category or a grade, and of nothing else."
            )
        ends = {key: _number_of(f"fields.{name}.{key}", section.get(key)) for key in ("low", "high")}
        return cls(name, kind, unit, **ends, categories=categories, over_time=over_time)

    def read(self, cells: Sequence[str]) -> tuple[NDArray[np.float64], dict[int, Misread]]:
        """Return the numbers that stand for cells [n, width], NaN of blank ones, and why others cannot be read."""
        found = np.full((len(cells), self.width), np.nan)
        bad: dict[int, Misread] = {}
        value_of = self._reader(cells)
        for at, cell in enumerate(cells):
            text = cell.strip()
            if self._blank(text):
                continue
            try:
                value = value_of(text)
            except Misread as why:
                bad[at] = why
                continue
            if self.kind == CATEGORY:
                found[at] = np.arange(self.width) == value
            else:
                found[at, 0] = value
        return found, bad

    def _blank(self, text: str) -> bool:
        """Tell whether a cell says that nothing is known; what a category is called may be one of these words."""
        return text.lower() in MISSING and same_label(text) not in map(same_label, self.categories)

    def _reader(self, cells: Sequence[str]) -> Callable[[str], float]:
        if self.kind == NUMBER:
            return self._number(cells)
        if self.kind == YES_NO:
            return self._yes_no
        place = {same_label(each): float(at) for at, each in enumerate(self.categories)}

        def category(text: str) -> float:
            if same_label(text) not in place:
                known = ", ".join(self.categories)
                raise Misread("unknown_category", f"{self.name} = '{text}' is none of those in training: {known}")
            return place[same_label(text)]

        return category

    def _number(self, cells: Sequence[str]) -> Callable[[str], float]:
        read = reader([cell.strip() for cell in cells])

        def number(text: str) -> float:
            try:
                found = read(text)
            except ValueError as why:
                raise Misread("unreadable_field", f"{self.name} = '{text}' {why}") from why
            if found.unit:
                raise Misread("unreadable_field", f"{self.name} = '{text}' has a unit; write it into the header")
            low, high = (-np.inf if self.low is None else self.low), (np.inf if self.high is None else self.high)
            if not low <= found.value <= high:
                raise Misread(
                    "implausible", f"{self.name} = {text} lies outside of {_end(self.low)} to {_end(self.high)}"
                )
            return found.value

        return number

    def _yes_no(self, text: str) -> float:
        word = text.lower()
        for words, value in ((YES, 1.0), (NO, 0.0)):
            if word in words or same_label(word) in words:
                return value
        raise Misread("unknown_category", f"{self.name} = '{text}' is neither yes nor no")


def _end(limit: float | None) -> str:
    return "any" if limit is None else f"{limit:g}"


def _number_of(key: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{key} = {value!r} has the wrong type: expected a number.")
    return float(value)


@dataclass(frozen=True)
class Fields:
    """Hold the fields of a kind of record, in their order; `left_out` says of other columns why they are none.

    `line` says how those over time are told; None where all stand in the row.
    """

    each: tuple[Field, ...]
    left_out: Mapping[str, str]
    line: Timeline | None = None

    @property
    def of_rows(self) -> tuple[Field, ...]:
        """Return those that stand in the row."""
        return tuple(field for field in self.each if not field.over_time)

    @property
    def over_time(self) -> tuple[Field, ...]:
        """Return those that stand in records over time."""
        return tuple(field for field in self.each if field.over_time)

    @classmethod
    def settle(cls, said: Mapping[str, Any], frame: pd.DataFrame, taken: Iterable[str], origin: str) -> Self:
        """Return the fields that a run file declares, told by the cells where it says "auto"; all columns where it
        declares none, but for those `taken` by something else and those that are no field.

        Raises: ConfigError as `Field.declared`; DataError for a declared column that is not there, and for one of which
        its cells do not tell what it is.
        """
        columns = [str(name) for name in frame.columns]
        declared = {name: kind for name, kind in said.items() if kind != IGNORED}
        lacking = [name for name in said if name not in columns]
        if lacking:
            raise DataError(f"{origin}: no column '{lacking[0]}' for a field{did_you_mean(lacking[0], columns)}")
        wanted = list(declared) or [name for name in columns if name not in {*taken, *said}]
        found, left_out = [], {}
        for name in wanted:
            if declared.get(name, AUTO) != AUTO:
                found.append(Field.declared(name, declared[name]))
                continue
            told = told_by(name, frame[name].astype(str).tolist())
            if isinstance(told, Field):
                found.append(told)
            elif name in declared:
                raise DataError(f"{origin}: the field '{name}' {told}; say what it is: fields.{name} = \"number\", ...")
            else:
                left_out[name] = told
        return cls(tuple(found), left_out)

    @classmethod
    def of(cls, said: Mapping[str, Any], line: Timeline | None = None) -> Self:
        """Return fields that were settled before."""
        return cls(tuple(Field.declared(name, each) for name, each in said.items() if each != IGNORED), {}, line)

    def to_toml(self) -> dict[str, Any]:
        """Return what a run file says of them."""
        return {field.name: field.to_toml() for field in self.each}

    def transfer(self, columns: Sequence[str], origin: str) -> dict[str, str]:
        """Return which column of another table of rows holds each field that stands there, by the field's name.

        Raises: DataError for one that is missing, or there in another unit.
        """
        return {field.name: transferred(field, columns, origin) for field in self.of_rows}


def transferred(field: Field, columns: Sequence[str], origin: str) -> str:
    """Return the column of a field: of its name, with or without its unit.

    Raises: DataError for one that is missing, or there in another unit.
    """
    bare, unit = split_unit(field.name)
    unit = field.unit or unit
    for same in (str, str.strip, str.casefold):
        alike = [c for c in columns if same(c) == same(field.name)]
        if len(alike) == 1:
            return alike[0]
    told = {c: split_unit(c) for c in columns}
    named = [c for c, (name, _) in told.items() if name.casefold() == bare.casefold()]
    fits = [c for c in named if told[c][1] in ("", unit)]
    if len(fits) == 1:
        return fits[0]
    if named and not fits:
        theirs = told[named[0]][1]
        raise DataError(
            f"{origin}: '{named[0]}' is in {theirs}, and the model learnt it in {unit or 'no unit'}: convert it."
        )
    near = get_close_matches(field.name, columns, n=1)
    hint = f"; did you mean '{near[0]}'? Rename it." if near else "."
    raise DataError(f"{origin}: no column '{field.name}', which the model reads{hint} Columns: {', '.join(columns)}.")


def split_unit(header: str) -> tuple[str, str]:
    """Return a header without the unit that it names, and that unit.

    >>> split_unit("creatinine (mg/dL)"), split_unit("age")
    (('creatinine', 'mg/dL'), ('age', ''))
    """
    found = _UNIT.search(header)
    return (header[: found.start()].strip(), found[1]) if found and found.start() else (header.strip(), "")


def told_by(name: str, cells: Sequence[str]) -> Field | str:
    """Return the field that the cells of a column make, or why they make none."""
    known = [text for text in (cell.strip() for cell in cells) if text.lower() not in MISSING]
    if not known:
        return "holds nothing"
    counts = Counter(map(same_label, known))
    if len(counts) < 2:
        return f"says '{known[0]}' in every row"
    if all(label in YES or label in NO for label in counts) and len(counts) == 2:
        return Field(name, YES_NO)
    if sum(map(_is_number, known)) >= MOST * len(known):
        return Field(name, NUMBER, unit=split_unit(name)[1])
    if len(counts) > CATEGORIES or len(known) < ROWS_EACH * len(counts):
        return f"holds {len(counts)} different texts in {len(known)} rows"
    shown: dict[str, str] = {}
    for text in labels_of([cell.strip() for cell in cells]):
        shown.setdefault(same_label(text), text)
    return Field(name, CATEGORY, categories=tuple(shown.values()))


def _is_number(text: str) -> bool:
    try:
        reader([text])(text)
    except ValueError:
        return False
    return True
