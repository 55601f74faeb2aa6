"""A small convolution network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from torch import nn

from molgraph.data.packed import Schema
from molgraph.errors import ConfigError
from molgraph.nn.convolution import Convolution
from molgraph.rooms.imaging.encoders.encoder import ImageEncoder, Stem


class CNN(ImageEncoder):
    """Convolve `depth` times, each time with half the pixels along a side and twice the channels, up to `hidden`.

    See: He et al. 2016, arXiv 1603.05027 (residual blocks); Wu and He 2018, arXiv 1803.08494 (group norms)
    """

    space: ClassVar[dict[str, Any]] = {
        **ImageEncoder.space,
        "hidden": [64, 128, 256],
        "depth": {"low": 2, "high": 5},
        "dropout": {"low": 0.0, "high": 0.4},
    }

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 128,
        depth: int = 3,
        dropout: float = 0.1,
        size: int = 64,
        dims: int = 2,
        channels: int = 1,
        window: str = "auto",
        spacing: float = 0.0,
        slices: int = 0,
        stem: Stem = "auto",
        harmonise: str = "scale",
        augment: str = "none",
        flip: bool = False,
        weights: str = "",
    ) -> None:
        if hidden < 1 or depth < 1 or not 0 <= dropout < 1:
            raise ConfigError(f"hidden = {hidden}, depth = {depth}, dropout = {dropout}: at least 1, 1, 0 and below 1.")
        super().__init__(
            schema,
            partial(_build, widths=widths(hidden, depth), dropout=dropout),
            size=size,
            dims=dims,
            channels=channels,
            window=window,
            spacing=spacing,
            slices=slices,
            stem=stem,
            harmonise=harmonise,
            augment=augment,
            flip=flip,
            weights=weights,
        )


def widths(hidden: int, depth: int) -> list[int]:
    """Return the channels of each block: twice as many each time, at least 8, at last `hidden`.

    >>> widths(128, 3)
    [32, 64, 128]
    """
    return [max(hidden >> (depth - 1 - step), 8) for step in range(depth - 1)] + [hidden]


def _build(channels: int, dims: int, small: bool, *, widths: Sequence[int], dropout: float) -> tuple[nn.Module, int]:
    return Convolution(channels, widths, dropout=dropout, dims=dims), widths[-1]
