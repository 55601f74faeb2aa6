from __future__ import annotations

import pytest
import torch
from torch import nn

from molgraph.errors import ConfigError
from molgraph.nn.feedforward import ACTIVATIONS, FeedForward, make_activation


def test_two_layers_by_hand() -> None:
    network = FeedForward(3, 2, depth=1, hidden=4, activation="tanh")
    first, last = network[0], network[-1]
    x = torch.randn(5, 3)
    torch.testing.assert_close(network(x), last(torch.tanh(first(x))))


def test_depth_zero_is_a_linear_layer() -> None:
    (layer,) = FeedForward(3, 2, depth=0)
    assert isinstance(layer, nn.Linear)


def test_dropout_acts_in_training_only() -> None:
    network = FeedForward(3, 2, hidden=64, dropout=0.5)
    x = torch.randn(4, 3)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str) -> None:
    assert make_activation(name)(torch.zeros(1)) == 0


def test_errors() -> None:
    with pytest.raises(ConfigError, match="did you mean 'relu'"):
        FeedForward(3, 2, activation="rellu")
    with pytest.raises(ConfigError, match="depth = -1"):
        FeedForward(3, 2, depth=-1)
