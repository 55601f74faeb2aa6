"""A residual network whose gradients can be taken sample by sample."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from molgraph.nn.convolution import Residual, convolution, group_norm
from molgraph.rooms.imaging.encoders.encoder import ImageEncoder

WIDTHS = (64, 64, 128, 256, 512)


class ResNetGN(ImageEncoder):
    """Residual network of 18 layers with norms over groups of channels, nothing done in place.

    A picture's features do not depend on the batch in training either, so `torch.func` gives the gradient of each
    sample, as training under differential privacy needs it.

    See: He et al. 2016, doi 10.1109/CVPR.2016.90; Wu and He 2018, arXiv 1803.08494
    """

    @classmethod
    def build(cls, channels: int, dims: int, small: bool) -> tuple[nn.Module, int]:
        conv, first = convolution(dims), WIDTHS[0]
        pool = nn.MaxPool2d if dims == 2 else nn.MaxPool3d
        stem = [
            conv(channels, first, 3 if small else 7, stride=1 if small else 2, padding=1 if small else 3, bias=False),
            group_norm(first),
            nn.ReLU(),
            *([] if small else [pool(3, stride=2, padding=1)]),
        ]
        blocks: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate(pairwise(WIDTHS)):
            blocks += [
                Residual(inputs, outputs, stride=1 if number == 0 else 2, dims=dims),
                Residual(outputs, outputs, stride=1, dims=dims),
            ]
        return nn.Sequential(*stem, *blocks), WIDTHS[-1]
