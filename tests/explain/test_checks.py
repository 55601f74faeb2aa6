"""Checks tell a map of what was learnt from one of anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from molgraph.explain import METHODS
from molgraph.explain.checks import STEPS, deletion, orders, randomised, rank_correlation


def test_random_weights_change_the_map_and_nothing_else(taught: Any) -> None:
    model = taught.subject.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fresh = randomised(model, 1)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(fresh.encoder.harmony.mean, model.encoder.harmony.mean)
    copies = [replace(taught.subject, model=each) for each in (fresh, randomised(model, 1))]
    pictures = taught.pictures[:1]
    first, second, third = (METHODS["occlusion"](each, pictures).numpy() for each in (taught.subject, *copies))
    assert np.array_equal(second, third)
    assert rank_correlation(first, first) == 1.0
    assert rank_correlation(first, second) < 0.8


def test_a_flat_map_has_no_rank_correlation() -> None:
    assert np.isnan(rank_correlation(np.zeros((2, 2), np.float32), np.eye(2, dtype=np.float32)))


def test_the_estimate_falls_faster_where_the_square_goes_first(taught: Any) -> None:
    for picture, square in zip(taught.pictures[:5], taught.squares[:5], strict=True):
        ranked, shuffled = orders(square.astype(np.float32), 0)
        first, random = (deletion(taught.subject, picture[None], way) for way in (ranked, shuffled))
        assert first < random


def test_deletion_is_the_mean_of_a_curve(taught: Any) -> None:
    """Taking grey from grey changes nothing, so the curve is flat."""
    grey = torch.zeros_like(taught.pictures[:1])
    with torch.no_grad():
        flat = float(taught.subject.estimate(taught.subject.vectors(grey)[None]))
    assert deletion(taught.subject, grey, np.arange(grey.numel())) == np.float32(flat)
    assert grey.numel() > STEPS


def test_ties_are_in_random_order() -> None:
    ranked, shuffled = orders(np.zeros((4, 4), np.float32), 3)
    assert np.array_equal(ranked, shuffled) and sorted(ranked.tolist()) == list(range(16))
    best, _ = orders(np.arange(16, dtype=np.float32).reshape(4, 4), 3)
    assert best.tolist() == list(range(15, -1, -1))
