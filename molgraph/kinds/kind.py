"""What a kind of answer is: all that differs between a number, a yes or no, and one of several classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from molgraph.calibrate import Chance, Interval, Tempered
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError, Reject, did_you_mean
from molgraph.kinds.asked import Array, Asked, Parsed, Read, Rows, Settings, cells_of
from molgraph.kinds.column import Column
from molgraph.kinds.rivalled import Rivalled
from molgraph.metrics import Family
from molgraph.metrics.coverage import Coverage
from molgraph.metrics.reliability import Reliability

Cell = tuple[float, int] | None  # value and bound; None: nothing that measurements agree on


@dataclass(frozen=True)
class Kind(Rivalled):
    """Answer target columns of one kind on one network; hold what was learnt from their training rows.

    What follows `of` is asked of the kind of one target. Estimates have one meaning in every predictor: a value as the
    model keeps it (see `out_of`), or a probability.
    """

    names: tuple[str, ...]

    word: ClassVar[str]
    """What run files and recipes call it."""
    answer: ClassVar[str]
    """The word of the kinds whose estimates mean the same: grades are classes. Calibration is kept under it."""
    summary: ClassVar[str]
    """What it is, for a person who chooses."""
    family: ClassVar[Family]
    """The metrics that judge it."""
    each: ClassVar[tuple[str, ...]] = ()
    """Its fields that hold one value per target, none before they are learnt."""
    transforms: ClassVar[bool] = False
    """Whether values may be kept as their logarithm."""
    in_units: ClassVar[bool] = False
    """Whether it is measured in units, which the name of a column may say."""
    chance: ClassVar[bool] = False
    """Whether what is ranked by is a probability."""
    decides: ClassVar[bool] = False
    """Whether a threshold turns estimates into a yes or no."""
    repeats: ClassVar[bool] = False
    """Whether measurements of one thing scatter about a value, and have a standard deviation."""
    equation: ClassVar[bool] = True
    """Whether an equation of descriptors is fit to its values."""
    guess_metric: ClassVar[str | None] = None
    """The metric by which the simplest guess is compared, None: the main one."""

    @classmethod
    def made(cls, names: tuple[str, ...], settings: Settings) -> Kind:
        """Return the kind of targets that a run describes."""
        return cls(names)

    # what a network trains, on all targets

    @property
    def parts(self) -> tuple[Kind, ...]:
        """Return the kinds side by side on the network."""
        return (self,)

    @property
    def outputs(self) -> int:
        """Return the width of the network's raw output."""
        return len(self.names)

    @property
    def widths(self) -> tuple[int, ...]:
        """Return how many columns the estimates of each target have."""
        return (1,) * len(self.names)

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns of the estimates."""
        return self.names

    def adapt(self, train: Targets) -> Self:
        """Return the kind with what the training targets teach: scaling, class weights.

        Raises: DataError where a target has no measured row, one value or one class only.
        """
        return self

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        """Return loss and weight, both [B, T], from raw [B, outputs]; the weight is 0 where nothing was measured."""
        raise NotImplementedError

    def predict(self, raw: Tensor) -> Tensor:
        """Return estimates [B, len(columns)] from raw [B, outputs]: numbers in float64, probabilities in float32."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return the kind as plain JSON values; `molgraph.kinds.restore` is the way back."""
        return {"kind": self.word, **dataclasses.asdict(self)}

    def check(self) -> None:
        """Raise ValueError where a restored kind has other than a value of each sort for each target."""
        named = bool(self.names) and all(isinstance(name, str) for name in self.names)
        if not named or len(set(self.names)) < len(self.names):
            raise ValueError(f"targets of {self.names}")

    @property
    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        """Return the labels by which the data calls the classes of every target that has some."""
        return {}

    # one target of them

    def _at(self, name: str) -> int:
        if name not in self.names:
            raise ConfigError(f"unknown target '{name}'{did_you_mean(name, self.names)}")
        return self.names.index(name)

    def of(self, name: str) -> Kind:
        """Return the kind of one target."""
        at = self._at(name)
        mine = {field: getattr(self, field)[at : at + 1] for field in self.each}
        return dataclasses.replace(self, names=(name,), **mine)

    def block(self, name: str) -> slice:
        """Return which columns of the estimates belong to a target."""
        at, widths = self._at(name), self.widths
        start = sum(widths[:at])
        return slice(start, start + widths[at])

    @property
    def name(self) -> str:
        """Return the target of a kind of one."""
        (name,) = self.names
        return name

    def reads(self, name: str) -> tuple[str, ...]:
        """Return which columns of `Targets` it reads for a target, that of the value first."""
        return (name,)

    @property
    def reading(self) -> tuple[str, ...]:
        """Return all columns of `Targets` that it reads, in the order of the targets."""
        return tuple(column for name in self.names for column in self.reads(name))

    def owner(self, column: str) -> str:
        """Return the target that a column is read for."""
        return next(name for name in self.names if column in self.reads(name))

    def of_column(self, column: str) -> Kind:
        """Return the kind of the target that a column is read for."""
        return self.of(self.owner(column))

    def present(self, targets: Targets) -> tuple[str, ...]:
        """Return the targets of which there are measured values."""
        there = set(targets.names)
        return tuple(name for name in self.names if self.reads(name)[0] in there)

    def column(self, name: str) -> int:
        """Return which of them holds the value of a target."""
        return self.reading.index(self.reads(name)[0])

    def measured(self, targets: Targets) -> tuple[Array, NDArray[np.bool_], NDArray[np.int8]]:
        """Return value, whether it was observed, and its bound, of each row, as metrics take them."""
        return targets.arrays(self.reads(self.name)[0])

    # how cells are read

    @classmethod
    def parse(cls, frame: pd.DataFrame, name: str, asked: Asked) -> Parsed:
        """Read a target from a user's table.

        Raises: DataError and ConfigError where the column as a whole makes no target of this kind.
        """
        cells = cells_of(frame, name)
        known = asked.labels is not None
        labels = tuple(asked.labels or ()) if known else cls.labels_in(name, cells, asked.positive)
        read, blank = cls.reader(name, cells, labels or (), asked), cls.blanks(cells, labels or ())
        notes = cls.notes(name, cells, labels or (), asked)
        values, bound = np.full((len(cells), 1), np.nan), np.zeros((len(cells), 1), np.int8)
        rejects = {}
        for row, cell in enumerate(cells):
            if cell.lower() in blank:
                continue
            try:
                values[row, 0], bound[row, 0] = read(cell)
            except ValueError as error:
                rejects[row] = Reject(row + 1, cell, "invalid_target", f"{name}: '{cell}' {error}")
        return Parsed(values, bound, labels, rejects, notes)

    @classmethod
    def labels_in(cls, name: str, cells: Sequence[str], positive: str) -> tuple[str, ...] | None:
        """Return the labels of the classes in a column, None where there are no classes.

        Raises: DataError where they are none of this kind.
        """
        return None

    @classmethod
    def reader(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> Read:
        """Return what reads a cell of a column."""
        raise NotImplementedError

    @classmethod
    def blanks(cls, cells: Sequence[str], labels: Sequence[str]) -> frozenset[str]:
        """Return the words, in lower case, that say that nothing was measured."""
        raise NotImplementedError

    @classmethod
    def merged(cls, values: Array, bound: NDArray[np.int8], weight: Array, rule: str) -> Cell:
        """Return what measurements of the same thing are together: by "mean", "median", or "drop" if they disagree."""
        raise NotImplementedError

    # where the values lie

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes that have an estimate each, none where there are none."""
        return ()

    @property
    def on_logarithm(self) -> bool:
        """Whether values are kept as log10 of the user's; what that means is the business of `kinds.scale`."""
        return False

    def into(self, values: Array) -> Array:
        """Return values in the user's units as the model keeps them: NaN where that cannot be."""
        return values

    def out_of(self, values: Array) -> Array:
        """Return values that the model keeps, in the user's units."""
        return values

    # what is said of a row

    def shaped(self, estimates: Array) -> Array:
        """Return the columns of the target as metrics take them: [N, C] of several classes, else [N]."""
        return estimates[:, 0]

    @property
    def spreads(self) -> bool:
        """Whether the estimates have a standard deviation beside them."""
        return False

    def deviation(self, estimates: Array, spread: Array) -> Array | None:
        """Return the standard deviation predicted of each row, and that between members, together; None where none is
        predicted.

        Shapes: `estimates`, `spread` [P, columns of the target]; returns [P].
        """
        return None

    @property
    def written_as(self) -> type[np.floating[Any]]:
        """Return the type in which values are written."""
        return np.float32

    def said(self, estimates: Array, spread: Array, interval: Interval, unit: Array | None = None) -> dict[str, Any]:
        """Return the columns of a prediction for P rows; intervals are counted in `unit`, else in the deviation.

        Shapes: `estimates`, `spread` [P, columns of the target].
        """
        raise NotImplementedError

    def described(self, columns: Iterable[str]) -> tuple[Column, ...]:
        """Describe those of the columns of a table that are predictions of the target, in their order."""
        there = list(columns)
        return tuple(column for column in self.written(there) if column.name in there)

    def written(self, columns: Sequence[str]) -> Iterable[Column]:
        """Yield all columns that may be written of the target; `columns` says of which levels sets are there."""
        raise NotImplementedError

    @property
    def ranked_by(self) -> tuple[str, ...]:
        """Name the columns that rows can be ranked by: the value, or the probability of each class."""
        return (self.name,)

    def cells(self, values: Array) -> Any:
        """Return measured values as they are written in a table: numbers in the user's units, classes by their names,
        nothing where nothing was measured."""
        return self.out_of(values).astype(self.written_as)

    # how far it is to be trusted

    def tempered(self, estimates: Array, targets: Targets) -> Tempered | None:
        """Learn from calibration rows how their probabilities are to be mapped; None of what has none."""
        return None

    def calibrated(
        self, estimates: Array, spread: Array, targets: Targets, whose: Rows | None = None
    ) -> tuple[Interval, Chance | None]:
        """Learn from calibration rows how wide intervals must be, and how probable it is to be active; rows of one
        patient, by `whose` they are, weigh together as one.

        Shapes: `estimates`, `spread` [n, columns of the target]; `whose` [n].
        """
        raise NotImplementedError

    def interval_of(self, found: Mapping[str, Any]) -> Interval:
        """Rebuild an interval from JSON; `chance_of` and `tempered_of` do the same for theirs.

        Raises: CheckpointError where it is damaged.
        """
        return Interval.from_json(dict(found))

    def chance_of(self, found: Mapping[str, Any]) -> Chance:
        """Rebuild what turns an estimate into a probability."""
        return Chance.from_json(dict(found))

    def tempered_of(self, found: Mapping[str, Any]) -> Tempered:
        """Rebuild a map of probabilities."""
        return Tempered.from_json(found)

    def fits(self, interval: Interval) -> bool:
        """Tell whether an interval is of such a target."""
        return interval.kind == self.answer

    def joined(self, chances: Sequence[Chance]) -> Chance:
        """Return the chance of the mean estimate of several predictors."""
        return chances[0]

    @property
    def complete(self) -> bool:
        """Whether trees and linear models answer all that a network does, and can stand beside it."""
        return True

    def misfit(self, estimates: Array, targets: Targets) -> float | None:
        """Return twice the negative log likelihood that estimates give to what was measured, but for a constant: what
        parts of a consensus are weighed by; None where nothing says how likely it is.

        Shapes: `estimates` [n, columns of the target].
        """
        return None

    def covered(self, interval: Interval, estimates: Array, truth: Array, spread: Array | None) -> Coverage:
        """Measure how often intervals, or sets of classes, hold what was measured."""
        raise NotImplementedError

    def reliability(
        self,
        interval: Interval,
        chance: Chance | None,
        estimates: Array,
        truth: Array,
        spread: Array,
        rows: str = "rows",
    ) -> Reliability:
        """Say of exact rows how far the model knows how far off it is; `rows` says which they are where few are."""
        raise NotImplementedError

    def each_class(self, truth: Array) -> list[NDArray[np.bool_]]:
        """Return the rows of each class, all where there are no classes: each must be enough to judge by."""
        return [np.ones(len(truth), dtype=bool)]

    # tuning

    def unit(self, values: Array) -> float:
        """Return what an error is counted in beside those of other targets: of training values their deviation."""
        return 1.0
