"""Gradient-boosted trees on small pixels and simple features: what a network on pictures has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.data.packed import Packed
from molgraph.model.grower import Grower
from molgraph.rooms.imaging.view import LARGEST, View

SIDE = 28  # the size of MedMNIST, on which trees do well
PIXELS = SIDE * SIDE
BINS, TURNS, CELL = 16, 8, 7  # shades of the histogram, directions of gradients, pixels a side of a cell


class Forest(Grower):
    """Say what the trees see: 28 x 28 pixels, a histogram, and histograms of gradient directions in cells of 7 x 7.

    Each of the `channels` has its own, side by side. Slices of one part are averaged.

    See: Dalal and Triggs 2005, doi 10.1109/CVPR.2005.177 (histograms of oriented gradients)
    """

    shares: ClassVar[tuple[str, ...]] = ("channels",)

    def __init__(
        self,
        given: Any,
        *,
        channels: int = 1,
        rounds: int = 1000,
        depth: int = 6,
        lr: float = 0.05,
        l2: float = 3.0,
        subset: float = 0.2,
        patience: int = 0,
    ) -> None:
        super().__init__(given, rounds=rounds, depth=depth, lr=lr, l2=l2, subset=subset, patience=patience)
        (self.view,) = self.asks({"channels": channels})

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return (View((SIDE, SIDE), settings["channels"]).name,)

    def features(self, parts: Packed) -> NDArray[np.float32]:
        """Return one row per part, float32 [P, D]."""
        pictures = (parts.values[self.view] / LARGEST).numpy().astype(np.float32, copy=False)
        each = np.concatenate([described(channel) for channel in pictures.swapaxes(0, 1)], axis=1)
        offsets = parts.offsets[self.view].numpy()
        if not len(parts):
            return each
        found: NDArray[np.float32] = np.add.reduceat(each, offsets[:-1], axis=0)
        found /= np.diff(offsets)[:, None]
        return found


def described(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the trees see of one channel: [M, Y, X] to [M, D]."""
    flat = pictures.reshape(len(pictures), PIXELS)
    return np.concatenate([flat, histograms(pictures), gradients(pictures)], axis=1)


def histograms(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of pixels of each shade: [M, Y, X] to [M, BINS]."""
    shade = np.minimum((pictures * BINS).astype(np.int64), BINS - 1).reshape(len(pictures), PIXELS)
    rows = np.arange(len(pictures))[:, None] * BINS
    counts = np.bincount((rows + shade).reshape(-1), minlength=len(pictures) * BINS)
    return (counts.reshape(-1, BINS) / shade.shape[1]).astype(np.float32)


def gradients(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the strength of gradients by direction in each cell: [M, Y, X] to [M, cells * TURNS]."""
    down, right = np.gradient(pictures, axis=(1, 2))
    strength = np.hypot(down, right)
    turn = (np.arctan2(down, right) % np.pi / np.pi * TURNS).astype(np.int64) % TURNS  # a line has no sign
    cells = pictures.shape[1] // CELL
    found = np.zeros((len(pictures), TURNS, cells, cells), dtype=np.float32)
    for number in range(TURNS):
        mine = np.where(turn == number, strength, 0).reshape(len(pictures), cells, CELL, cells, CELL)
        found[:, number] = mine.sum(axis=(2, 4))
    return found.reshape(len(pictures), TURNS * cells**2)
