"""What a network sees of a scan: how many pixels or voxels, of which window, at which spacing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.imaging.geometry import resample
from molgraph.rooms.imaging.intensity import AUTO, WINDOWS, normalise, to_channels
from molgraph.rooms.imaging.scan import Scan

PIXELS, VOXELS = "pixels", "voxels"
SLICE, VOLUME = "slice", "volume"  # levels: a part owns its slices, or its volumes
LARGEST = 255  # what is seen is stored in eight bits
_NAME = re.compile(r"(pixels|voxels)/(\d+)x(\d+)x(\d+)(?:x(\d+))?((?:/\w+=[\w.-]+)*)")

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """Say what is seen of a scan; its name is the name of the feature that holds it.

    `shape` is [Y, X] of each slice or [Z, Y, X] of the volume; `window` names an intensity window of CT ("auto": as
    the modality is usually shown); `spacing` is the side of a pixel or voxel in mm (0: the whole scan is fitted into
    the shape, keeping its proportions); of `slices` at most so many are kept, evenly spaced (0: all).

    >>> View((64, 64), window="lung").name
    'pixels/1x64x64/window=lung'
    >>> View.parse("voxels/2x16x32x32/spacing=1.5")
    View(shape=(16, 32, 32), channels=2, window='auto', spacing=1.5, slices=0)
    """

    shape: tuple[int, ...]
    channels: int = 1
    window: str = AUTO
    spacing: float = 0.0
    slices: int = 0

    def __post_init__(self) -> None:
        if self.channels < 1 or min(self.shape) < 1 or self.spacing < 0 or self.slices < 0:
            raise ConfigError(
                f"an input of {self.channels} channels, {'x'.join(map(str, self.shape))} at {self.spacing:g} mm and "
                f"{self.slices} slices cannot be made: channels and sizes are 1 or more, spacing and slices 0 or more."
            )
        if self.window not in (AUTO, *WINDOWS):
            raise ConfigError(f"unknown window '{self.window}'{did_you_mean(self.window, [AUTO, *WINDOWS])}")

    @property
    def flat(self) -> bool:
        """Tell whether slices are seen one by one."""
        return len(self.shape) == 2

    @property
    def level(self) -> str:
        return SLICE if self.flat else VOLUME

    @property
    def name(self) -> str:
        size = "x".join(map(str, (self.channels, *self.shape)))
        given = {"window": self.window, "spacing": f"{self.spacing:g}", "slices": str(self.slices)}
        told = "".join(f"/{key}={value}" for key, value in given.items() if value not in (AUTO, "0"))
        return f"{PIXELS if self.flat else VOXELS}/{size}{told}"

    @classmethod
    def parse(cls, name: str) -> View:
        """Read a feature's name.

        Raises: ConfigError where it names no view.
        """
        found = _NAME.fullmatch(name)
        if not found or (found[5] is None) != (found[1] == PIXELS):
            raise ConfigError(f"scans have no feature '{name}'; known: pixels/CxYxX, voxels/CxZxYxX, thumbnail.")
        told = dict(word.split("=") for word in found[6].split("/")[1:])
        for key in set(told) - {"window", "spacing", "slices"}:
            raise ConfigError(f"scans have no feature '{name}': {key} is not known; window, spacing and slices are.")
        try:
            return cls(
                tuple(int(n) for n in found.groups()[2:5] if n is not None),
                int(found[2]),
                told.pop("window", AUTO),
                float(told.pop("spacing", 0)),
                int(told.pop("slices", 0)),
            )
        except ValueError as error:
            raise ConfigError(f"scans have no feature '{name}': {error}.") from error

    def of(self, scan: Scan, where: str) -> Bytes:
        """Return what is seen of a scan: each slice of it, or the volume.

        Shapes: uint8 [n, C, *shape].

        Raises: ScanError where channels, spacing or window do not fit the scan.
        """
        scan = to_channels(scan, self.channels, where)
        if self.spacing:
            along = scan.spacing[2] if self.flat and scan.spacing else self.spacing
            scan = resample(scan, (self.spacing, self.spacing, along), where)
        values = normalise(scan, self.window, where).voxels
        values = values.swapaxes(0, 1)[self._chosen(values.shape[1])] if self.flat else values[None]
        return eight_bits(framed(values, self.shape, fit=not self.spacing))

    def back(self, maps: Floats, scan: Scan) -> Floats:
        """Return numbers for what is seen of a scan on the scan's own voxels, linearly; 0 where nothing was seen.

        Shapes: [n, *shape] to [Z, Y, X].
        """
        sizes = scan.voxels.shape[1:]
        edges = scan.spacing[::-1] if self.spacing and scan.spacing else None
        along = sizes[len(sizes) - len(self.shape) :]
        fit = min(wanted / size for wanted, size in zip(self.shape, along, strict=True))
        for axis, (size, wanted) in enumerate(zip(along, self.shape, strict=True), start=1):
            if edges is None:
                grown = max(round(size * fit), 1)
                scale = grown / size
            else:
                scale = 1.0 if size == 1 else edges[axis - 1 + 3 - len(along)] / self.spacing
                grown = max(round(size * scale), 1)
            shift = (wanted - grown) // 2 if wanted >= grown else -((grown - wanted) // 2)
            places = (np.arange(size) - (size - 1) / 2) * scale + (grown - 1) / 2 + shift
            maps = _sampled(maps, axis, places)
        found: Floats = maps[0]
        if not self.flat:
            return found
        found = np.zeros(sizes, dtype=np.float32)
        found[self._chosen(sizes[0])] = maps
        return found

    def _chosen(self, count: int) -> NDArray[np.int64]:
        """Return the slices to keep of so many: the middle ones of equal blocks."""
        wanted = min(self.slices or count, count)
        return ((np.arange(wanted) + 0.5) * count / wanted).astype(np.int64)


def framed(values: Floats, shape: tuple[int, ...], *, fit: bool) -> Floats:
    """Return the last axes of `values` in a frame of `shape`: centred, proportions kept, the rest 0.

    With `fit` all of it is scaled to fill the frame along one axis; without, it is cut or filled up.

    Shapes: [..., *sizes] to [..., *shape].
    """
    axes = values.shape[values.ndim - len(shape) :]
    if fit:
        scale = min(wanted / size for wanted, size in zip(shape, axes, strict=True))
        values = resized(values, tuple(max(round(size * scale), 1) for size in axes))
        axes = values.shape[values.ndim - len(shape) :]
    if axes == shape:
        return values
    lead = values.ndim - len(shape)
    frame = np.zeros((*values.shape[:lead], *shape), dtype=np.float32)
    source: list[Any] = [...]
    goal: list[Any] = [...]
    for size, wanted in zip(axes, shape, strict=True):
        width = min(size, wanted)
        source.append(slice((size - width) // 2, (size - width) // 2 + width))
        goal.append(slice((wanted - width) // 2, (wanted - width) // 2 + width))
    frame[tuple(goal)] = values[tuple(source)]
    return frame


def resized(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Resample the last axes of `values` to `shape`, linearly; what shrinks is averaged, so that nothing is skipped.

    See: the triangle filter, Turkowski 1990, Filters for Common Resampling Tasks, in Graphics Gems
    """
    first = values.ndim - len(shape)
    order = sorted(range(len(shape)), key=lambda at: shape[at] / values.shape[first + at])  # what shrinks most, first
    for at in order:
        axis = first + at
        if values.shape[axis] != shape[at]:
            weights = _triangles(values.shape[axis], shape[at])
            values = np.moveaxis(np.tensordot(values, weights, (axis, 1)), -1, axis)
    return np.ascontiguousarray(values, dtype=np.float32)


