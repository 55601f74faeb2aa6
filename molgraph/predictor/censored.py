"""Rows known only as a bound, for what learns from values: the value that is to be expected of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from molgraph.data.targets import BELOW, EXACT

Model = TypeVar("Model")
Floats = NDArray[np.float64]
ROUNDS = 3  # of imputing and learning again; later ones change little (docs/decisions/0024)
LEAST = 0.05  # standard deviations of the targets: no assay and no model is surer
MOST = 20.0  # of them: a model that is farther off says nothing


@dataclass(frozen=True)
class Labelled:
    """Hold what n rows are and what was measured of them, in standard deviations from the mean.

    Shapes: `features` [n, D]; `values`, `weight` [n]; `bound` [n] of EXACT, BELOW, ABOVE.
    """

    features: NDArray[np.float32]
    values: Floats
    bound: NDArray[np.int8]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values)

    def those(self, rows: NDArray[np.bool_]) -> Labelled:
        """Return some of the rows."""
        return Labelled(self.features[rows], self.values[rows], self.bound[rows], self.weight[rows])

    def exact(self) -> Labelled:
        """Return the rows whose value is known."""
        return self.those(self.bound == EXACT)


def learn(
    grow: Callable[[Labelled, Labelled], Model],
    say: Callable[[Model, NDArray[np.float32]], Floats],
    train: Labelled,
    valid: Labelled,
    spread: float | None = None,
) -> Model:
    """Return a model that learnt from rows with bounds, too: first from the exact ones, then, round by round, from all,
    each bound in the place of the value that the model before expects behind it.

    `grow` learns from training and validation rows, `say` estimates. How far a value may lie from its estimate is what
    `spread` says, else the error of the exact validation rows (of the training rows where there are fewer than two).

    See: Schmee & Hahn 1979, doi 10.1080/00401706.1979.10489811; expectation and maximisation, Dempster 1977, doi
    10.1111/j.2517-6161.1977.tb01600.x, section 4.2; what of it was measured: docs/decisions/0024
    """
    model = grow(train.exact(), valid.exact())
    if (train.bound == EXACT).all() and (valid.bound == EXACT).all():
        return model
    sure = valid.exact() if len(valid.exact()) > 1 else train.exact()
    for _ in range(ROUNDS):
        far = error(say(model, sure.features), sure.values) if spread is None else spread
        made = [
            replace(rows, values=expected(rows.values, rows.bound, say(model, rows.features), max(far, LEAST)))
            for rows in (train, valid)
        ]
        model = grow(*made)
    return model


def error(estimate: Floats, values: Floats) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((estimate - values) ** 2)))


def deviation(estimate: Floats, rows: Labelled) -> float:
    """Return the standard deviation about estimates that makes rows likeliest, those known as bounds among them.

    See: Tobin 1958, doi 10.2307/1907382

    >>> rows = Labelled(np.zeros((2, 0)), np.array([1.0, -1.0]), np.array([0, 0]), np.ones(2))
    >>> round(deviation(np.zeros(2), rows), 3)
    1.0
    """
    side = np.where(rows.bound == BELOW, 1.0, -1.0)
    exact = rows.bound == EXACT

    def surprise(logarithm: float) -> float:
        far = (rows.values - estimate) / np.exp(logarithm)
        each = np.where(exact, 0.5 * far**2 + logarithm, -norm.logcdf(side * far))
        return float(np.average(each, weights=rows.weight))

    return float(np.exp(minimize_scalar(surprise, bounds=np.log([LEAST, MOST]), method="bounded").x))


def expected(values: Floats, bound: NDArray[np.int8], estimate: Floats, spread: float) -> Floats:
    """Return values in which those of bounds are what a normal distribution about the estimate expects beyond them.

    See: the mean of a truncated normal distribution, Johnson, Kotz & Balakrishnan 1994, Continuous Univariate
    Distributions, volume 1, chapter 13

    >>> expected(np.array([5.0, 5.0, 5.0]), np.array([0, -1, 1]), np.array([0.0, 5.0, 9.0]), 1.0).round(2).tolist()
    [5.0, 4.2, 9.0]
    """
    side = np.where(bound == BELOW, 1.0, -1.0)
    far = side * (values - estimate) / spread
    mills = np.exp(norm.logpdf(far) - norm.logcdf(far))
    return np.where(bound == EXACT, values, estimate - side * spread * mills)
