"""What a room (molecules, images, patients) offers the floors above it, which never ask what it holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.cells import Cells
from molgraph.data.dataset import ABSENT
from molgraph.data.fields import Fields
from molgraph.data.packed import Packed
from molgraph.data.table import BLOCK, Table
from molgraph.errors import ConfigError, Reject


class Noun(NamedTuple):
    """Say what one thing of a room is called, and several."""

    one: str
    many: str


NO_COLUMN = "no_column"  # the remedy where an input stands in no column
ROW = Noun("row", "rows")  # what holds things of several rooms


@dataclass(frozen=True)
class Prepared:
    """Hold what a room made of n texts: the distinct parts, a key for each, and which text is which part.

    Shapes: `index` int64 [n], -1 where the text was rejected. `rejects` maps the position of a rejected
    text to its reason; `Reject.row` there is the position + 1 and is renumbered by the caller. `said` maps that of
    another to what its user should know of how it was read.
    """

    parts: Packed
    index: NDArray[np.int64]
    keys: tuple[str, ...]
    rejects: dict[int, Reject]
    said: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """Hold what was written to show where a model looked at one part.

    `pointing` is 1 where it looked most inside of the mask, else 0, and `share` how much of the part the mask fills;
    both NaN without a mask. `pictures` are small PNG files for a page, the part and the same with colour over it;
    `where` says in a sentence where it looked.
    """

    files: tuple[str, ...]
    pointing: float
    share: float
    pictures: tuple[bytes, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Owners:
    """Hold what the files of n texts say of which of them belong together.

    `words` has, by name of a group (patient), for each text the words that it shares with those of its group; `notes`
    say what was not used, and why.
    """

    words: Mapping[str, Sequence[Set[Hashable]]]
    notes: tuple[str, ...] = ()


class Reads(Protocol):
    """Stream a user's file as tables; a room knows its own formats, and takes as keywords what is given `beside`."""

    def __call__(self, source: Any, column: str | None = None, *, block: int = BLOCK) -> Iterator[Table]: ...


class OfText(Protocol):
    """Make parts of texts."""

    def __call__(
        self, texts: Sequence[str], needs: Collection[str], *, standardise: bool | int = True, workers: int = 1
    ) -> Prepared: ...


class Prepares(Protocol):
    """Make parts of cells; `needs` are feature names, `standardise` true, false or the number of earlier rules."""

    def __call__(
        self, cells: Cells, needs: Collection[str], *, standardise: bool | int = True, workers: int = 1
    ) -> Prepared: ...


class Draws(Protocol):
    """Draw what a key stands for as SVG; where there is nothing to draw, the picture says so."""

    def __call__(
        self, key: str, *, width: int = 240, height: int = 160, highlight: Mapping[int, float] | None = None
    ) -> str: ...


class Shows(Protocol):
    """Write attributions [n, ...] to what a feature has of a part over the part itself, in files whose names begin as
    `goal`, or say why not."""

    def __call__(
        self, key: str, feature: str, maps: NDArray[np.float32], goal: Path, mask: str = ""
    ) -> Shown | Reject: ...


@dataclass(frozen=True)
class OfTexts:
    """Be the `Reading.prepare` of a room whose inputs stand in one column, by what makes parts of its texts.

    No closure, so that what holds a room can be pickled.
    """

    prepare: OfText

    def __call__(
        self, cells: Cells, needs: Collection[str], *, standardise: bool | int = True, workers: int = 1
    ) -> Prepared:
        return self.prepare(cells.texts, needs, standardise=standardise, workers=workers)


class Index(Protocol):
    """Find the nearest of the training parts."""

    def nearest(self, parts: Packed) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return for each of P parts the position of the nearest training part and the similarity in [0, 1]."""
        ...

    def nearest_among(self, parts: Packed, groups: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the same for G groups of training parts each, a bool [G, M] that says which: both [G, P]."""
        ...

    def leave_one_out(self) -> NDArray[np.float32]:
        """Return the similarity of each of the M training parts to the nearest other one."""
        ...

    def similarity(self, parts: Packed) -> NDArray[np.float32]:
        """Return the similarity of each of P parts to each training part, [P, M]."""
        ...


