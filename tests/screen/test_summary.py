"""Counts and histograms."""

from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest

from molgraph.screen.summary import Histogram, Summary, nice_edges, nice_step


def test_histogram_counts_every_known_value_once() -> None:
    histogram = Histogram([0.0, 1.0, 2.0])
    values = np.array([-5.0, 0.0, 0.5, 1.0, 2.0, 7.0, np.nan])
    histogram.add(values, np.array([True, True, False, True, False, True, True]))
    assert histogram.inside == [2, 2]
    assert histogram.outside == [1, 1]


@pytest.mark.parametrize("raw, step", [(0.13, 0.2), (0.2, 0.2), (3.0, 5.0), (7.0, 10.0), (1e-7, 1e-7)])
def test_steps_are_one_two_or_five(raw: float, step: float) -> None:
    assert nice_step(raw) == pytest.approx(step)


def test_edges_cover_the_values_and_are_round() -> None:
    values = np.random.default_rng(0).normal(6.3, 1.1, 10_000)
    edges = nice_edges(values)
    assert 15 < len(edges) < 45
    assert edges[0] <= np.quantile(values, 0.001) and edges[-1] >= np.quantile(values, 0.999)
    assert all(round(e, 4) == e for e in edges)


@pytest.mark.parametrize("values", [[], [np.nan], [3.0], [3.0, 3.0], [0.0], [-2.5e-9, 1e-9], [1e12, 2e12]])
def test_edges_rise_whatever_the_values(values: list[float]) -> None:
    edges = nice_edges(np.array(values, dtype=float))
    assert len(edges) >= 2
    assert all(a < b for a, b in pairwise(edges))


def test_summary_survives_json_form() -> None:
    summary = Summary(3, 1, {"ok": 2, "empty": 1}, {"empty": "no text"}, {"a": Histogram([0.0, 1.0], [1], [1])})
    assert Summary.load(asdict(summary)) == summary
    assert summary.scored == 2 and summary.rejected == {"empty": 1}


def test_values_over_decades_are_counted_by_their_logarithm() -> None:
    values = 10 ** np.random.default_rng(0).normal(0, 1.5, 5_000)
    edges = nice_edges(values)
    assert 15 < len(edges) < 60 and Histogram(edges).decades
    assert np.diff(np.log10(edges)) == pytest.approx(np.log10(edges[1] / edges[0]), rel=1e-3)
    assert edges[0] <= np.quantile(values, 0.001) and edges[-1] >= np.quantile(values, 0.999)
    assert not Histogram(nice_edges(values - 1e-3)).decades, "what is not above 0 has no logarithm"
    assert not Histogram(nice_edges(np.linspace(1, 900, 50))).decades
