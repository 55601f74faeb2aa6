"""Dropout with few random bits: as torch's in what it keeps, how it scales, and what it lets through backwards."""

from __future__ import annotations

import pytest
import torch

from molgraph.nn.dropout import Dropout, dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_it_keeps_as_many_and_the_mean_as_torch_does(p: float) -> None:
    torch.manual_seed(0)
    x = torch.full((1000, 1001), 3.0)
    for mine in (dropout(x, p, training=True), torch.dropout(x, p, train=True)):
        kept = mine != 0
        assert kept.double().mean().item() == pytest.approx(1 - p, abs=4 * (p * (1 - p) / x.numel()) ** 0.5)
        assert torch.allclose(mine[kept], torch.tensor(3 / (1 - p)), rtol=1e-3)
        assert mine.double().mean().item() == pytest.approx(3, rel=0.02)


def test_values_are_dropped_independently_of_their_neighbours_and_columns() -> None:
    torch.manual_seed(0)
    dropped = (dropout(torch.ones(4000, 64), 0.5, training=True) == 0).double()
    apart = torch.corrcoef(dropped.T) - torch.eye(64)
    assert apart.abs().max() < 5 * 4000**-0.5
    assert abs(torch.corrcoef(torch.stack([dropped[:-1].ravel(), dropped[1:].ravel()]))[0, 1]) < 5 * (4000 * 64) ** -0.5


def test_the_gradient_passes_where_the_value_did() -> None:
    x = torch.randn(50, 7, dtype=torch.float64, requires_grad=True)
    y = dropout(x, 0.3, training=True)
    y.sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad, y.detach() / x.detach())


@pytest.mark.parametrize("shape", [(0, 5), (1,), (3,), ()])
def test_odd_shapes(shape: tuple[int, ...]) -> None:
    assert dropout(torch.ones(shape), 0.5, training=True).shape == shape


def test_nothing_is_dropped_in_use_or_at_0_and_all_at_1() -> None:
    x = torch.randn(20, 3)
    assert dropout(x, 0.5, training=False) is x and dropout(x, 0.0, training=True) is x
    assert not dropout(x, 1.0, training=True).any()
    assert dropout(x.bfloat16(), 0.5, training=True).dtype == torch.bfloat16


def test_the_seed_decides_and_the_module_listens_to_its_mode() -> None:
    layer, x, found = Dropout(0.5), torch.ones(100), []
    for _ in range(2):
        torch.manual_seed(5)
        found.append(layer(x))
    assert torch.equal(*found) and not torch.equal(found[0], x) and not torch.equal(layer(x), found[0])
    assert torch.equal(layer.eval()(x), x)
