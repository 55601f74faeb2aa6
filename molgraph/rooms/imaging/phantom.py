"""Chests that never were: CT volumes with vessels, ribs, noise and planted nodules whose place and size are known.

The chest is scaled to the field; nodules, vessels and noise have their real size. There are no airways, no motion and
no disease but the nodules: a method that fails here fails in a hospital, one that works here may still fail there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Floats = NDArray[np.float32]
Vector = NDArray[np.float64]

# CT numbers in HU. See: Buzug 2008, Computed Tomography, ISBN 978-3-540-39407-5, p. 475 (lung at full inspiration -850
# to -910, fat -50 to -100, blood 45 to 65, bone from 700 on).
AIR, LUNG, FAT, MUSCLE, BLOOD, BONE = -1000.0, -880.0, -90.0, 45.0, 50.0, 700.0

# CT numbers of nodules: the synthetic ones of the FDA's thorax phantom are of -630 (ground glass), -10 and +100 HU.
# See: Gavrielides et al. 2010, doi 10.1364/OE.18.015244.
GROUND_GLASS, SOLID = (-680.0, -580.0), (-10.0, 100.0)
SOLID_CORE = 0.5  # of the diameter of a part-solid nodule
PLACE = ("x", "y", "z", "width", "depth", "height")  # along x, y, z
CONTRASTS = ("solid", "part-solid", "ground-glass")

# Branching of the pulmonary arteries, measured in CT and MR of people: the exponent of Murray's law and the angle
# between a branch and its parent. See: Dong et al. 2020, doi 10.1152/ajpheart.00123.2020.
MURRAY, ANGLE, ANGLE_SD = 2.92, 28.2, 15.1
TRUNK, THINNEST = 4.0, 0.5  # mm: largest radius of the vessels at the hilum and of the last that are drawn
RIBS = 22.0  # mm from one to the next

# The point spread of a reconstruction kernel (mm, standard deviation of a Gaussian). Noise after filtered back
# projection has a power proportional to the frequency, cut off by the kernel: it peaks at 0.19 per mm (soft) or 0.32
# (sharp). See: Riederer et al. 1978, doi 10.1088/0031-9155/23/3/008; Solomon et al. 2012, doi 10.1118/1.4752209.
KERNELS = {"soft": 0.6, "sharp": 0.35}


@dataclass(frozen=True)
class Nodule:
    """Hold one planted nodule.

    Units: `centre` (x, y, z), `size` (the box around it along x, y, z) and `diameter` (of the ball of its volume) in
    mm; world axes are RAS+.
    """

    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    diameter: float
    contrast: str

    @property
    def row(self) -> dict[str, float | str]:
        """Return place, size, diameter and contrast under the names of a table's columns."""
        numbers = zip(PLACE, (*self.centre, *self.size), strict=True)
        return {**{k: round(v, 3) for k, v in numbers}, "diameter": round(self.diameter, 2), "contrast": self.contrast}

    @property
    def box(self) -> tuple[float, float, float, float, float, float]:
        """Return the box as (x0, y0, z0, x1, y1, z1)."""
        low = [c - s / 2 for c, s in zip(self.centre, self.size, strict=True)]
        high = [c + s / 2 for c, s in zip(self.centre, self.size, strict=True)]
        return (low[0], low[1], low[2], high[0], high[1], high[2])


@dataclass(frozen=True)
class Chest:
    """Hold a phantom.

    Shapes: `voxels` float32 [1, Z, Y, X] in HU; `affine` [4, 4] from voxel (x, y, z) to world mm (RAS+); `mask` uint8
    [Z, Y, X], the number of the nodule from 1, 0 elsewhere.
    """

    voxels: Floats
    affine: Vector
    mask: NDArray[np.uint8]
    nodules: tuple[Nodule, ...]