@dataclass(frozen=True)
class Descriptors:
    """Hold a few plain numbers that a person knows of a part: their names, and `of(keys) -> float64 [P, D]`."""

    names: tuple[str, ...]
    of: Callable[[Sequence[str]], NDArray[np.float64]]

    def of_rows(self, keys: Sequence[str], index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return those of rows, [N, D], by which key each has; NaN where it has none."""
        used, inverse = np.unique(index, return_inverse=True)
        made = np.full((len(used), len(self.names)), np.nan)
        there = used != ABSENT
        made[there] = self.of([keys[at] for at in used[there].tolist()])
        return made[inverse.reshape(-1)]


Grouper = Callable[[Sequence[str]], NDArray[np.int64]]


@dataclass(frozen=True)
class Reading:
    """Say how a user's file becomes parts.

    - `read`, `prepare`: see `Reads`, `Prepares`.
    - `columns`: the usual names of the input column, first choice first.
    - `with_fields(fields)`: the room of those who read several columns, once it is known which (`fields`); None where
      each input stands in one.
    - `ids`: the usual names of a column that names the parts, beside another input.
    - `beside`: names of files that `read` takes beside the source (the protein of a file of poses).
    - `tells`: features that, asked for, say what a text is (a vector, not a sequence); kept wherever it is read again.
    - `remedies`: by reason of a reject that says a column holds something else, what to do about it; {column} and
      {section}, the settings of the input, are filled in. Under `NO_COLUMN` a shorter way to give one for all rows.
    - `belongs`: by name of a group (patient), the usual names of a column whose equal cells never stand on two sides of
      a split; `owners(texts)` the same by what the files themselves say, None where they say nothing.
    - `subgroups`: by name of a property (site), the usual names of a column whose groups are judged apart.
    - `task`: what a target is where nobody says: "regression", or "auto" by what its cells are.
    - `called`: by name of a feature that is numbers of a part as a whole, what a person calls each.
    - `hit`: whether its parts are what those of another input hit, as drugs hit proteins; such can be ranked.
    """

    read: Reads
    prepare: Prepares
    columns: tuple[str, ...] = ()
    with_fields: Callable[[Fields], Room] | None = None
    fields: Fields | None = None
    ids: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    remedies: Mapping[str, str] = field(default_factory=dict)
    belongs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owners: Callable[[Sequence[str]], Owners] | None = None
    subgroups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    task: str = "regression"
    called: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hit: bool = False

    def again(self, keys: Sequence[str], frame: pd.DataFrame) -> Cells:
        """Return the cells of parts that were read before, by their keys, or by the columns of the rows they stood in.

        Raises: DataError where such a column is missing.
        """
        if self.fields is None:
            return Cells.of(keys)
        held = self.fields.transfer([str(name) for name in frame.columns], "the rows read before")
        return Cells({name: [str(text) for text in frame[column].fillna("")] for name, column in held.items()})


@dataclass(frozen=True)
class Likeness:
    """Say which parts are the same, alike, or belong together.

    - `identity(keys)`: one text per key, equal where two parts are the same thing.
    - `repeats`: whether equal parts are the same thing, measured again; two patients of one age are not.
    - `holds(keys)`: by name of a thing (picture), what each key holds of it; what is the same in two never stands on
      two sides of a split, though they differ in the rest.
    - `made_of(keys)`: what each key is made of (elements), as words: what no training part holds, no model has learnt.
    - `beyond(known, parts)`: which numbers of each part lie outside of those of all known ones, in words, "" for none:
      conditions that nobody has tried; None where parts are no numbers that a person has chosen.
    - `groupers`: named ways to group keys, each `keys -> int64 [P]`; `default_group`, one of them, splits where nobody
      says how.
    - `index(parts)`: the nearest-neighbour index of the feature `fingerprint`. Without one there are no neighbours and
      no domain.
    - `near`: the similarity by `index` from which parts count as near duplicates; None where none says so. `related`:
      that below which parts have nothing to do with each other.
    - `diverse(parts, k)`: positions of k parts that differ most, the first part among them.
    """

    identity: Callable[[Sequence[str]], list[str]] = list
    repeats: bool = True
    holds: Mapping[str, Callable[[Sequence[str]], Sequence[Set[Hashable]]]] = field(default_factory=dict)
    made_of: Callable[[Sequence[str]], list[frozenset[str]]] | None = None
    beyond: Callable[[Packed, Packed], list[str]] | None = None
    groupers: Mapping[str, Grouper] = field(default_factory=dict)
    default_group: str = "random"
    fingerprint: str = ""
    index: Callable[[Packed], Index] | None = None
    near: float | None = None
    related: float = 0.0
    diverse: Callable[[Packed, int], list[int]] | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Return what `index` needs of a part, none where there is no index."""
        return (self.fingerprint,) if self.index is not None else ()

    def indexed(self, parts: Packed) -> Index:
        """Return the index of parts.

        Raises: ConfigError where the room has none.
        """
        if self.index is None:
            raise ConfigError("its room does not say which parts are alike (Likeness.index).")
        return self.index(parts)


def in_words(key: str, *, width: int = 240, height: int = 160, highlight: Mapping[int, float] | None = None) -> str:
    """Write a key where there is no picture."""
    text = key if len(key) <= width // 7 else f"{key[: width // 7 - 3]}..."
    label = f'<text x="4" y="{height // 2}" font-family="sans-serif" font-size="12">{escape(text)}</text>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{label}</svg>'


def no_properties(keys: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    """Return no column: all that is known of a part stands in the user's table.

    Raises: ConfigError where one is asked for.
    """
    if names:
        raise ConfigError(f"there are no further properties here, and '{names[0]}' is asked for.")
    return pd.DataFrame(index=range(len(keys)))


@dataclass(frozen=True)
class Face:
    """Say what a person sees of a part.

    - `draw`: a picture for pages (see `Draws`); `picture(text)`: a PNG of what a text says, for spreadsheets, b"" where
      it says nothing; None where there is none.
    - `written`: what a key is called that a person reads (`smiles`); "" where none does.
    - `columns_of(keys, names)`: extra columns of a screen, one row per key; `properties` are their names, `alerts`
      those of them whose words warn.
    - `show`: see `Shows`; None where nothing can be shown yet.
    """

    draw: Draws = in_words
    picture: Callable[[str], bytes] | None = None
    written: str = ""
    columns_of: Callable[[Sequence[str], Sequence[str]], pd.DataFrame] = no_properties
    properties: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    show: Shows | None = None


@dataclass(frozen=True)
class Rivals:
    """Say what a model has to beat, and by what it is judged.

    - `comparator`: the registered model a practitioner would use instead; "" where none is known.
    - `descriptors`: what an equation that a model has to beat is made of; None where nobody writes such.
    - `latest(parts, field)`: the last known value of a field, float64 [P], NaN where it is unknown, which is what who
      foretells has to beat; None where there are no fields.
    - `metrics`: the metrics shown first of what is measured of it together with another input.
    """

    comparator: str = ""
    descriptors: Descriptors | None = None
    latest: Callable[[Packed, str], NDArray[np.float64]] | None = None
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Room:
    """Offer one kind of data to the floors above: how it is read, and, where it is known, what is alike, what a person
    sees and what a model has to beat. `noun` is what a person calls what it holds."""

    name: str
    noun: Noun
    reading: Reading
    likeness: Likeness = Likeness()
    face: Face = Face()
    rivals: Rivals = Rivals()
