"""Recurrent cells with gradients of their own, checked against torch's modules, one sequence after the other."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from molgraph.nn.sequence import CELLS, Recurrent

OFFSETS = torch.tensor([0, 5, 5, 6, 18, 25])  # one of the sequences is empty


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
def test_values_and_gradients_are_those_of_torch(cell: str, bidirectional: bool, depth: int) -> None:
    torch.manual_seed(0)
    layer = Recurrent(cell, 7, 6, depth=depth, bidirectional=bidirectional).double()
    x = torch.randn(25, 7, dtype=torch.float64, requires_grad=True)
    alone = [layer.cells(x[a:b].unsqueeze(1))[0].squeeze(1) for a, b in pairwise(OFFSETS.tolist()) if b > a]
    mine, theirs = layer(x, OFFSETS), torch.cat(alone)
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-14)
    weight = torch.randn_like(mine)
    of = [x, *layer.parameters()]
    found, truth = (torch.autograd.grad((values * weight).sum(), of) for values in (mine, theirs))
    for ours, expected in zip(found, truth, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_without_gradients_the_values_are_the_same(cell: str) -> None:
    torch.manual_seed(1)
    layer = Recurrent(cell, 3, 4, depth=2, bidirectional=True).double()
    x = torch.randn(25, 3, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(layer(x, OFFSETS), layer(x, OFFSETS).detach(), rtol=0, atol=0)
        without = layer(x, OFFSETS)
    torch.testing.assert_close(layer(x, OFFSETS).detach(), without, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_long_sequences_cost_what_they_are_long(cell: str) -> None:
    """A gradient that touches every row at every step would need 10^9 writes here."""
    layer = Recurrent(cell, 4, 4)
    x = torch.randn(8000 + 64 * 40, 4)
    offsets = torch.tensor([0, 8000, *range(8040, 8000 + 64 * 40 + 1, 40)])
    y = layer(x, offsets)
    y.square().mean().backward()
    assert y.shape == (len(x), 4)
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in layer.parameters())
