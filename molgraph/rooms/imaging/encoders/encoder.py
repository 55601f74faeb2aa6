"""What all encoders of pictures share: the view, one scale, augmentation, weights to start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format, convert_conv3d_weight_memory_format

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Packed, Schema
from molgraph.errors import ConfigError
from molgraph.model.encoder import Features
from molgraph.model.spatial import Spatial
from molgraph.rooms.imaging.augment import Augment
from molgraph.rooms.imaging.encoders.weights import start_from
from molgraph.rooms.imaging.harmonise import Harmony
from molgraph.rooms.imaging.view import View

SMALL = 64  # pixels a side up to which a picture is not halved before the first block
BLOCK = 256  # pictures looked at together while the scale is learnt
AT_ONCE = 1 << 21  # pixels that go through the network together where no gradient is kept: a patient has many slices

Stem = Literal["auto", "small", "standard"]
Build = Callable[[int, int, bool], tuple[nn.Module, int]]


class ImageEncoder(Spatial):
    """Turn each slice (or, with `dims` = 3, each volume) into a vector; the slices of a part are pooled.

    A subclass writes `build` or, where it has settings of its own, hands one in. `size` is the side of what is seen
    in pixels, `channels` how many values a pixel has, `window` an intensity window of CT, `spacing` the side of a pixel
    in mm (0: the scan is fitted into the size). `slices` keeps at most so many slices of a scan (0: all) or, of
    volumes, is their number of voxels along z (0: as `size`). The small `stem` does not halve pictures before the first
    block; `auto` takes it for sizes up to 64.
    `harmonise` and `augment` are those of `harmonise.Harmony` and `augment.Augment`; `flip` mirrors left and right.
    `weights` is a file (.safetensors, .pt) of the network's initial weights; all but the first layer must
    fit.

    Raises: ConfigError for a setting out of range.
    """

    shares: ClassVar[tuple[str, ...]] = ("channels",)
    space: ClassVar[dict[str, Any]] = {
        "augment": ["none", "light", "scanner"],
        "harmonise": ["scale", "zscore", "histogram"],
    }

    def __init__(
        self,
        schema: Schema,
        build: Build | None = None,
        *,
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
        super().__init__(schema)
        if stem not in ("auto", "small", "standard"):
            raise ConfigError(f"stem = {stem!r}: auto, small or standard.")
        self.view = view_of(locals())
        self.weights = weights
        self.harmony = Harmony(harmonise, channels)
        self.augment = Augment(augment, flip=flip)
        small = stem == "small" or (stem == "auto" and size <= SMALL)
        network, self.dim = (build or self.build)(channels, dims, small)
        self.network = channels_last(network, dims)

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the name of the view that the settings describe."""
        return (view_of(settings).name,)

    @classmethod
    def build(cls, channels: int, dims: int, small: bool) -> tuple[nn.Module, int]:
        """Return the network from pictures [M, C, (Z,) Y, X] to maps [M, dim, (z,) y, x], and dim."""
        raise NotImplementedError

    def adapt(self, train: Dataset) -> None:
        """Learn the scale from the training pictures, and take the initial weights."""
        self.harmony.learn(_blocks(train, self.view.name))
        if self.weights:
            start_from(self.network, self.weights)

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        offsets = parts.offsets[self.view.name]
        if not len(parts):
            return Features(next(self.network.parameters()).new_zeros(0, self.dim), offsets, index)
        pictures = self.pictures(parts)
        each = len(pictures) if torch.is_grad_enabled() else max(AT_ONCE // pictures[0].numel(), 1)
        vectors = [self.vectors(self.maps(some)) for some in pictures.split(each)]
        return Features(torch.cat(vectors), offsets, index)

    def pictures(self, parts: Packed) -> Tensor:
        """Return the slices (or volumes) of parts as the network sees them, augmented in training: [M, C, ...]."""
        stored = parts.values[self.view.name]
        levelled = self.harmony.levelled(stored, next(self.network.parameters()).dtype)
        if self.training:
            levelled = self.augment(levelled)
        scaled: Tensor = self.harmony(levelled)
        return scaled

    def maps(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.network(pictures)
        return found

    def vectors(self, maps: Tensor) -> Tensor:
        return maps.flatten(2).mean(2)


def view_of(settings: Mapping[str, Any]) -> View:
    """Return the view that an encoder's settings describe.

    Raises: ConfigError where `dims` is neither 2 nor 3.
    """
    size, dims, slices = settings["size"], settings["dims"], settings["slices"]
    seen = {"channels": settings["channels"], "window": settings["window"], "spacing": settings["spacing"]}
    if dims == 3:
        return View((slices or size, size, size), **seen)
    if dims != 2:
        raise ConfigError(f"dims = {dims}: 2 for pictures and slices, 3 for volumes.")
    return View((size, size), **seen, slices=slices)


def channels_last(network: nn.Module, dims: int) -> nn.Module:
    """Lay the weights of convolutions out so that estimates take two thirds of the time on a CPU."""
    if dims == 3:
        return convert_conv3d_weight_memory_format(network, torch.channels_last_3d)
    return convert_conv2d_weight_memory_format(network, torch.channels_last)


def _blocks(train: Dataset, name: str) -> Iterator[Tensor]:
    """Yield the pictures of the training parts, a block at a time."""
    ((_, given),) = train.inputs.items()
    for ids in torch.unique(given.index[given.index >= 0]).split(BLOCK):
        for block in given.parts.only([name]).gather(ids).values[name].split(BLOCK):
            yield block.cpu()
