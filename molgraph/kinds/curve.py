"""Future values of a quantity (lung volume in one, two, three years), each as quantiles of what it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import norm
from torch import Tensor

from molgraph.calibrate import Chance, Interval
from molgraph.data.targets import EXACT, Targets
from molgraph.kinds.asked import Array, Asked, Read, Rows, Settings
from molgraph.kinds.number import Number
from molgraph.metrics import Family
from molgraph.metrics.figures import figures
from molgraph.metrics.reliability import Reliability, from_enough, of_numbers

# Those of the COVID-19 Forecast Hub: the median and eleven central intervals of 10 % to 98 %. See: Cramer et al. 2022,
# doi 10.1038/s41597-022-01517-w
LEVELS = (0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99)
MIDDLE, LOW, HIGH = LEVELS.index(0.5), LEVELS.index(0.05), LEVELS.index(0.95)
QUARTILES = LEVELS.index(0.25), LEVELS.index(0.75)
QUARTILE = float(norm.ppf(0.75))  # of a standard normal distribution
FLOOR = 1e-3  # of the standard deviation of the training rows: an interval of no width cannot be stretched
JUDGED = Family("curve", ("wis", "mae", "rmse"), main="wis", at=LEVELS)
# Between neighbouring quantiles of a standard normal distribution, which is what an untrained network says.
GAPS = np.diff(norm.ppf(LEVELS))
START = np.log(np.expm1(GAPS))  # softplus of it is the gap


@dataclass(frozen=True)
class Curve(Number):
    """Predict quantiles of numbers at LEVELS; each target is one horizon of a curve, and all share a network.

    The network learns the median, and the gaps between neighbouring quantiles, which are above 0: quantiles never
    cross. Estimates are the quantiles [B, T x K]; what a person reads as the value is the median. A row needs not have
    every horizon.

    See: Koenker & Bassett 1978, doi 10.2307/1913643; gaps that are above 0: Park et al. 2022, arXiv 2111.06581
    """

    word: ClassVar[str] = "curve"
    answer: ClassVar[str] = "curve"
    summary: ClassVar[str] = "future values of a quantity, as quantiles; see [curves]"
    family: ClassVar[Family] = JUDGED
    transforms: ClassVar[bool] = False
    equation: ClassVar[bool] = False

    @classmethod
    def made(cls, names: tuple[str, ...], settings: Settings) -> Curve:
        return cls(names)

    # what a network trains

    @property
    def outputs(self) -> int:
        return len(LEVELS) * len(self.names)

    @property
    def widths(self) -> tuple[int, ...]:
        return (len(LEVELS),) * len(self.names)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"{name} at {level:g}" for name in self.names for level in LEVELS)

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        off = self.scaled(targets.values).unsqueeze(2) - _ordered(raw)
        levels = torch.tensor(LEVELS, dtype=off.dtype, device=off.device)
        loss = 2 * torch.maximum(levels * off, (levels - 1) * off).mean(2)
        return loss, targets.weight * targets.observed

    def predict(self, raw: Tensor) -> Tensor:
        mean, std = self._scale(raw)
        return (_ordered(raw).to(mean.dtype) * std[:, None] + mean[:, None]).flatten(1)

    @classmethod
    def reader(cls, name: str, cells: Sequence[str], labels: Sequence[str], asked: Asked) -> Read:
        read = super().reader(name, cells, labels, asked)

        def exact(cell: str) -> tuple[float, int]:
            value, bound = read(cell)
            if bound != EXACT:
                raise ValueError("is a bound, and a curve is learnt from values")
            return value, bound

        return exact

    # what is said of a row

    def shaped(self, estimates: Array) -> Array:
        return estimates

    def deviation(self, estimates: Array, spread: Array) -> Array | None:
        return None

    def said(self, estimates: Array, spread: Array, interval: Interval, unit: Array | None = None) -> dict[str, Any]:
        low, high = self.ends(interval, estimates, spread)
        each = {
            self.name: estimates[:, MIDDLE],
            f"{self.name}_std": _deviation(estimates),
            f"{self.name}_lo90": low,
            f"{self.name}_hi90": high,
        }
        return {column: values.astype(self.written_as) for column, values in each.items()}

    def as_estimate(self, values: Array) -> Array:
        return np.repeat(values[:, None], len(LEVELS), axis=1)

    # how far it is to be trusted

    def ends(self, interval: Interval, estimates: Array, spread: Array | None) -> tuple[Array, Array]:
        """Return the interval of each row: the model's own, stretched about the median as calibration rows teach."""
        stretch = interval.limits[0] if interval.limits else None
        middle, (down, up) = estimates[:, MIDDLE], self._arms(estimates)
        much = np.nan if stretch is None else stretch
        return middle - much * down, middle + much * up

    def _arms(self, estimates: Array) -> tuple[Array, Array]:
        """Return how far the ends of the model's own 90 % interval lie from the median."""
        least = FLOOR * self.scale[1]
        middle = estimates[:, MIDDLE]
        return np.maximum(middle - estimates[:, LOW], least), np.maximum(estimates[:, HIGH] - middle, least)

    def calibrated(
        self, estimates: Array, spread: Array, targets: Targets, whose: Rows | None = None
    ) -> tuple[Interval, Chance | None]:
        """Learn by how much the model's own intervals must be stretched (conformalised quantile regression).

        See: Romano 2019, arXiv 1905.03222; stretched about the median: Kivaranovic 2020, arXiv 1905.10634
        """
        truth, observed, bound = self.measured(targets)
        off, (down, up) = truth - estimates[:, MIDDLE], self._arms(estimates)
        far = np.where(off < 0, -off / down, off / up)
        return Interval.fit(self.answer, np.zeros(len(far)), far, observed=observed, bound=bound, groups=whose), None

    def reliability(
        self,
        interval: Interval,
        chance: Chance | None,
        estimates: Array,
        truth: Array,
        spread: Array,
        rows: str = "rows",
    ) -> Reliability:
        """Say so of the quantiles as they are predicted, and of intervals as they are calibrated."""
        low, high = self.ends(interval, estimates, spread)
        places = np.array([_place(each, value) for each, value in zip(estimates, truth, strict=True)])
        found = of_numbers(estimates[:, MIDDLE], truth, high - low, _deviation(estimates), places)
        return from_enough(found, rows=rows)

    # simple methods, and trees

    def guess(self, values: Array, bound: NDArray[np.int8]) -> float | list[float]:
        found: list[float] = np.quantile(values, LEVELS).tolist()
        return found

    def guess_in_words(self, guess: Any, rows: str = "training rows") -> str:
        middle = float(np.array(guess)[MIDDLE])
        return f"the quantiles of the {rows}, median {figures(middle, middle + self.scale[1])[0]}"

    def strays(self, last: Array, values: Array) -> list[float]:
        """Return quantiles of how far values lie from the last ones, either way alike.

        See: the baseline of the COVID-19 Forecast Hub, Cramer et al. 2022, doi 10.1073/pnas.2113561119
        """
        off = values - last
        found: list[float] = np.quantile(np.concatenate([off, -off]), LEVELS).tolist()
        return found

    def from_last(self, last: Array, strays: Sequence[float]) -> Array:
        return np.asarray(last[:, None] + np.array(strays))

    @property
    def trees_loss(self) -> str:
        return f"MultiQuantile:alpha={','.join(f'{level:g}' for level in LEVELS)}"

    def of_trees(self, raw: Array, classes: NDArray[np.int64]) -> Array:
        """Return quantiles in order, of a linear model those of a normal distribution of one deviation for all rows.

        See: the order, Chernozhukov et al. 2010, doi 10.3982/ECTA7880 (rearrangement)
        """
        if raw.shape[1] == 2:
            raw = raw[:, :1] + np.exp(raw[:, 1:]) * norm.ppf(LEVELS)
        return np.sort(raw, axis=1)

    def fits_trees(self, outputs: int, classes: NDArray[np.int64]) -> bool:
        return outputs in (2, len(LEVELS))

    def units_of_trees(self, outputs: int) -> tuple[Array, Array]:
        mean, std = self.scale
        return super().units_of_trees(outputs) if outputs == 2 else (np.full(outputs, std), np.full(outputs, mean))


