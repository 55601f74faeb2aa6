"""What a screen found, in numbers small enough for a page: counts by status and the spread of the scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 40
WIDE = 1000.0  # from this ratio of the highest edge to the lowest on, bins are apart by powers of ten


@dataclass
class Histogram:
    """Count the scores of one target, inside and outside the model's domain.

    The first and the last bin also hold what lies beyond them. Shapes: `edges` is [n + 1], counts are [n].
    """

    edges: list[float]
    inside: list[int] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        empty = [0] * (len(self.edges) - 1)
        self.inside = self.inside or list(empty)
        self.outside = self.outside or list(empty)

    @property
    def decades(self) -> bool:
        """Tell whether the bins are evenly apart by powers of ten, not by the values themselves."""
        first, *_, last = self.edges
        return first > 0 and last / first >= WIDE

    def add(self, values: NDArray[np.float64], in_domain: NDArray[np.bool_]) -> None:
        """Count more values; NaN is left out."""
        known = ~np.isnan(values)
        inside, outside = (values[known & in_domain], values[known & ~in_domain])
        self.inside = [a + b for a, b in zip(self.inside, self._counts(inside), strict=True)]
        self.outside = [a + b for a, b in zip(self.outside, self._counts(outside), strict=True)]

    def _counts(self, values: NDArray[np.float64]) -> list[int]:
        edges = np.asarray(self.edges)
        bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
        return [int(n) for n in np.bincount(bins, minlength=len(edges) - 1)]


def nice_edges(values: NDArray[np.float64], bins: int = BINS) -> list[float]:
    """Return round bin edges over the middle 99.8 % of the values, so that one outlier does not flatten the rest; of
    values above 0 that span three powers of ten or more, bins evenly apart by their logarithm.

    >>> nice_edges(np.array([0.0, 1.0]), bins=5), nice_edges(np.array([0.1, 1000.0]), bins=5)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.1, 1.0, 10.0, 100.0, 1000.0])
    """
    known = values[~np.isnan(values)]
    low, high = (float(v) for v in np.quantile(known, [0.001, 0.999])) if len(known) else (0.0, 1.0)
    if len(known) and known.min() > 0 and np.ptp(np.quantile(np.log10(known), [0.001, 0.999])) >= math.log10(WIDE):
        return [float(f"{10.0**edge:.6g}") for edge in nice_edges(np.log10(known), bins)]
    step = nice_step((high - low) / bins if high > low else max(abs(low), 1.0) / bins)
    first, last = math.floor(low / step), math.ceil(high / step)
    decimals = max(0, 2 - math.floor(math.log10(step)))
    return [round(k * step, decimals) for k in range(first, max(last, first + 1) + 1)]


def nice_step(raw: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is not below `raw`.

    >>> nice_step(0.13), nice_step(30.0)
    (0.2, 50.0)
    """
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))


@dataclass
class Summary:
    """Hold what the report and the manifest say about all rows of a finished screen.

    `statuses` counts rows by status word, `messages` keeps one example message per status; `in_domain` counts
    scored rows, None for a model that cannot tell; `histograms` has one per target; `goals` is what the ranking
    wanted of each target.
    """

    rows: int = 0
    in_domain: int | None = None
    statuses: dict[str, int] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    goals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scored(self) -> int:
        return self.statuses.get("ok", 0)

    @property
    def rejected(self) -> dict[str, int]:
        return {status: n for status, n in sorted(self.statuses.items()) if status != "ok"}

    @classmethod
    def load(cls, saved: Mapping[str, Any]) -> Summary:
        """Rebuild a summary from its JSON form (`dataclasses.asdict`)."""
        histograms = {name: Histogram(**h) for name, h in saved["histograms"].items()}
        return cls(**{**saved, "histograms": histograms})
