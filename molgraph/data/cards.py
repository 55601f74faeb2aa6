"""Cards of known datasets: what a table holds, where it comes from, who may use it and who is to be cited."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.resources import files as resources
from importlib.resources.abc import Traversable
from itertools import groupby
from typing import Any, TypeVar

from molgraph.data.fetch import Expected
from molgraph.errors import ConfigError, DataError, did_you_mean

INPUTS = frozenset({"molecule", "protein", "image", "number", "category"})
MIRROR, PACKAGE = "mirror", "package"

Made = TypeVar("Made")


@dataclass(frozen=True)
class Target:
    """Describe a column to be predicted; `unit` is blank where there is none."""

    name: str
    kind: str
    unit: str = ""


@dataclass(frozen=True)
class File:
    """Say where a file lies and how its cells become the columns of the card.

    `at` is `mirror:PATH` (below the folder MOLGRAPH_DATA), `package:PATH` (inside an installed package) or an
    address. The files of one source stand together: they are stacked, or joined where `join` names a shared
    column (`row`: side by side). `name` is the file's name on disk, `member` the one inside a zip file, `rename`
    maps a column in the file to its name in the card, `add` holds columns with one value, `header` the names
    where the file has none (after `skip` lines).
    """

    at: str
    name: str = ""
    member: str = ""
    sha256: str = ""
    md5: str = ""
    bytes: int = 0
    rename: Mapping[str, str] = field(default_factory=dict)
    add: Mapping[str, str] = field(default_factory=dict)
    join: str = ""
    header: tuple[str, ...] = ()
    skip: int = 0
    separator: str = ""

    @property
    def scheme(self) -> str:
        """Return what kind of place it is: mirror, package, https or http."""
        return self.at.partition(":")[0]

    @property
    def place(self) -> str:
        """Return the path of a mirror or package file."""
        return self.at.partition(":")[2]

    @property
    def filename(self) -> str:
        """Return the name of the file on disk."""
        return self.name or self.at.partition("?")[0].rpartition("/")[2]

    @property
    def expected(self) -> Expected:
        """Return what is known of the file's content."""
        return Expected(self.sha256, self.md5, self.bytes)


@dataclass(frozen=True)
class Card:
    """Describe a dataset as `load` returns it.

    `columns` maps every column that is no target to what it is (molecule, protein, image, number, category:
    inputs; id, split, fold, name: not). `split` and `metric` are those of the benchmark the set belongs to,
    else recommended. `rows` is 0 where nobody has counted.
    """

    name: str
    room: str
    title: str
    task: str
    split: str
    metric: str
    licence: str
    citation: str
    page: str
    rows: int
    columns: Mapping[str, str]
    targets: tuple[Target, ...]
    files: tuple[File, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the columns a model may read."""
        return tuple(name for name, what in self.columns.items() if what in INPUTS)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns of the table, in order."""
        return (*self.columns, *(target.name for target in self.targets))

    @property
    def sources(self) -> tuple[tuple[File, ...], ...]:
        """Return the places to get the whole table from, nearest first; each is a group of files."""
        return tuple(tuple(group) for _, group in groupby(self.files, lambda file: file.scheme))

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.title}",
            f"  room      {self.room}",
            f"  rows      {self.rows or 'not counted'}",
            f"  inputs    {', '.join(self.inputs)}",
            f"  targets   {_listed(self.targets)}",
            f"  task      {self.task}, split {self.split or 'none'}, metric {self.metric or 'none'}",
            f"  licence   {self.licence}",
            f"  cite      {self.citation}",
            f"  page      {self.page}",
            *(f"  from      {file.at}" for file in self.files),
            *(f"  note      {note}" for note in self.notes),
        ]
        return "\n".join(lines)


def _listed(targets: tuple[Target, ...], most: int = 12) -> str:
    shown = [f"{t.name} ({t.kind}{', ' + t.unit if t.unit else ''})" for t in targets[:most]]
    more = [f"and {len(targets) - most} more"] if len(targets) > most else []
    return ", ".join(shown + more) or "none"


@cache
def _found() -> dict[str, Traversable]:
    """Return the TOML file of every card."""
    return {
        file.name.removesuffix(".toml"): file
        for file in resources("molgraph.datasets").iterdir()
        if file.name.endswith(".toml")
    }


def names() -> tuple[str, ...]:
    """Return the names of all known datasets."""
    return tuple(sorted(_found()))


@cache
def card(name: str) -> Card:
    """Return the card of a dataset.

    Raises: ConfigError for an unknown name, with the nearest known one.
    """
    if name not in _found():
        raise ConfigError(f"unknown dataset '{name}'{did_you_mean(name, names())}")
    return parse(_found()[name].read_text(encoding="utf-8"), name)


def show(name: str) -> str:
    """Return a card as a person reads it."""
    return str(card(name))


def parse(text: str, name: str) -> Card:
    """Read a card from TOML.

    Raises: DataError naming the card and the key that is unknown or missing.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"card '{name}': no valid TOML: {error}") from error
    made = dict(given) | {
        "name": name,
        "targets": tuple(_targets(given.get("targets", []), name)),
        "files": tuple(_build(File, one, name) for one in given.get("files", [])),
        "notes": tuple(given.get("notes", [])),
    }
    return _build(Card, made, name)


def _targets(groups: list[dict[str, Any]], name: str) -> Iterator[Target]:
    """Yield one target per name: a group of the card gives `names` that share kind and unit."""
    for group in groups:
        shared = {key: value for key, value in group.items() if key != "names"}
        for each in group.get("names", []):
            yield _build(Target, shared | {"name": each}, name)


def _build(made: type[Made], given: Mapping[str, Any], name: str) -> Made:
    known = [each.name for each in fields(made)]  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            raise DataError(f"card '{name}': unknown key '{key}'{did_you_mean(key, known)}")
    try:
        return made(**{key: tuple(v) if isinstance(v, list) else v for key, v in given.items()})
    except TypeError as error:
        raise DataError(f"card '{name}': {error}") from error