def chest(
    seed: int,
    *,
    field: tuple[float, float, float] = (100.0, 180.0, 220.0),
    spacing: tuple[float, float, float] = (1.25, 0.7, 0.7),
    nodules: int = 4,
    diameters: tuple[float, float] = (4.0, 30.0),
    contrasts: Sequence[str] = CONTRASTS,
    noise: float = 25.0,
    kernel: str = "soft",
) -> Chest:
    """Make a chest with nodules in its lungs; the same seed and settings give the same voxels.

    A slice is the mean over its thickness, which is the distance to the next. Diameters are drawn log-uniformly. Where
    no free place is left in the lungs, there are fewer nodules than asked for.

    Units: `field` and `spacing` (Z, Y, X) and `diameters` in mm; `noise`, its standard deviation, in HU.
    """
    random = np.random.default_rng([seed, 0xC7])
    fine = max(1, round(spacing[0] / spacing[1]))
    shape = tuple(max(8, round(f / s)) for f, s in zip(field, spacing, strict=True))
    canvas = _Canvas.blank((shape[0] * fine, *shape[1:]), (spacing[0] / fine, *spacing[1:]))
    lungs = _body(canvas, random)
    for lung in lungs:
        _vessels(canvas, lung, random)
    planted = _plant(canvas, lungs, random, nodules, diameters, contrasts)
    slices = canvas.hu.reshape(shape[0], fine, *shape[1:]).mean(1)
    slices = _reconstructed(slices, spacing, noise, KERNELS[kernel], random)
    mask, found = _labelled(canvas, planted, fine)
    origin = canvas.origin + np.array([(spacing[0] - canvas.spacing[0]) / 2, 0, 0])
    # patients lie on their backs, head first: voxels run to the left and to the back, world axes to right and front
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    affine[:3, 3] = -origin[2], -origin[1], origin[0]
    return Chest(slices[None], affine, mask, found)


@dataclass
class _Canvas:
    """Hold a fine volume in HU, its places in mm (Z, Y, X, 0 in the middle) and how much of a voxel is lung."""

    hu: Floats
    inside: Floats
    spacing: Vector
    origin: Vector

    @classmethod
    def blank(cls, shape: tuple[int, ...], spacing: tuple[float, ...]) -> _Canvas:
        steps = np.array(spacing)
        hu = np.full(shape, AIR, dtype=np.float32)
        return cls(hu, np.zeros(shape, np.float32), steps, -(np.array(shape) - 1) / 2 * steps)

    def cut(self, low: Vector, high: Vector) -> tuple[tuple[slice, ...], list[Floats]] | None:
        """Return the voxels between two places and their coordinates in mm, or None where there are none."""
        begin = np.maximum(np.floor((low - self.origin) / self.spacing), 0).astype(int)
        end = np.minimum(np.ceil((high - self.origin) / self.spacing) + 1, self.hu.shape).astype(int)
        if (end <= begin).any():
            return None
        where = tuple(slice(b, e) for b, e in zip(begin, end, strict=True))
        lines = [o + s * np.arange(b, e) for o, s, b, e in zip(self.origin, self.spacing, begin, end, strict=True)]
        return where, [line.astype(np.float32) for line in np.meshgrid(*lines, indexing="ij", sparse=True)]

    @property
    def everywhere(self) -> list[Floats]:
        """Return the coordinates of all voxels."""
        found = self.cut(self.origin, self.origin + self.spacing * np.array(self.hu.shape))
        assert found is not None
        return found[1]

    def cover(self, distance: Floats) -> Floats:
        """Return the share of a voxel that lies inside, from the distance to the border in mm (inside is positive)."""
        covered: Floats = np.clip(0.5 + distance / np.float32(self.spacing[1]), 0, 1)
        return covered

    def lay(self, share: Floats, hu: float, where: tuple[slice, ...] = (slice(None),)) -> None:
        """Put a substance over what is there."""
        here = self.hu[where]
        here += share * (np.float32(hu) - here)


