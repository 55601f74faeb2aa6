"""Residual networks with norms over the batch, as MONAI builds them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, ClassVar

from torch import nn

from molgraph.rooms.imaging.encoders.encoder import ImageEncoder

MAPS = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")


class ResNet18(ImageEncoder):
    """Residual network of 18 layers, in two or three dimensions; weights are named as in torchvision.

    See: He et al. 2016, doi 10.1109/CVPR.2016.90; MONAI, arXiv 2211.02701
    """

    name: ClassVar[str] = "resnet18"

    @classmethod
    def build(cls, channels: int, dims: int, small: bool) -> tuple[nn.Module, int]:
        from monai.networks.nets import resnet  # here: it takes seconds

        make: Any = getattr(resnet, cls.name)
        whole = make(
            spatial_dims=dims,
            n_input_channels=channels,
            conv1_t_size=3 if small else 7,
            conv1_t_stride=1 if small else 2,
            no_max_pool=small,
            bias_downsample=False,
            feed_forward=True,
            num_classes=1,
        )
        kept = {name: child for name, child in whole.named_children() if name in MAPS}
        if small:
            del kept["maxpool"]
        return nn.Sequential(OrderedDict(kept)), whole.fc.in_features


class ResNet34(ResNet18):
    """Residual network of 34 layers, in two or three dimensions; weights are named as in torchvision.

    See: He et al. 2016, doi 10.1109/CVPR.2016.90; MONAI, arXiv 2211.02701
    """

    name: ClassVar[str] = "resnet34"


class ResNet50(ResNet18):
    """Residual network of 50 layers with bottlenecks, in two or three dimensions; weights are named as in torchvision.

    See: He et al. 2016, doi 10.1109/CVPR.2016.90; MONAI, arXiv 2211.02701
    """

    name: ClassVar[str] = "resnet50"
