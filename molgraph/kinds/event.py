"""The time to an event, of some rows known only as "not yet", as the chance of it by each of some times."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import ndtr
from torch import Tensor

from molgraph.calibrate import Chance, Interval
from molgraph.data.labels import MISSING, same_label
from molgraph.data.numbers import reader
from molgraph.data.targets import ABOVE, EXACT, Targets
from molgraph.errors import ConfigError, DataError, Reject
from molgraph.kinds.asked import Array, Asked, Parsed, Rows, Settings, cells_of
from molgraph.kinds.column import Column
from molgraph.kinds.happened import as_number, cause_of, causes_in, time_in, told
from molgraph.kinds.kind import Cell, Kind
from molgraph.metrics import Family
from molgraph.metrics.coverage import Coverage
from molgraph.metrics.reliability import Reliability
from molgraph.metrics.survival import surviving

STEPS = 20  # times at which the chance is said; fewer where fewer events happened at different times
WATCHED = 0.05  # of the training rows must still be watched at the last of them
FEWEST = 10  # events that teach
SHOWN = 0.25, 0.5, 0.75  # which of the times, in their order, have a column of their own
LEAST = 1e-4  # a smaller chance of what happened counts as that
NO_INTERVAL = "the chances by time say how far a time is known; an interval of it is not calibrated"
JUDGED = Family("event", ("c_index", "time_auroc", "ibs"), main="c_index")


class _AtSteps:
    """Be the metrics that judge events, of one target at the ends of its steps; of competing causes the first."""

    def __get__(self, kind: Event | None, owner: type[Event]) -> Family:
        one = kind is not None and len(kind.cuts) == 1
        return dataclasses.replace(JUDGED, at=kind.cuts[0]) if kind is not None and one else JUDGED


@dataclass(frozen=True)
class Event(Kind):
    """Predict when an event happens, by discrete hazards: whether it does in each of some steps, once reached.

    `cuts` are the ends of the steps, per target: quantiles of the Kaplan-Meier estimate of the training rows. `causes`
    are what may happen, of competing events several; `mean` and `std` those of the logarithm of the times, for trees.
    Of a target three columns are read: its time, a bound (`>`) where the first cause had not happened by then; the
    cause, from 1 on; and from when on the row was watched (left truncation). Scores, trees and the simplest guess are
    of the first cause: whom another met is watched no longer. A step counts as survived where half of it was.

    Estimates are the probabilities [B, causes x steps] of each cause by the end of each step.

    See: Gensheimer & Narasimhan 2019, doi 10.7717/peerj.6257; steps at quantiles: Kvamme & Borgan 2021, doi
    10.1007/s10985-021-09532-6; competing causes: Tutz & Schmid 2016, doi 10.1007/978-3-319-28158-2, chapter 8
    """

    causes: tuple[tuple[str, ...], ...] = ()
    cuts: tuple[tuple[float, ...], ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    word: ClassVar[str] = "event"
    answer: ClassVar[str] = "event"
    summary: ClassVar[str] = "when something happens, of some rows known only as not yet (survival); see [events]"
    each: ClassVar[tuple[str, ...]] = ("causes", "cuts", "mean", "std")
    guess_metric: ClassVar[str | None] = "ibs"
    chance: ClassVar[bool] = True
    equation: ClassVar[bool] = False
    family: ClassVar[Family] = _AtSteps()  # type: ignore[assignment]

    @classmethod
    def made(cls, names: tuple[str, ...], settings: Settings) -> Event:
        return cls(names, tuple(settings.labels.get(name, ("event",)) for name in names))

    def reads(self, name: str) -> tuple[str, ...]:
        return (name, f"{name} cause", f"{name} start")

    # what a network trains

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(len(causes) * len(cuts) for causes, cuts in zip(self.causes, self.cuts, strict=True))

    @property
    def outputs(self) -> int:
        return sum(self.widths)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(
            f"{name}={cause} by {cut:g}"
            for name, causes, cuts in zip(self.names, self.causes, self.cuts, strict=True)
            for cause in causes
            for cut in cuts
        )

    def adapt(self, train: Targets) -> Event:
        cuts, mean, std = [], [], []
        for name in self.names:
            time, observed, cause = (each.numpy() for each in _of(train, *self.reads(name)[:2]))
            known, happened = time[observed], cause[observed] > 0
            if happened.sum() < FEWEST or len(np.unique(known[happened])) < 2:
                raise DataError(
                    f"target '{name}': {int(happened.sum())} events in {len(known)} training rows, and at least "
                    f"{FEWEST} at different times are needed. Add rows, or choose another split."
                )
            cuts.append(_cuts(known, happened))
            logs = np.log(known)
            mean.append(float(logs.mean()))
            std.append(float(logs.std()) or 1.0)
        return dataclasses.replace(self, cuts=tuple(cuts), mean=tuple(mean), std=tuple(std))

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        losses, weights = [], []
        blocks = raw.float().split(list(self.widths), dim=1)
        for name, causes, cuts, logits in zip(self.names, self.causes, self.cuts, blocks, strict=True):
            at = targets.names.index(name)
            time = targets.values[:, at].float()
            cause = targets.values[:, targets.names.index(self.reads(name)[1])].long()
            start = targets.values[:, targets.names.index(self.reads(name)[2])].float()
            losses.append(_loss(logits, len(causes), cuts, time, cause > 0, cause, start))
            weights.append(targets.weight[:, at] * targets.observed[:, at])
        return torch.stack(losses, 1), torch.stack(weights, 1)

    def predict(self, raw: Tensor) -> Tensor:
        blocks = raw.float().split(list(self.widths), dim=1)
        return torch.cat(
            [_by_step(logits, len(causes)) for logits, causes in zip(blocks, self.causes, strict=True)], 1
        ).double()

    def check(self) -> None:
        super().check()
        if not len(self.causes) == len(self.cuts) == len(self.mean) == len(self.std) == len(self.names):
            raise ValueError("each target needs causes, times, a mean and a deviation")
        for cuts, causes, mean, std in zip(self.cuts, self.causes, self.mean, self.std, strict=True):
            finite = all(math.isfinite(each) for each in (*cuts, mean)) and 0 < std < math.inf
            if not causes or not cuts or not finite:
                raise ValueError(f"times of {cuts}")
            if not all(low < high for low, high in zip((0.0, *cuts), cuts, strict=False)):
                raise ValueError(f"the times {cuts} do not rise")

    @property
    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        return dict(zip(self.names, self.causes, strict=True))

    # how cells are read

    @classmethod
    def parse(cls, frame: pd.DataFrame, name: str, asked: Asked) -> Parsed:
        if "time" not in asked.beside:
            raise ConfigError(
                f"'{name}' says whether the event happened; name the column that says when: --event TIME:{name}."
            )
        cells, times = cells_of(frame, name), cells_of(frame, asked.beside["time"])
        starts = cells_of(frame, asked.beside["start"]) if asked.beside.get("start") else [""] * len(cells)
        causes = tuple(asked.labels) if asked.labels is not None else causes_in(name, cells)
        place = {same_label(cause): at for at, cause in enumerate(causes, start=1)}
        time_of, start_of = reader(times), reader(starts)
        values, bound = np.full((len(cells), 3), np.nan), np.zeros((len(cells), 3), np.int8)
        rejects: dict[int, Reject] = {}
        for row, cell in enumerate(cells):
            if cell.lower() in MISSING or times[row].lower() in MISSING:
                continue
            try:
                time = time_in(time_of, asked.beside["time"], times[row])
                start = 0.0 if starts[row].lower() in MISSING else start_of(starts[row]).value
                if not 0 <= start < time:
                    raise ValueError(f"is watched from {start:g} on, which is not before its time {time:g}")
                cause = cause_of(cell, place, causes)
            except ValueError as error:
                rejects[row] = Reject(row + 1, cell, "invalid_target", f"{name}: '{cell}' {error}")
                continue
            values[row] = time, cause, start
            bound[row, 0] = EXACT if cause == 1 else ABOVE
        return Parsed(values, bound, causes, rejects, [told(name, asked.beside["time"], values, causes)])

    @classmethod
    def merged(cls, values: Array, bound: NDArray[np.int8], weight: Array, rule: str) -> Cell:
        if rule == "drop" and len(set(zip(values.tolist(), bound.tolist(), strict=True))) > 1:
            return None
        at = int(np.lexsort((values, bound == ABOVE))[0])  # the first that happened, else the first
        return float(values[at]), int(bound[at])

    # what is said of a row

    @property
    def scale(self) -> tuple[float, float]:
        return (self.mean[0], self.std[0]) if self.mean else (0.0, 1.0)

    def shaped(self, estimates: Array) -> Array:
        return estimates[:, : len(self.cuts[0])]

    @property
    def _marks(self) -> list[int]:
        """Return which steps have a column of their own, the last one apart."""
        last = len(self.cuts[0]) - 1
        return sorted({round(share * last) for share in SHOWN} - {last})

    def said(self, estimates: Array, spread: Array, interval: Interval, unit: Array | None = None) -> dict[str, Any]:
        steps, name = len(self.cuts[0]), self.name
        found: dict[str, Any] = {name: estimates[:, steps - 1], f"{name}_std": spread[:, steps - 1]}
        found |= {column: estimates[:, at] for column, at in zip(self._by(), self._marks, strict=True)}
        for number, cause in enumerate(self.causes[0][1:], start=1):
            found[f"{name}_p_{cause}"] = estimates[:, (number + 1) * steps - 1]
        found[f"{name}_time"] = self._median(estimates)
        return {column: np.asarray(each, dtype=np.float32) for column, each in found.items()}

    def _by(self) -> list[str]:
        return [f"{self.name}_by_{self.cuts[0][at]:.4g}" for at in self._marks]

    def _median(self, estimates: Array) -> Array:
        """Return the time by which half of such rows have had any event, straight between steps; NaN of a later one."""
        steps = len(self.cuts[0])
        chance = estimates.reshape(len(estimates), estimates.shape[1] // steps, steps).sum(axis=1)
        chance = np.concatenate([np.zeros((len(chance), 1)), chance], axis=1)
        times = np.array([0.0, *self.cuts[0]])
        after = (chance >= 0.5).argmax(axis=1)
        late = chance[:, -1] < 0.5
        rows = np.arange(len(chance))
        low, high = chance[rows, np.maximum(after - 1, 0)], chance[rows, after]
        share = np.divide(0.5 - low, high - low, out=np.ones_like(low), where=high > low)
        found = times[np.maximum(after - 1, 0)] + share * (times[after] - times[np.maximum(after - 1, 0)])
        return np.where(late | np.isnan(chance).any(axis=1), np.nan, found)

    def written(self, columns: Sequence[str]) -> Iterator[Column]:
        yield Column(self.name, "value")
        yield Column(f"{self.name}_std", "deviation")
        for column in self._by():
            yield Column(column, "probability", of=column)
        for cause in self.causes[0][1:]:
            yield Column(f"{self.name}_p_{cause}", "probability", of=cause)

    @property
    def quantity(self) -> str:
        cause = self.causes[0][0]
        return f"probability of {cause if as_number(cause) is None else self.name} by {self.cuts[0][-1]:.4g}"

    def text(self, value: float, bound: int) -> str:
        return f"{'>' if bound == ABOVE else ''}{value:.7g}"

    def as_estimate(self, values: Array) -> Array:
        """Say nothing: a neighbour that was watched too short tells no time."""
        return np.full((len(values), self.widths[0]), np.nan)

    # how far it is to be trusted

    def calibrated(
        self, estimates: Array, spread: Array, targets: Targets, whose: Rows | None = None
    ) -> tuple[Interval, Chance | None]:
        _, observed, _ = self.measured(targets)
        return Interval(self.answer, 0.9, int(observed.sum()), (), NO_INTERVAL), None

    @property
    def complete(self) -> bool:
        return len(self.causes[0]) == 1

    def misfit(self, estimates: Array, targets: Targets) -> float | None:
        """Count the chance of the step in which the event was, or that it had not been by the last step that was
        survived, given that it had not when the row was first watched; steps count as in the loss."""
        time, observed, _ = self.measured(targets)
        _, cause, start = (targets.arrays(column)[0] for column in self.reads(self.name))
        cuts, row = np.array(self.cuts[0]), np.arange(len(time))
        chance = estimates.reshape(len(estimates), -1, len(cuts))
        chance = np.concatenate([np.zeros_like(chance[:, :, :1]), chance], axis=2)
        left = 1 - chance.sum(axis=1)
        at, middles = np.searchsorted(cuts, time), np.concatenate([cuts[:1] / 2, (cuts[1:] + cuts[:-1]) / 2])
        passed, entered = np.searchsorted(middles, time), np.searchsorted(middles, np.nan_to_num(start))
        happened = (np.nan_to_num(cause) > 0) & (at < len(cuts))
        mine = np.clip(np.nan_to_num(cause).astype(np.int64) - 1, 0, chance.shape[1] - 1)
        last = np.minimum(at, len(cuts) - 1)
        event = chance[row, mine, last + 1] - chance[row, mine, last]
        true = np.where(happened, event, left[row, passed])
        each = np.log(np.maximum(true, LEAST)) - np.log(np.maximum(left[row, entered], LEAST))
        return float(-2 * each[observed].sum())

    def covered(self, interval: Interval, estimates: Array, truth: Array, spread: Array | None) -> Coverage:
        return Coverage(None, None, None, interval.reason, len(truth))

    def reliability(
        self,
        interval: Interval,
        chance: Chance | None,
        estimates: Array,
        truth: Array,
        spread: Array,
        rows: str = "rows",
    ) -> Reliability:
        return Reliability(None, None, None, (), len(truth), "the integrated Brier score judges chances by time")

    # simple methods, and trees

    def guess(self, values: Array, bound: NDArray[np.int8]) -> float | list[float]:
        """Return the Kaplan-Meier estimate; of competing causes all of it for the first."""
        happened = (bound == EXACT).astype(np.float64)
        left = surviving(values, happened, np.ones((1, len(values))), np.array(self.cuts[0]))[0]
        return [*(1 - left).tolist(), *[0.0] * (self.widths[0] - len(left))]

    def guess_in_words(self, guess: Any, rows: str = "training rows") -> str:
        last = self.cuts[0][-1]
        return f"the Kaplan-Meier curve of the {rows}, {100 * guess[len(self.cuts[0]) - 1]:.0f} % by {last:.4g}"

    def for_trees(self, values: Array) -> Array:
        mean, std = self.scale
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((np.log(values) - mean) / std)

    @property
    def trees_loss(self) -> str:
        return "RMSEWithUncertainty"  # an accelerated failure time model: log-normal, rows without the event imputed

    def of_trees(self, raw: Array, classes: NDArray[np.int64]) -> Array:
        found = np.zeros((len(raw), self.widths[0]))
        with np.errstate(over="ignore"):
            far = (np.log(np.array(self.cuts[0])) - raw[:, :1]) / np.exp(raw[:, 1:])
        found[:, : len(self.cuts[0])] = ndtr(far)
        return found

    def fits_trees(self, outputs: int, classes: NDArray[np.int64]) -> bool:
        return outputs == 2


def _of(targets: Targets, name: str, cause: str) -> tuple[Tensor, Tensor, Tensor]:
    at = targets.names.index(name)
    return targets.values[:, at], targets.observed[:, at], targets.values[:, targets.names.index(cause)]


def _cuts(time: Array, happened: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return times between which the Kaplan-Meier estimate falls by equal steps; the last is the latest event while
    enough rows are watched."""
    events = np.unique(time[happened])
    watched = (time >= events[:, None]).mean(axis=1)
    events = events[watched >= WATCHED] if (watched >= WATCHED).any() else events[:1]
    left = surviving(time, happened.astype(np.float64), np.ones((1, len(time))), events)[0]
    wanted = 1 - (1 - left[-1]) * np.arange(1, STEPS + 1) / STEPS
    at = np.minimum(np.searchsorted(-left, -wanted - 1e-12), len(events) - 1)
    return tuple(float(each) for each in np.unique(events[at]))