@dataclass(frozen=True)
class _Lung:
    """Hold an ellipsoid: centre and half axes (Z, Y, X) in mm, and on which side the heart is (+1 or -1 along x)."""

    centre: Vector
    axes: Vector
    inward: float

    def depth(self, place: Vector) -> float:
        """Return how deep a place lies under the pleura, in mm; below 0 outside."""
        return float((1 - np.linalg.norm((place - self.centre) / self.axes)) * self.axes.min())


def _body(canvas: _Canvas, random: np.random.Generator) -> list[_Lung]:
    """Draw body, ribs, spine, lungs and heart."""
    z, y, x = canvas.everywhere
    half = -canvas.origin * np.array([1.0, 0.92, 0.94])
    wall = half[1:] * 0.86
    around = np.sqrt((y / half[1]) ** 2 + (x / half[2]) ** 2)
    canvas.lay(canvas.cover((1 - around) * np.float32(half[1])), FAT)
    inner = np.sqrt((y / wall[0]) ** 2 + (x / wall[1]) ** 2)
    canvas.lay(canvas.cover((1 - inner) * np.float32(wall[0])), MUSCLE)
    along = (z - 0.5 * y + np.float32(random.uniform(0, RIBS))) % RIBS - RIBS / 2  # ribs run down to the front
    away = np.sqrt(((inner - 0.93) * np.float32(wall[0])) ** 2 + along**2 / 2)
    canvas.lay(canvas.cover(3.5 - away), BONE)
    spine = np.sqrt(x**2 + (y - np.float32(wall[0] * 0.72)) ** 2)
    canvas.lay(canvas.cover(np.float32(0.17 * wall[0]) - spine), BONE / 2)  # spongy inside
    lungs = []
    for side in (-1.0, 1.0):
        axes = np.array([half[0] * 1.25, wall[0] * 0.78, wall[1] * 0.40]) * random.uniform(0.95, 1.02, 3)
        lung = _Lung(np.array([0.0, -0.04 * wall[0], side * wall[1] * 0.47]), axes, -side)
        share = canvas.cover(_ellipsoid((z, y, x), lung.centre, axes))
        canvas.lay(share, LUNG + random.uniform(-20, 20))
        np.maximum(canvas.inside, share, out=canvas.inside)
        lungs.append(lung)
    middle = np.array([-0.3 * half[0], -0.25 * wall[0], 0.12 * wall[1]])
    heart = canvas.cover(_ellipsoid((z, y, x), middle, np.array([0.7 * half[0], 0.38 * wall[0], 0.28 * wall[1]])))
    canvas.lay(heart, BLOOD)
    canvas.inside *= 1 - heart
    return lungs


def _ellipsoid(places: Sequence[Floats], centre: Vector, axes: Vector) -> Floats:
    """Return the distance to the border of an ellipsoid in mm, right near it and positive inside."""
    square = sum(((p - np.float32(c)) / np.float32(a)) ** 2 for p, c, a in zip(places, centre, axes, strict=True))
    depth: Floats = (1 - np.sqrt(np.asarray(square))) * np.float32(axes.min())
    return depth


def _vessels(canvas: _Canvas, lung: _Lung, random: np.random.Generator) -> None:
    """Grow a tree of vessels from the hilum to the pleura: branch by branch, each thinner than its parent."""
    hilum = lung.centre + np.array([0.0, 0.0, lung.inward * 0.85 * lung.axes[2]])
    ways = [(up, back) for up in (-1.2, -0.4, 0.4, 1.2) for back in (-0.7, 0.7)]
    growing = [(hilum, np.array([up, back, -lung.inward]), TRUNK * random.uniform(0.6, 1.0)) for up, back in ways]
    while growing:
        begin, towards, radius = growing.pop()
        towards = towards / np.linalg.norm(towards)
        length = 2 + radius * random.uniform(3, 7)
        ends = [begin + towards * length * share for share in (1.0, 0.6, 0.3)]
        end = next((place for place in ends if lung.depth(place) > 1.0), None)
        if end is None:
            continue
        _tube(canvas, begin, end, radius)
        share = random.uniform(0.2, 0.8)  # of the flow, which goes with the radius to the power of Murray's law
        turn = random.normal(size=3)
        turn -= towards * (turn @ towards)
        turn /= np.linalg.norm(turn)
        for part, side in ((share, 1.0), (1 - share, -1.0)):
            angle = math.radians(max(5.0, random.normal(ANGLE, ANGLE_SD)))
            thin = radius * part ** (1 / MURRAY)
            if thin >= THINNEST:
                growing.append((end, towards * math.cos(angle) + side * turn * math.sin(angle), thin))


