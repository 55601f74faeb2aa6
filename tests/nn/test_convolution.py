"""Convolutions over volumes."""

from __future__ import annotations

import pytest
import torch

from molgraph.errors import ConfigError
from molgraph.nn.convolution import Convolution, Residual


@pytest.mark.parametrize("size", [1, 5, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_halves_the_sides(size: int, stride: int) -> None:
    block = Residual(3, 16, stride=stride)
    out = block(torch.randn(2, 3, size, size, size))
    side = -(-size // stride)
    assert out.shape == (2, 16, side, side, side)


def test_features_do_not_depend_on_the_batch() -> None:
    torch.manual_seed(0)
    network = Convolution(2, [8, 12], dropout=0.5).double().eval()
    volumes = torch.randn(4, 2, 9, 8, 7, dtype=torch.float64)
    alone = torch.cat([network.pooled(v.unsqueeze(0)) for v in volumes])
    torch.testing.assert_close(network.pooled(volumes), alone, rtol=1e-10, atol=1e-12)
    assert alone.shape == (4, network.dim) == (4, 12)


def test_gradient_reaches_every_weight() -> None:
    network = Convolution(2, [8, 16])
    network.pooled(torch.randn(3, 2, 8, 8, 8)).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in network.parameters())


@pytest.mark.parametrize("widths", [[], [8, 0]])
def test_widths_that_are_none_are_refused(widths: list[int]) -> None:
    with pytest.raises(ConfigError, match="widths"):
        Convolution(1, widths)
