"""Feed-forward networks."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from molgraph.errors import ConfigError, did_you_mean
from molgraph.nn.dropout import Dropout

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


def make_activation(name: str) -> nn.Module:
    """Return the activation of this name.

    Raises: ConfigError for an unknown name, with the nearest known one.
    """
    if name not in ACTIVATIONS:
        raise ConfigError(f"unknown activation '{name}'{did_you_mean(name, ACTIVATIONS)}")
    return ACTIVATIONS[name]()


class FeedForward(nn.Sequential):
    """Stack `depth` hidden layers and a linear output; depth 0 is the linear output alone.

    Shapes: [..., inputs] to [..., outputs].

    Raises: ConfigError for a depth below 0 or an unknown activation.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        depth: int = 1,
        hidden: int = 300,
        dropout: float = 0.0,
        activation: str = "relu",
    ) -> None:
        if depth < 0:
            raise ConfigError(f"depth = {depth} is out of range: a feed-forward network has at least 0 hidden layers.")
        widths = [inputs, *[hidden] * depth]
        layers: list[nn.Module] = []
        for wide, next_wide in pairwise(widths):
            layers += [nn.Linear(wide, next_wide), make_activation(activation), Dropout(dropout)]
        super().__init__(*layers, nn.Linear(widths[-1], outputs))