def _tube(canvas: _Canvas, begin: Vector, end: Vector, radius: float) -> None:
    room = radius + 1.5
    cut = canvas.cut(np.minimum(begin, end) - room, np.maximum(begin, end) + room)
    if cut is None:
        return
    where, places = cut
    line = (end - begin).astype(np.float32)
    from_begin = [p - np.float32(b) for p, b in zip(places, begin, strict=True)]
    along = sum(f * c for f, c in zip(from_begin, line, strict=True)) / np.float32(line @ line)
    along = np.clip(np.asarray(along), 0, 1)
    away = sum((f - along * c) ** 2 for f, c in zip(from_begin, line, strict=True))
    share = canvas.cover(np.float32(radius) - np.sqrt(np.asarray(away))) * canvas.inside[where]
    canvas.lay(share, BLOOD, where)


@dataclass(frozen=True)
class _Planted:
    """Hold where a nodule was put into the fine volume and how much of each voxel it fills."""

    where: tuple[slice, ...]
    share: Floats
    contrast: str


def _plant(
    canvas: _Canvas,
    lungs: Sequence[_Lung],
    random: np.random.Generator,
    count: int,
    diameters: tuple[float, float],
    contrasts: Sequence[str],
) -> list[_Planted]:
    """Put nodules where there is lung: apart from each other, and not inside of a large vessel."""
    taken: list[tuple[Vector, float]] = []
    planted: list[_Planted] = []
    low, high = np.log(diameters)
    for _ in range(200 * count):
        if len(planted) == count:
            break
        radius = float(np.exp(random.uniform(low, high))) / 2
        lung = lungs[int(random.integers(2))]
        place = lung.centre + random.uniform(-1, 1, 3) * lung.axes
        reach = -canvas.origin - 1.3 * radius - 2
        apart = all(np.linalg.norm(place - p) > 1.4 * (radius + r) + 3 for p, r in taken)
        if (np.abs(place) > reach).any() or lung.depth(place) < 1.15 * radius or not apart:
            continue
        shape = _nodule(canvas, place, radius, random)
        where, share, core = shape
        lung_there = float((share * canvas.inside[where]).sum() / share.sum())
        filled = float((share * (canvas.hu[where] > -500)).sum() / share.sum())
        if lung_there < 0.95 or filled > 0.35:
            continue
        contrast = contrasts[int(random.integers(len(contrasts)))]
        solid, glass = random.uniform(*SOLID), random.uniform(*GROUND_GLASS)
        under = canvas.hu[where].copy()
        canvas.lay(share, solid if contrast == "solid" else glass, where)
        if contrast == "part-solid":
            canvas.lay(core, solid, where)
        np.maximum(canvas.hu[where], under, out=canvas.hu[where])  # vessels are seen through ground glass
        taken.append((place, radius))
        planted.append(_Planted(where, share, contrast))
    return planted