def _ordered(raw: Tensor) -> Tensor:
    """Return rising quantiles [B, T, K], in standard deviations of the training rows, from raw [B, T x K]: the median
    where it stands, and on either side of it the gaps to the next."""
    each = raw.float().unflatten(1, (-1, len(LEVELS)))
    start = torch.tensor(START, dtype=each.dtype, device=each.device)
    middle = each[..., MIDDLE : MIDDLE + 1]
    below = F.softplus(each[..., :MIDDLE] + start[:MIDDLE]).flip(2).cumsum(2).flip(2)
    above = F.softplus(each[..., MIDDLE + 1 :] + start[MIDDLE:]).cumsum(2)
    return torch.cat([middle - below, middle, middle + above], 2)


def _deviation(estimates: Array) -> Array:
    """Return the standard deviation of a normal distribution whose quartiles are as far apart."""
    low, high = QUARTILES
    return np.asarray((estimates[:, high] - estimates[:, low]) / (2 * QUARTILE))


def _place(quantiles: Array, value: float) -> float:
    """Return where a value lies among the quantiles, 0 to 1: straight between them, and halfway to the end beyond."""
    if value < quantiles[0]:
        return LEVELS[0] / 2
    return (1 + LEVELS[-1]) / 2 if value > quantiles[-1] else float(np.interp(value, quantiles, LEVELS))