def _loss(
    logits: Tensor, causes: int, cuts: Sequence[float], time: Tensor, happened: Tensor, cause: Tensor, start: Tensor
) -> Tensor:
    """Return the negative log likelihood [B] of hazards.

    Shapes: `logits` [B, causes x K]; all else [B].
    """
    ends = torch.tensor(cuts, dtype=time.dtype, device=time.device)
    steps = len(cuts)
    middles = torch.cat([ends[:1] / 2, (ends[1:] + ends[:-1]) / 2])
    none = logits.new_zeros(len(logits), 1, steps)
    chance = torch.log_softmax(torch.cat([none, logits.view(-1, causes, steps)], 1), 1)  # [B, 1 + causes, K]
    at = torch.searchsorted(ends, time.contiguous())  # K: after the last step
    here = torch.arange(steps, device=time.device)
    passed = torch.where(happened[:, None], here < at[:, None], middles < time[:, None])
    passed = passed & (middles >= start[:, None])
    survived = (chance[:, 0] * passed).sum(1)
    row = torch.arange(len(logits), device=logits.device)
    event = chance[row, cause.clamp(1, causes), at.clamp(max=steps - 1)]
    return -(survived + torch.where(happened & (at < steps), event, torch.zeros_like(event)))


def _by_step(logits: Tensor, causes: int) -> Tensor:
    """Return the probability of each cause by the end of each step, [B, causes x K]."""
    steps = logits.shape[1] // causes
    none = logits.new_zeros(len(logits), 1, steps)
    chance = torch.log_softmax(torch.cat([none, logits.view(-1, causes, steps)], 1), 1)
    left = chance[:, 0].cumsum(1)
    before = torch.cat([left.new_zeros(len(left), 1), left[:, :-1]], 1)
    return (chance[:, 1:] + before.unsqueeze(1)).exp().cumsum(2).flatten(1)
