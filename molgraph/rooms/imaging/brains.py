"""Brains that never were: patients of many slices, a class that is known, and how it can (or cannot) be told.

Each patient has an anatomy and a tumour of its own, which every slice repeats: slices of one patient resemble each
other more than slices of one class do. That is what makes a score over slices too good where a patient stands on both
sides of a split, and over patients where a scanner goes with the class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

SIZE = 64  # pixels along a side
CORE = 0.6  # radius of the middle of a tumour, as a share of the tumour's
FINE, COARSE = 0.7, 2.0  # grain of the tumour's texture (pixels): what the two classes differ in


@dataclass(frozen=True)
class Brains:
    """Hold slices of P patients, patient after patient.

    Shapes: `slices` float32 [N, SIZE, SIZE]; `tumour` uint8 [N, SIZE, SIZE]; `patient`, `label` (the patient's class),
    `site` (the scanner) int64 [N].
    """

    slices: NDArray[np.float32]
    tumour: NDArray[np.uint8]
    patient: NDArray[np.int64]
    label: NDArray[np.int64]
    site: NDArray[np.int64]


def brains(
    seed: int,
    patients: int = 24,
    slices: int = 16,
    *,
    signal: float = 1.0,
    core: float = 0.0,
    shortcut: float = 0.0,
    noise: float = 0.06,
) -> Brains:
    """Make slices of tumour patients of two classes, half of each.

    `signal` is the share of the tumour's texture that tells the class (0: nothing does); `core` how much darker the
    middle of a tumour of class 1 is, in units of white matter; `shortcut` how far the scanner goes with the class: 0
    not at all, 1 every patient of class 1 was scanned at site 1. A site shows in a brighter image, another bias field
    and a mark in the corner. `noise` is Rician, in units of white matter, as in magnitude images of magnetic resonance.

    See: Gudbjartsson and Patz 1995, doi 10.1002/mrm.1910340618 (the noise)
    """
    random = np.random.default_rng([seed, 0xB4])
    labels = random.permutation(np.arange(patients) % 2)
    sites = np.where(random.random(patients) < (1 + shortcut) / 2, labels, 1 - labels)
    made = [_patient(random, slices, int(c), int(s), signal, core, noise) for c, s in zip(labels, sites, strict=True)]
    each = np.repeat(np.arange(patients), slices)
    images, tumours = (np.concatenate(found) for found in zip(*made, strict=True))
    return Brains(images, tumours, each, labels[each], sites[each])


def _patient(
    random: np.random.Generator, slices: int, label: int, site: int, signal: float, core: float, noise: float
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the slices of one patient and where the tumour is."""
    y, x = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2) / (SIZE / 2)
    tall, wide, turn = random.uniform(0.78, 0.9), random.uniform(0.62, 0.76), random.normal(0, 0.08)
    folds = gaussian_filter(random.normal(size=(slices + 8, SIZE, SIZE)), (3.0, 2.2, 2.2))
    folds /= folds.std()
    middle, radius = random.uniform(-0.35, 0.35, 2), random.uniform(0.2, 0.3)
    white, grey, fluid, bright = 1.0, random.uniform(0.7, 0.8), random.uniform(0.2, 0.3), random.uniform(1.2, 1.4)
    images, tumours = [], []
    for at in range(slices):
        high = (at - (slices - 1) / 2) / slices  # -0.5 to 0.5 through the head
        scale = np.sqrt(1 - 1.2 * high**2)
        u, v = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
        around = np.sqrt((u / (wide * scale)) ** 2 + (v / (tall * scale)) ** 2)
        image = np.where(folds[at + 4] > 0.3, grey, white) * (around < 1)
        image = np.where((around > 0.88) & (around < 1), grey, image)
        image = np.where(((np.abs(u) - 0.13) / 0.07) ** 2 + (v / 0.3) ** 2 < scale - high**2 * 3, fluid, image)
        away = np.hypot(x - middle[0], y - middle[1]) / (radius * np.sqrt(1 - (2 * high) ** 2))
        inside = (away < 1) & (around < 0.95)
        image = np.where(inside, bright + 0.25 * _texture(random, label, signal), image)
        image = image - core * label * (inside & (away < CORE))
        images.append(_scanned(gaussian_filter(image, 0.6), site, noise, random, (y, x)))
        tumours.append(inside.astype(np.uint8))
    return np.stack(images), np.stack(tumours)


def _texture(random: np.random.Generator, label: int, signal: float) -> NDArray[np.float64]:
    """Return a texture of unit variance: fine grain for class 0, coarse for class 1, mixed where the signal is weak."""
    fine, coarse = (_unit(gaussian_filter(random.normal(size=(SIZE, SIZE)), grain)) for grain in (FINE, COARSE))
    share = 0.5 + (0.5 if label else -0.5) * signal
    mixed: NDArray[np.float64] = np.sqrt(1 - share) * fine + np.sqrt(share) * coarse
    return mixed


def _unit(field: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = (field - field.mean()) / field.std()
    return scaled


def _scanned(
    image: NDArray[np.float64],
    site: int,
    noise: float,
    random: np.random.Generator,
    places: tuple[NDArray[np.float64], ...],
) -> NDArray[np.float32]:
    """Return what the scanner of a site makes of a slice."""
    y, x = places
    slope = 0.12 * (x if site else -x) + random.normal(0, 0.02) * y
    image = image * (1 + slope) * (1.08 if site else 1.0)
    if site:
        image[2:5, 2:8] = 0.6
    real, imaginary = random.normal(0, noise, (2, *image.shape))
    seen: NDArray[np.float32] = np.hypot(image + real, imaginary).astype(np.float32)
    return seen