def _sampled(values: Floats, axis: int, places: NDArray[np.float64]) -> Floats:
    """Return the values at places along an axis, linearly in between, 0 beyond the border."""
    last = values.shape[axis] - 1
    inside = (places >= -0.5) & (places <= last + 0.5)
    kept = places.clip(0, last)
    low = np.floor(kept).astype(np.int64)
    ones = [1] * values.ndim
    ones[axis] = -1
    upper = (kept - low).reshape(ones)
    made = values.take(low, axis) * (1 - upper) + values.take(np.minimum(low + 1, last), axis) * upper
    found: Floats = (made * inside.reshape(ones)).astype(np.float32)
    return found


@lru_cache(maxsize=64)
def _triangles(inputs: int, outputs: int) -> Floats:
    """Return the weight of each input in each output, [outputs, inputs]."""
    scale = inputs / outputs
    centre = (np.arange(outputs) + 0.5) * scale - 0.5
    away = np.abs(np.arange(inputs) - centre[:, None]) / max(scale, 1.0)
    weights = np.clip(1 - away, 0, None)
    found: Floats = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return found


def eight_bits(values: Floats) -> Bytes:
    """Return values in [0, 1] as bytes; what lies outside is cut."""
    return np.rint(np.clip(values, 0, 1) * LARGEST).astype(np.uint8)
