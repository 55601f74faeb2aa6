"""A densely connected network, as MONAI builds it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import nn

from molgraph.nn.convolution import convolution
from molgraph.rooms.imaging.encoders.encoder import ImageEncoder


class DenseNet121(ImageEncoder):
    """Densely connected network of 121 layers, in two or three dimensions.

    See: Huang et al. 2017, doi 10.1109/CVPR.2017.243; MONAI, arXiv 2211.02701
    """

    @classmethod
    def build(cls, channels: int, dims: int, small: bool) -> tuple[nn.Module, int]:
        from monai.networks.nets.densenet import DenseNet121 as Network  # here: it takes seconds

        whole: Any = Network(spatial_dims=dims, in_channels=channels, out_channels=1)
        kept: dict[str, Any] = dict(whole.features.named_children())
        if small:
            kept["conv0"] = convolution(dims)(channels, kept["conv0"].out_channels, 3, padding=1, bias=False)
            del kept["pool0"]
        return nn.Sequential(OrderedDict(kept, relu5=nn.ReLU())), whole.class_layers.out.in_features
