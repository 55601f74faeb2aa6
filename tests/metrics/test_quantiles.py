"""The weighted interval score, held against its definition; errors of quantiles are those of the median."""

from __future__ import annotations

import numpy as np
import pytest

from molgraph.metrics import METRICS, Family, score
from molgraph.metrics.formulas import Floats

AT = (0.05, 0.25, 0.5, 0.75, 0.95)
FAMILY = Family("curve", ("wis", "mae", "rmse"), "wis", at=AT)


def defined(truth: float, low: Floats, middle: float, high: Floats, alpha: Floats) -> float:
    """Return the score of one row as Bracher et al. 2021 write it."""
    interval = high - low + 2 / alpha * np.maximum(low - truth, 0) + 2 / alpha * np.maximum(truth - high, 0)
    return float((0.5 * abs(truth - middle) + (alpha / 2 * interval).sum()) / (len(alpha) + 0.5))


def test_it_is_what_bracher_defines() -> None:
    random = np.random.default_rng(0)
    quantiles, truth = np.sort(random.normal(size=(50, 5)), axis=1), 2 * random.normal(size=50)
    expected = np.mean(
        [
            defined(y, q[[0, 1]], q[2], q[[4, 3]], np.array([0.1, 0.5]))
            for y, q in zip(truth.tolist(), quantiles, strict=True)
        ]
    )
    found = score(FAMILY, truth, quantiles, bootstrap=10)
    assert found["wis"].value == pytest.approx(expected)
    assert found["mae"].value == pytest.approx(np.abs(truth - quantiles[:, 2]).mean())
    assert found["rmse"].value == pytest.approx(np.sqrt(((truth - quantiles[:, 2]) ** 2).mean()))
    assert not METRICS["wis"].higher_is_better


def test_of_a_point_it_is_the_absolute_error() -> None:
    truth, point = np.array([1.0, 5.0]), np.array([2.0, 2.0])
    found = score(FAMILY, truth, np.repeat(point[:, None], 5, axis=1), bootstrap=0)
    assert found["wis"].value == pytest.approx(2.0) == found["mae"].value