def _nodule(
    canvas: _Canvas, place: Vector, radius: float, random: np.random.Generator
) -> tuple[tuple[slice, ...], Floats, Floats]:
    """Return the share of each voxel that an uneven, lobed ball fills, and the share of its core."""
    stretch = random.uniform(0.85, 1.18, 3)
    stretch /= np.prod(stretch) ** (1 / 3)
    lobes, phase = random.normal(size=(2, 3)) * 2.5, random.uniform(0, 2 * np.pi, 2)
    cut = canvas.cut(place - 1.5 * radius - 2, place + 1.5 * radius + 2)
    assert cut is not None
    where, places = cut
    z, y, x = np.broadcast_arrays(
        *((p - np.float32(c)) / np.float32(s) for p, c, s in zip(places, place, stretch, strict=True))
    )
    away = np.sqrt(z**2 + y**2 + x**2)
    unit = np.stack([z, y, x], -1) / np.maximum(away, 1e-3)[..., None]
    border = 1 + 0.06 * sum(np.sin(unit @ lobes[i].astype(np.float32) + np.float32(phase[i])) for i in range(2))
    border = (np.float32(radius) * border).astype(np.float32)
    return where, canvas.cover(border - away), canvas.cover(SOLID_CORE * border - away)


def _labelled(canvas: _Canvas, planted: Sequence[_Planted], fine: int) -> tuple[NDArray[np.uint8], tuple[Nodule, ...]]:
    """Return the mask of slices and what each nodule measures; a voxel counts where the nodule fills half of it."""
    slices = (canvas.hu.shape[0] // fine, *canvas.hu.shape[1:])
    mask = np.zeros(slices, dtype=np.uint8)
    found = []
    for number, nodule in enumerate(planted, start=1):
        whole = np.zeros((slices[0] * fine, *nodule.share.shape[1:]), np.float32)
        whole[nodule.where[0]] = nodule.share
        share = whole.reshape(slices[0], fine, *whole.shape[1:]).mean(1)
        filled = share >= min(0.5, float(share.max()))
        mask[:, nodule.where[1], nodule.where[2]][filled] = number
        found.append(_measured(canvas, nodule))
    return mask, tuple(found)


def _measured(canvas: _Canvas, nodule: _Planted) -> Nodule:
    """Return the box around the half-filled fine voxels, in world mm, and the diameter of the ball of its volume."""
    filled = np.argwhere(nodule.share >= 0.5) + [s.start for s in nodule.where]
    low = canvas.origin + (filled.min(0) - 0.5) * canvas.spacing
    high = canvas.origin + (filled.max(0) + 0.5) * canvas.spacing
    centre, size = (low + high) / 2, high - low
    volume = float(nodule.share.sum(dtype=np.float64) * canvas.spacing.prod())
    diameter = (6 * volume / math.pi) ** (1 / 3)
    return Nodule(
        (float(-centre[2]), float(-centre[1]), float(centre[0])),
        (float(size[2]), float(size[1]), float(size[0])),
        diameter,
        nodule.contrast,
    )


def _reconstructed(
    slices: Floats, spacing: tuple[float, float, float], noise: float, blur: float, random: np.random.Generator
) -> Floats:
    """Blur each slice as the kernel does and add its noise; return whole HU, as a scanner stores them."""
    rows, columns = slices.shape[1:]
    down, across = np.fft.fftfreq(rows, spacing[1]), np.fft.rfftfreq(columns, spacing[2])
    frequency = np.sqrt(down[:, None] ** 2 + across[None] ** 2)
    passed = np.sqrt(frequency) * np.exp(-2 * (math.pi * blur * frequency) ** 2)
    both_sides = np.full(across.shape, 2.0)
    both_sides[0] = 1.0
    if columns % 2 == 0:
        both_sides[-1] = 1.0
    passed *= noise / math.sqrt(float((passed**2 * both_sides).sum()) / (rows * columns))
    for at, each in enumerate(slices):
        smooth = gaussian_filter1d(gaussian_filter1d(each, blur / spacing[1], 0), blur / spacing[2], 1)
        white = random.standard_normal((rows, columns), dtype=np.float32)
        grain = np.fft.irfft2(np.fft.rfft2(white) * passed, s=(rows, columns))
        slices[at] = np.clip(np.rint(smooth + grain), -1024, 3071)
    return slices
