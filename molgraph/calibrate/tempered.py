"""Probabilities as calibration rows teach them: what is said to be 80 % likely should be so in 8 of 10 cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from molgraph.calibrate.chance import Platt
from molgraph.errors import CheckpointError

Array = NDArray[Any]
FEWEST = 20  # rows from which one number can be learnt of them
RANGE = (0.05, 20.0)  # of temperatures: far beyond what networks need (1 to 3 in Guo 2017)


@dataclass(frozen=True)
class Tempered:
    """Map the probabilities of several classes of one target by a temperature, which ranks nothing anew.

    Where too few rows calibrated, probabilities stay as they are, and `reason` says why. `kind` is the word of who
    asked.

    See: Guo 2017, arXiv 1706.04599
    """

    numbers: ClassVar[int] = 1

    kind: str
    n: int
    values: tuple[float, ...]
    reason: str | None = None

    @classmethod
    def fit(cls, kind: str, estimates: Array, truth: Array, observed: Array) -> Self:
        """Learn from calibration rows.

        Shapes: `estimates` [n, 1] or [n, classes]; `truth`, `observed` [n].
        """
        rows = observed & np.isfinite(truth)
        logs, labels = _logs(estimates[rows]), truth[rows].astype(np.int64)
        if len(labels) < FEWEST:
            return cls(kind, len(labels), (1.0,), f"{len(labels)} calibration rows, and at least {FEWEST} are needed")

        def loss(power: float) -> float:
            return float(-np.take_along_axis(log_softmax(logs / np.exp(power), axis=1), labels[:, None], 1).mean())

        found = minimize_scalar(loss, bounds=np.log(RANGE), method="bounded")
        if not np.log(RANGE[0]) + 0.01 < found.x < np.log(RANGE[1]) - 0.01:
            asked = f"the temperature that {len(labels)} calibration rows ask for"
            return cls(kind, len(labels), (1.0,), f"{asked} lies beyond {RANGE[0]} to {RANGE[1]:g}")
        return cls(kind, len(labels), (float(f"{np.exp(found.x):.6g}"),))

    def apply(self, estimates: Array) -> NDArray[np.float32]:
        """Return the probabilities, shaped as they came."""
        return np.asarray(softmax(_logs(estimates) / self.values[0], axis=1), dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"kind": self.kind, "n": self.n, "values": list(self.values), "reason": self.reason}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Rebuild what `to_json` wrote.

        Raises: CheckpointError where something is missing or of the wrong type.
        """
        try:
            values = tuple(float(v) for v in found["values"])
            made = cls(str(found["kind"]), int(found["n"]), values, found.get("reason"))
            if len(made.values) != cls.numbers or made.values[0] <= 0:
                raise ValueError("a slope and an offset, or a temperature is needed, above 0")
            return made
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the calibration in the model folder is damaged: {error!r}") from error


class Sloped(Tempered):
    """Map the probabilities of two classes of one target by a slope and an offset on the logit.

    See: Platt 1999, Probabilistic outputs for support vector machines
    """

    numbers: ClassVar[int] = 2

    @classmethod
    def fit(cls, kind: str, estimates: Array, truth: Array, observed: Array) -> Self:
        """Learn from calibration rows, shaped as for several classes."""
        learnt = Platt.fit(kind, estimates[:, 0], truth, observed=observed & np.isfinite(truth))
        return cls(kind, learnt.n, learnt.values, learnt.reason)

    def apply(self, estimates: Array) -> NDArray[np.float32]:
        """Return the probabilities, shaped as they came."""
        return Platt(self.kind, self.n, self.values).of(estimates, None).astype(np.float32)


def notes(names: Iterable[str], tempered: Mapping[str, Tempered]) -> list[str]:
    """Say of each target where asking for calibrated probabilities changed nothing, and why."""
    said = []
    for name in names:
        if name not in tempered:
            said.append(
                f"calibrate: maps probabilities; {name} is a number, whose intervals are calibrated in any case."
            )
        elif tempered[name].reason is not None:
            said.append(f"calibrate: the probabilities of {name} stay as they are: {tempered[name].reason}.")
    return said


def _logs(estimates: Array) -> Array:
    return np.log(np.clip(np.asarray(estimates, dtype=np.float64), 1e-6, 1.0))
