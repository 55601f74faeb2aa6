from __future__ import annotations

import torch
from torch.nn import functional as F

from molgraph.nn.codes import Codes, one_hot

SIZES = [4, 2, 7]
CODES = torch.tensor([[3, 0, 6], [0, 1, 0], [3, 1, 6]], dtype=torch.uint8)


def hot() -> torch.Tensor:
    return torch.cat([F.one_hot(CODES[:, k].long(), size) for k, size in enumerate(SIZES)], 1).float()


def test_one_hot() -> None:
    assert torch.equal(one_hot(CODES, SIZES), hot())


def test_codes_are_a_linear_layer_on_one_hots() -> None:
    layer = Codes(SIZES, 5, bias=True)
    assert layer.bias is not None
    torch.testing.assert_close(layer(CODES), hot() @ layer.weight + layer.bias)
    layer(CODES).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, hot().T @ (2 * layer(CODES).detach()))


def test_no_rows() -> None:
    layer = Codes(SIZES, 5)
    result = layer(CODES[:0])
    result.sum().backward()
    assert result.shape == (0, 5)
    assert layer.weight.grad is not None and not layer.weight.grad.any()


def test_weights_start_as_those_of_a_linear_layer() -> None:
    weight = Codes([50, 50], 300, fan_in=400).weight
    assert float(weight.detach().abs().max()) <= 0.05
    assert abs(float(weight.detach().std()) - 0.05 / 3**0.5) < 0.001


def test_only_weights_are_saved() -> None:
    assert list(Codes(SIZES, 5).state_dict()) == ["weight"]
