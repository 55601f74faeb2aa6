from __future__ import annotations

import torch

from molgraph.nn.standardise import CLIP, Standardise
from molgraph.rooms.molecule.prepare import prepare


def test_training_columns_have_mean_0_and_deviation_1() -> None:
    values = (torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) + 7) * torch.tensor([1e-3, 1.0, 1e4])
    layer = Standardise(3)
    layer.learn(values)
    scaled = layer(values)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0, unbiased=False), torch.ones(3), atol=1e-4, rtol=0)


def test_a_constant_column_says_nothing() -> None:
    layer = Standardise(2)
    layer.learn(torch.tensor([[5.0, 1.0], [5.0, 2.0]]))
    assert layer(torch.tensor([[1e6, 1.5]])).tolist() == [[0.0, 0.0]]


def test_outliers_are_clipped_and_huge_numbers_do_not_overflow() -> None:
    layer = Standardise(1)
    layer.learn(torch.tensor([[0.0], [1e30], [2e30]]))
    assert layer(torch.tensor([[3e38], [-3e38], [1e30]])).tolist() == [[CLIP], [-CLIP], [0.0]]


def test_real_descriptors_become_small_numbers() -> None:
    parts = prepare(["CCO", "C", "[Na+]", "c1ccccc1C(=O)O", "CC(C)Cc1ccc(cc1)C(C)C(=O)O"], ("descriptors",)).parts
    raw = parts.values["descriptors"]
    layer = Standardise(raw.shape[1])
    layer.learn(raw)
    scaled = layer(raw)
    assert scaled.isfinite().all()
    assert float(scaled.abs().max()) <= 5**0.5  # no value of n lies further than sqrt(n - 1) deviations from the mean
