"""What a report says, section by section; a section that is not given is left out of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from molgraph.data.room import ROW, Noun
from molgraph.report.meaning import meaning, natural
from molgraph.screen import Histogram


@dataclass(frozen=True)
class Estimate:
    """Hold a number with its 95 % interval, or the reason why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Quality:
    """Say how good the model is for one target, on rows it has never seen.

    `scores` maps a metric's label to one estimate per method, in the order of `methods`, the model first;
    `main` is the label that is drawn; `sentences` say in plain words which is better, `verdicts` in a word per other
    method; `leaks` says what flatters the scores; `which` what the rows are to the model. `meaning` says
    what a number of the target means.
    `reliable` says whether the model knows how far off it is, and `curve` has (said, seen, rows) to draw of it.
    """

    target: str
    rows: int
    methods: tuple[str, ...]
    scores: Mapping[str, tuple[Estimate, ...]]
    main: str
    sentences: tuple[str, ...] = ()
    coverage: str = ""
    leaks: str = ""
    reliable: str = ""
    curve: tuple[tuple[float, float, int], ...] = ()
    classes: bool = False
    verdicts: tuple[str, ...] = ()
    units: str = ""
    meaning: str = ""
    which: str = "held-out rows"


@dataclass(frozen=True)
class Group:
    """Hold a subgroup: its column and how that is cut, rows, share of positives, and its scores."""

    column: str
    name: str
    rows: int
    prevalence: float | None
    scores: tuple[Estimate, ...]


@dataclass(frozen=True)
class Trust:
    """Say what acting on the estimates of one target brings, and for whom.

    `curve` has (threshold, net benefit of the model, its low and high end, that of acting on all rows); `threshold` is
    the one that was chosen. `labels` head the scores of `groups`; `where` says on which rows all this was seen; `exact`
    that groups count only rows known exactly.
    """

    target: str
    where: str
    sentences: tuple[str, ...]
    curve: tuple[tuple[float, float, float | None, float | None, float], ...] = ()
    threshold: float | None = None
    labels: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    exact: bool = False


@dataclass(frozen=True)
class Distribution:
    """Show how the scores of one target spread; `cutoff` is the score of the last ranked row."""

    target: str
    histogram: Histogram
    units: str = ""
    cutoff: float | None = None


@dataclass(frozen=True)
class Parity:
    """Show predicted against measured values of one target, one entry per row; NaN where there is none, as of the
    rows known only as a bound (so many are `bounds`).

    `decades`: on logarithmic axes, as the target was learnt.
    """

    target: str
    measured: tuple[float, ...]
    predicted: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    similarity: tuple[float, ...]
    in_domain: tuple[bool, ...]
    units: str = ""
    decades: bool = False
    bounds: int = 0


@dataclass(frozen=True)
class Target:
    """Name a predicted column, whether its values are probabilities, and the decimals shown of them.

    `decades`: it was learnt on its logarithm, so bars run by powers of ten and values are shown with three digits.
    """

    name: str
    units: str = ""
    chance: bool = False
    decimals: int = 2
    decades: bool = False

    @property
    def meaning(self) -> str:
        """Say what its numbers mean."""
        return meaning(self.name, self.units, chance=self.chance)

    def natural(self, value: float | None, bound: str = "") -> str:
        """Write the quantity of which a value is the logarithm, "" where it is none."""
        return natural(value, self.name, self.units, bound)


@dataclass(frozen=True)
class Neighbour:
    """Hold the nearest measured thing: its id, its picture's key, similarity and one measured value per target.

    `bounds` says of each value whether it is only a bound: "<", ">", or "" where it is exact; `others`, of what it was
    measured where that is another thing than this one, in which the target was not; `words`, how the data calls a
    class, "" of a number.
    """

    id: str
    key: str
    similarity: float | None
    measured: tuple[float | None, ...]
    bounds: tuple[str, ...]
    others: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """Hold one ranked row: (value, low, high) and the sets in words per target, the user's `own` cells, the properties
    as `extra`. `far` are targets in whose own domain it is not; `doubt` says why its estimates may mean nothing. `text`
    is shown in place of the key, which is drawn."""

    rank: int
    row: int
    key: str
    own: tuple[str, ...]
    values: tuple[tuple[float | None, float | None, float | None], ...]
    in_domain: bool | None
    neighbour: Neighbour | None
    extra: tuple[float | str | None, ...]
    diverse: bool = False
    desirability: float | None = None
    sets: tuple[str, ...] = ()
    far: tuple[bool, ...] = ()
    doubt: str = ""
    text: str | None = None


@dataclass(frozen=True)
class Ranked:
    """Hold the ranked table.

    `own` and `extra` head the user's columns, first the one that names the rows ("": none does), and the properties of
    every row; `alerts` are those that warn.
    """

    targets: tuple[Target, ...]
    own: tuple[str, ...]
    extra: tuple[str, ...]
    rows: tuple[Row, ...]
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """Hold a page: a title, one sentence, headline figures as (number, label), and the sections there are.

    `facts` are printed as given (dates too: a report reads no clock). `rejected` lists (status, rows, example);
    `noun` is what the page calls what was scored; `domain` says whether it is known what lies in the model's domain.
    """

    title: str
    lead: str
    figures: tuple[tuple[str, str], ...] = ()
    quality: tuple[Quality, ...] = ()
    trust: tuple[Trust, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    parity: tuple[Parity, ...] = ()
    table: Ranked | None = None
    rejected: tuple[tuple[str, int, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    noun: Noun = ROW
    domain: bool = True
