"""From an estimate to a probability of being active, as calibration rows teach it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, logit

from molgraph.calibrate.interval import Floats, unit_of, usable
from molgraph.errors import CheckpointError, ConfigError

ERRORS = 200  # errors that a model keeps to say how probable a value is
PLATT_ROWS = 20  # of each class; with fewer, two numbers cannot be learnt from them
POWER_ROWS = 5  # of each class, and PLATT_ROWS in all; with fewer, not one can
SLOPES = (0.05, 20.0)  # beyond them (networks need 1/3 to 1, Guo 2017) rows say that something is wrong, not how much


@dataclass(frozen=True)
class Chance:
    """Turn the estimate of a number into a probability of being active, as calibration rows taught it for one target.

    `values` are the errors (truth less estimate) of calibration rows, sorted, at most ERRORS of them. `kind` is the
    word of who asked.
    """

    kind: str
    n: int
    values: tuple[float, ...]
    scaled: bool = False
    reason: str | None = None

    @classmethod
    def fit(
        cls,
        kind: str,
        estimate: ArrayLike,
        truth: ArrayLike,
        *,
        observed: ArrayLike | None = None,
        bound: ArrayLike | None = None,
        spread: ArrayLike | None = None,
    ) -> Self:
        """Learn from calibration rows; with `spread`, errors are counted in the deviation predicted of each row.

        Shapes: all [n].
        See: predictive distributions from calibration errors: Vovk 2019, doi 10.1007/s10994-018-5755-8
        """
        wanted, given = np.asarray(truth, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
        rows = usable(wanted, observed, bound)
        return cls._learnt(kind, given[rows], wanted[rows], None if spread is None else unit_of(spread, rows))

    @classmethod
    def _learnt(cls, kind: str, given: Floats, wanted: Floats, unit: Floats | float | None) -> Self:
        errors = np.sort((wanted - given) / (1.0 if unit is None else unit))
        if len(errors) > ERRORS:
            errors = np.quantile(errors, (np.arange(ERRORS) + 0.5) / ERRORS)
        return cls(kind, len(wanted), tuple(float(f"{error:.6g}") for error in errors), unit is not None)

    def of(self, estimate: ArrayLike, threshold: float | None, spread: ArrayLike | None = None) -> Floats:
        """Return the probability that the true value is at least `threshold`, [n]; NaN where no row calibrated."""
        given = np.asarray(estimate, dtype=np.float64)
        if threshold is None:
            raise ConfigError("of a number it must be said from which value on a molecule counts as active: --active")
        if not self.values:
            return np.full(len(given), np.nan)
        errors = np.array(self.values)
        far = (threshold - given) / unit_of(spread if self.scaled else None, slice(None))
        above = len(errors) - np.searchsorted(errors, far, side="left")
        return np.asarray((above + 0.5) / (len(errors) + 1))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self) | {"values": list(self.values)}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Rebuild what `to_json` wrote.

        Raises: CheckpointError where something is missing or of the wrong type.
        """
        try:
            values = tuple(float(v) for v in found["values"])
            scaled, reason = bool(found.get("scaled", False)), found.get("reason")
            made = cls(str(found["kind"]), int(found["n"]), values, scaled, reason)
            made._check()
            return made
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the calibration in the model folder is damaged: {error!r}") from error

    def _check(self) -> None:
        """Raise ValueError where the numbers are none that were learnt."""


class Platt(Chance):
    """Map the probability of class 1 by a slope and an offset on the logit; of few rows the slope alone, of fewer 1 and
    0, and `reason` says why.

    See: Platt 1999, Probabilistic outputs for support vector machines (with his smoothed labels)
    """

    @classmethod
    def _learnt(cls, kind: str, given: Floats, wanted: Floats, unit: Floats | float | None) -> Self:
        values, reason = _platt(given, wanted)
        return cls(kind, len(wanted), values, reason=reason)

    def of(self, estimate: ArrayLike, threshold: float | None, spread: ArrayLike | None = None) -> Floats:
        """Return the probability that the class is 1, whatever the threshold, [n]."""
        slope, offset = self.values
        return np.asarray(expit(slope * _logit(np.asarray(estimate, dtype=np.float64)) + offset))

    def _check(self) -> None:
        if len(self.values) != 2:
            raise ValueError("a slope and an offset are needed")


def _platt(estimate: Floats, truth: Floats) -> tuple[tuple[float, float], str | None]:
    """Return slope and offset; of few rows the slope alone; of fewer, or of rows that contradict the ranking, neither.

    Then the reason is said. A slope at the end of its range would make all probabilities alike.
    """
    positives = int((truth == 1).sum())
    negatives = len(truth) - positives
    fewer = min(positives, negatives)
    if fewer < POWER_ROWS or len(truth) < PLATT_ROWS:
        have = f"{positives} calibration rows of class 1 and {negatives} of class 0"
        return (1.0, 0.0), f"{have}, and at least {POWER_ROWS} of each and {PLATT_ROWS} in all are needed"
    smooth = np.where(truth == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    x = _logit(estimate)

    def loss(given: Floats) -> float:
        z = given[0] * x + given[1]
        return float(np.sum(np.logaddexp(0, z) - smooth * z))

    free = (None, None) if fewer >= PLATT_ROWS else (0.0, 0.0)
    found = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[SLOPES, free])
    if not SLOPES[0] * 1.01 < found.x[0] < SLOPES[1] / 1.01:
        return (
            1.0,
            0.0,
        ), f"the slope that {len(truth)} calibration rows ask for lies beyond {SLOPES[0]} to {SLOPES[1]:g}"
    return (float(f"{found.x[0]:.6g}"), float(f"{found.x[1]:.6g}")), None


def _logit(probability: Floats) -> Floats:
    return np.asarray(logit(np.clip(probability, 1e-6, 1 - 1e-6)))
