"""Numbers on any number of targets at once, with blanks and with bounds; also with how far off each may be."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from molgraph.calibrate import Chance, Interval
from molgraph.data.beside import completed
from molgraph.data.labels import MISSING
from molgraph.data.numbers import remarks
from molgraph.data.packed import real
from molgraph.data.targets import ABOVE, BELOW, EXACT, Targets
from molgraph.data.units import number_reader, told_elsewhere
from molgraph.errors import DataError
from molgraph.kinds import scale as scales
from molgraph.kinds.asked import Array, Asked, Parsed, Read, Rows, Settings, cells_of
from molgraph.kinds.column import Column
from molgraph.kinds.kind import Cell, Kind
from molgraph.metrics import Family
from molgraph.metrics.coverage import Coverage, coverage
from molgraph.metrics.figures import figure, figures
from molgraph.metrics.reliability import Reliability, from_enough, of_numbers, place

FLOOR = 1e-3  # of the standard deviation of the training rows: less than any assay repeats, and the loss stays finite
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
SIGNS = {EXACT: "", BELOW: "<", ABOVE: ">"}
WRITTEN = 12  # letters of what people measure; longer numbers were computed (a mean, a p-value), and get 7 digits
ERRORS = Family(
    "regression",
    ("mse", "rmse", "mae", "r2", "spearman", "pearson", "kendall", "ci", "rm2", "rm2_roy"),
    main="rmse",
    aside=("mse", "kendall", "ci", "rm2", "rm2_roy"),
    beside=("rmse",),
    ranking="spearman",
    censored="ci",
)


@dataclass(frozen=True)
class Number(Kind):
    """Predict numbers; the network learns (value - mean) / std of the training rows, in float32.

    `log` names the targets whose values are log10 of the user's. A row measured as `<5` costs nothing while the
    prediction lies below 5, and its squared distance to 5 above it (a one-sided loss, as for left-censored data).
    Mean and deviation are applied in float64: of values near 1e7 that differ by 0.01, float32 keeps no difference.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    log: tuple[str, ...] = ()

    word: ClassVar[str] = "regression"
    answer: ClassVar[str] = "regression"
    summary: ClassVar[str] = "numbers, also known only as bounds (`>10`)"
    family: ClassVar[Family] = ERRORS
    each: ClassVar[tuple[str, ...]] = ("mean", "std")
    transforms: ClassVar[bool] = True
    in_units: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    @classmethod
    def made(cls, names: tuple[str, ...], settings: Settings) -> Number:
        return (Normal if settings.variance else Number)(names, log=settings.log)

    def adapt(self, train: Targets) -> Self:
        mean, std = [], []
        for i, name in enumerate(self.names):
            known = train.values[:, i][train.observed[:, i]].double()
            if len(known) == 0:
                raise DataError(f"target '{name}': no training row has a value.")
            apart = known - known[0]  # exact, so that equal values have no spread and others always one
            widest = float(apart.abs().max())
            if widest == 0:
                raise DataError(
                    f"target '{name}': all {len(known)} training rows have the value {float(known[0]):.15g}; "
                    "there is nothing to learn. Choose another target or more varied rows."
                )
            mean.append(float(known[0] + apart.mean()))
            std.append(widest * float((apart / widest).std(unbiased=False)))  # squares of 1e-200 would be 0
        return dataclasses.replace(self, mean=tuple(mean), std=tuple(std))

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        error = raw.float() - self.scaled(targets.values)
        error = torch.where(targets.bound == BELOW, error.clamp(min=0), error)
        error = torch.where(targets.bound == ABOVE, error.clamp(max=0), error)
        return error.square(), targets.weight * targets.observed

    def predict(self, raw: Tensor) -> Tensor:
        mean, std = self._scale(raw)
        return raw.to(mean.dtype) * std + mean

    def check(self) -> None:
        super().check()
        if not len(self.mean) == len(self.std) == len(self.names):
            raise ValueError("each target needs a mean and a deviation")
        kinds = {type(each) for each in (*self.mean, *self.std)}
        finite = all(math.isfinite(mean) for mean in self.mean) and all(0 < std < math.inf for std in self.std)
        if bool in kinds or not finite:
            raise ValueError(f"means of {self.mean}, deviations of {self.std}")

    def scaled(self, values: Tensor) -> Tensor:
        """Return values in standard deviations from the mean, float32 [B, T]."""
        mean, std = self._scale(values)
        return ((values.to(mean.dtype) - mean) / std).float()

    def _scale(self, near: Tensor) -> tuple[Tensor, Tensor]:
        kind = real(near.device)
        return torch.tensor(self.mean, dtype=kind, device=near.device), torch.tensor(
            self.std, dtype=kind, device=near.device
        )

    @classmethod
    def parse(cls, frame: pd.DataFrame, name: str, asked: Asked) -> Parsed:
        frame, said = completed(frame, name, asked.unit)
        commas = told_elsewhere(frame, name, cells_of(frame, name), asked.delimiter)
        parsed = super().parse(frame, name, dataclasses.replace(asked, commas=commas))
        return dataclasses.replace(parsed, notes=[*said, *parsed.notes])

    @classmethod
    def reader(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> Read:
        return number_reader(name, cells, asked.unit, asked.commas)

    @classmethod
    def blanks(cls, cells: Sequence[str], labels: Sequence[str]) -> frozenset[str]:
        return MISSING

    @classmethod
    def notes(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> list[str]:
        return list(remarks(name, cells, asked.commas))

    @classmethod
    def merged(cls, values: Array, bound: NDArray[np.int8], weight: Array, rule: str) -> Cell:
        exact = values[bound == EXACT]
        if len(exact):
            if rule == "drop" and len(set(exact.tolist())) > 1:
                return None
            return float(np.median(exact) if rule == "median" else _mean(exact, weight[bound == EXACT])), EXACT
        if (bound == ABOVE).all():
            return float(values.max()), ABOVE
        return (float(values.min()), BELOW) if (bound == BELOW).all() else None

    @property
    def scale(self) -> tuple[float, float]:
        return (self.mean[0], self.std[0]) if self.mean else (0.0, 1.0)

    @property
    def on_logarithm(self) -> bool:
        return self.name in self.log

    def into(self, values: Array) -> Array:
        return scales.kept(values, self.on_logarithm)

    def out_of(self, values: Array) -> Array:
        return scales.shown(values, self.on_logarithm)

    @property
    def written_as(self) -> type[np.floating[Any]]:
        return scales.written_as(*self.scale, self.on_logarithm)

    def said(self, estimates: Array, spread: Array, interval: Interval, unit: Array | None = None) -> dict[str, Any]:
        name, value, predicted = self.name, estimates[:, 0], self.deviation(estimates, spread)
        low, high = interval.apply(value, predicted if unit is None else unit)
        std = scales.shown_spread(spread[:, 0] if predicted is None else predicted, value, self.on_logarithm)
        ends = {name: value, f"{name}_lo90": low, f"{name}_hi90": high}
        kept = {column: self.out_of(each) for column, each in ends.items()}
        ordered = {name: kept[name], f"{name}_std": std, **kept}
        return {column: each.astype(self.written_as) for column, each in ordered.items()}

    def written(self, columns: Sequence[str]) -> Iterator[Column]:
        yield Column(self.name, "value")
        yield Column(f"{self.name}_std", "deviation")
        yield Column(f"{self.name}_lo90", "low", 0.9)
        yield Column(f"{self.name}_hi90", "high", 0.9)

    def text(self, value: float, bound: int) -> str:
        shown = self.out_of(value)  # type: ignore[arg-type]  # a number of numpy's, which knows its type
        text = repr(float(str(shown))).removesuffix(".0")  # str: as few digits as tell it from any other of its type
        digits = 7 if self.written_as is np.float32 else 15
        return SIGNS[bound] + (text if len(text) <= WRITTEN else f"{shown:.{digits}g}")

    def calibrated(
        self, estimates: Array, spread: Array, targets: Targets, whose: Rows | None = None
    ) -> tuple[Interval, Chance | None]:
        (truth, observed, bound), value = self.measured(targets), self.shaped(estimates)
        known: dict[str, Any] = {"observed": observed, "bound": bound, "spread": self.deviation(estimates, spread)}
        return Interval.fit(self.answer, value, truth, **known, groups=whose), Chance.fit(
            self.answer, value, truth, **known
        )

    def misfit(self, estimates: Array, targets: Targets) -> float | None:
        """Count errors as normal with the deviation that makes them likeliest; a bound that is kept is no error."""
        values, observed, bound = self.measured(targets)
        off = (self.shaped(estimates) - values)[observed] / self.scale[1]
        off = np.where(bound[observed] == BELOW, np.maximum(off, 0), off)
        off = np.where(bound[observed] == ABOVE, np.minimum(off, 0), off)
        return float(len(off) * np.log(np.maximum(np.mean(np.square(off)), FLOOR**2)))

    def joined(self, chances: Sequence[Chance]) -> Chance:
        if len(chances) == 1:
            return chances[0]
        errors = sorted(error for chance in chances for error in chance.values)
        return Chance(self.answer, min(chance.n for chance in chances), tuple(errors), chances[0].scaled)

    def ends(self, interval: Interval, estimates: Array, spread: Array | None) -> tuple[Array, Array]:
        """Return the interval of each row."""
        return interval.apply(estimates, spread)

    def covered(self, interval: Interval, estimates: Array, truth: Array, spread: Array | None) -> Coverage:
        low, high = self.ends(interval, estimates, spread)
        return coverage(low, high, truth, reason=interval.reason)

    def reliability(
        self,
        interval: Interval,
        chance: Chance | None,
        estimates: Array,
        truth: Array,
        spread: Array,
        rows: str = "rows",
    ) -> Reliability:
        assert chance is not None  # a number has one, of no row where none calibrated
        known = None if np.isnan(spread).any() else spread
        low, high = interval.apply(estimates, known)
        places = place(estimates, truth, chance.values, known if chance.scaled else None)
        return from_enough(of_numbers(estimates, truth, high - low, known, places), chance.n, rows=rows)

    def sure(self, values: Array, bound: NDArray[np.int8]) -> NDArray[np.bool_]:
        exact: NDArray[np.bool_] = ~np.isnan(values) & (bound == EXACT)
        return exact

    def guess_in_words(self, guess: Any, rows: str = "training rows") -> str:
        value = float(self.out_of(np.array(guess)))
        if self.on_logarithm:
            return f"the geometric mean of the {rows}, {figure(value)}"
        return f"the mean of the {rows}, {figures(value, value + self.scale[1])[0]}"

    @property
    def trees_loss(self) -> str:
        return "RMSE"

    def of_trees(self, raw: Array, classes: NDArray[np.int64]) -> Array:
        return raw[:, :1]

    def unit(self, values: Array) -> float:
        return (float(values.std()) if len(values) else 0.0) or 1.0


@dataclass(frozen=True)
class Normal(Number):
    """Predict the mean and the standard deviation of numbers by the likelihood of a normal distribution.

    A row measured as `<5` costs the negative log probability of a value below 5 (a censored normal distribution).
    Estimates have two columns for each target: the mean, and the standard deviation in the same units.

    See: Nix & Weigend 1994, doi 10.1109/ICNN.1994.374138; bounds: Tobin 1958, doi 10.2307/1907382
    """

    @property
    def outputs(self) -> int:
        return 2 * len(self.names)

    @property
    def widths(self) -> tuple[int, ...]:
        return (2,) * len(self.names)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for name in self.names for column in (name, f"{name}_sd"))

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        centre, spread = self._parts(raw)
        off = (self.scaled(targets.values) - centre) / spread
        exact = 0.5 * off.square() + spread.log() + HALF_LOG_TAU
        side = torch.where(targets.bound == ABOVE, -off, off)
        known_by_bound = -torch.special.log_ndtr(side)
        return torch.where(targets.bound == EXACT, exact, known_by_bound), targets.weight * targets.observed

    def predict(self, raw: Tensor) -> Tensor:
        centre, spread = self._parts(raw)
        mean, std = self._scale(raw)
        centre, spread = centre.to(mean.dtype), spread.to(mean.dtype)
        return torch.stack([centre * std + mean, spread * std], 2).flatten(1)  # [B, T, 2] -> [B, 2 T]

    def state(self) -> dict[str, Any]:
        return {"kind": "gaussian", **dataclasses.asdict(self)}

    @property
    def spreads(self) -> bool:
        return True

    def deviation(self, estimates: Array, spread: Array) -> Array | None:
        """Return the deviation of a mixture: that of the members (here their mean) and that of their means.

        See: Lakshminarayanan 2017, arXiv 1612.01474, section 2.4
        """
        found: Array = np.hypot(estimates[:, 1], np.nan_to_num(spread[:, 0]))
        return found

    def as_estimate(self, values: Array) -> Array:
        return np.repeat(values[:, None], 2, axis=1)

    @property
    def trees_loss(self) -> str:
        return "RMSEWithUncertainty"  # the normal likelihood (Duan 2020, arXiv 1910.03225)

    def of_trees(self, raw: Array, classes: NDArray[np.int64]) -> Array:
        with np.errstate(over="ignore"):  # what is not finite is told of its row
            return np.stack([raw[:, 0], np.exp(raw[:, 1])], axis=1)  # CatBoost's is a logarithm

    def _parts(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Return centre and spread, both [B, T], in standard deviations of the training rows."""
        centre, width = raw.float().chunk(2, dim=1)
        return centre, F.softplus(width) + FLOOR


def _mean(values: Array, weight: Array) -> float:
    """Return the weighted mean; of equal weights the plain one, to the last bit."""
    return float(values.mean() if (weight == weight[0]).all() else np.average(values, weights=weight))
