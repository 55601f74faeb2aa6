"""Patches of scans and of the masks of their lesions, drawn anew in each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph.data.dataset import Batch, Dataset, Input
from molgraph.data.packed import PART, Packed
from molgraph.data.targets import Targets

VOXELS = "voxels"
INPUT = "scan"
LEVELS = 255.0  # a voxel is stored in eight bits, 0 to 1
MARKED = 64  # voxels of a lesion around which patches are drawn
BRIGHTER, CONTRAST = 0.03, 0.05  # standard deviations of the random shift and stretch of intensities


@dataclass(frozen=True)
class Case:
    """Hold one scan on the grid a network sees, and the mask of its lesions.

    Shapes: `voxels` uint8 [C, Z, Y, X]; `mask` uint8 [Z, Y, X], 1 on a lesion; `affine` [4, 4] from voxel (x, y, z) to
    world mm; `lesions` one int64 [n, 3] for each lesion, some of its voxels.
    """

    name: str
    voxels: Tensor
    mask: Tensor
    affine: NDArray[np.float64]
    lesions: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, name: str, voxels: Tensor, mask: Tensor, affine: NDArray[np.float64]) -> Case:
        """Find the lesions of a mask: voxels that touch each other."""
        from scipy.ndimage import find_objects, label

        numbered, _ = label(mask.numpy(), structure=np.ones((3, 3, 3)))
        lesions = []
        for number, where in enumerate(find_objects(numbered), start=1):
            places = np.argwhere(numbered[where] == number) + [s.start for s in where]
            lesions.append(places[:: max(1, len(places) // MARKED)])
        return cls(name, voxels, mask, affine, tuple(lesions))


@dataclass(frozen=True)
class Patches(Dataset):
    """Draw `each` patches of every case in each epoch, from (seed, epoch, row).

    A share `foreground` of them is drawn around a voxel of a lesion, each lesion of a scan as often as any other,
    whatever its size; the rest anywhere. With `augment` they are flipped along each axis at random, and a little
    brighter, darker, harder or softer. What of a patch lies outside of the scan is 0 there and no target.
    """

    cases: tuple[Case, ...] = ()
    size: int = 32
    each: int = 8
    foreground: float = 0.5
    seed: int = 0
    augment: bool = False

    @classmethod
    def draw(
        cls, cases: Sequence[Case], size: int, each: int, foreground: float, *, seed: int = 0, augment: bool = False
    ) -> Patches:
        """Return the dataset of all patches."""
        count = len(cases) * each
        blank = Packed({}, {}, {}, {VOXELS: [len(cases[0].voxels) if cases else 1]}, count)
        return cls(
            {INPUT: Input(blank, torch.arange(count))},
            Targets.none(count),
            np.arange(1, count + 1),
            tuple(case.name for case in cases for _ in range(each)),
            cases=tuple(cases),
            size=size,
            each=each,
            foreground=foreground,
            seed=seed,
            augment=augment,
        )

    def batch(self, rows: Tensor, epoch: int = 0) -> Batch:
        drawn = [self._patch(int(row), epoch) for row in rows]
        voxels, masks, inside = (torch.stack(each) for each in zip(*drawn, strict=True))
        count, voxel = len(drawn), self.size**3
        values = masks.reshape(-1, 1).float()
        targets = Targets(
            ("mask",),
            values,
            inside.reshape(-1, 1),
            torch.zeros(values.shape, dtype=torch.int8),
            torch.ones_like(values),
            offsets=torch.arange(count + 1) * voxel,
        )
        schema = self.inputs[INPUT].parts.schema
        return Batch(
            {INPUT: Packed({VOXELS: voxels}, {VOXELS: PART}, {}, schema, count)}, {INPUT: torch.arange(count)}, targets
        )

    def to(self, device: torch.device | str) -> Patches:
        """Return these very patches: they are drawn where the scans lie, and batches move one by one."""
        return self

    def _patch(self, row: int, epoch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return voxels float32 [C, S, S, S], mask uint8 and what lies inside of the scan bool, both [S, S, S]."""
        random = np.random.default_rng([self.seed, epoch, row])
        case = self.cases[row // self.each]
        shape = np.array(case.mask.shape)
        if case.lesions and random.random() < self.foreground:
            lesion = case.lesions[int(random.integers(len(case.lesions)))]
            begin = lesion[int(random.integers(len(lesion)))] - random.integers(0, self.size, 3)
        else:
            begin = random.integers(np.minimum(0, shape - self.size), np.maximum(shape - self.size, 0) + 1)
        cut, inside = cut_out(case.voxels, begin, self.size)
        voxels, mask = cut.float() / LEVELS, cut_out(case.mask[None], begin, self.size)[0][0]
        if self.augment:
            stretch, shift = 1 + CONTRAST * random.standard_normal(), BRIGHTER * random.standard_normal()
            voxels = voxels * float(stretch) + float(shift)
            axes = [axis for axis in (-3, -2, -1) if random.random() < 0.5]
            voxels, mask, inside = voxels.flip(axes), mask.flip(axes), inside.flip(axes)
        return voxels, mask, inside


def cut_out(volume: Tensor, begin: NDArray[np.int64], size: int) -> tuple[Tensor, Tensor]:
    """Return a cube of `size` voxels from `begin` (Z, Y, X) on, 0 outside of the volume, and which voxels lie inside.

    Shapes: [C, Z, Y, X] to [C, S, S, S] and bool [S, S, S].
    """
    cube = volume.new_zeros((len(volume), size, size, size))
    inside = torch.zeros((size, size, size), dtype=torch.bool)
    low = np.maximum(begin, 0)
    high = np.minimum(begin + size, volume.shape[1:])
    if (high > low).all():
        source = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        goal = tuple(slice(int(a - o), int(b - o)) for a, b, o in zip(low, high, begin, strict=True))
        cube[(slice(None), *goal)] = volume[(slice(None), *source)]
        inside[goal] = True
    return cube, inside
