from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from molgraph.rooms.imaging.geometry import to_voxel
from molgraph.rooms.imaging.phantom import GROUND_GLASS, KERNELS, SOLID, chest

SMALL = {"field": (60.0, 100.0, 120.0), "spacing": (2.5, 0.9, 0.9), "nodules": 3, "diameters": (6.0, 14.0)}


def test_the_same_seed_gives_the_same_chest() -> None:
    first, again, other = chest(3, **SMALL), chest(3, **SMALL), chest(4, **SMALL)
    assert np.array_equal(first.voxels, again.voxels) and first.nodules == again.nodules
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.voxels, other.voxels)


def test_a_nodule_lies_where_it_is_said_to_lie() -> None:
    made = chest(0, **SMALL)
    assert made.voxels.shape == (1, 24, 111, 133) and made.mask.shape == made.voxels.shape[1:]
    assert len(made.nodules) == 3 and set(np.unique(made.mask)) == {0, 1, 2, 3}
    for number, nodule in enumerate(made.nodules, start=1):
        places = np.argwhere(made.mask == number)[:, ::-1]
        low, high = to_voxel(made.affine, [nodule.box[:3], nodule.box[3:]])
        low, high = np.minimum(low, high) - 1, np.maximum(low, high) + 1
        assert (places >= low).all() and (places <= high).all()
        assert np.abs(places.mean(0) - to_voxel(made.affine, nodule.centre)).max() < 1.5
        volume = (made.mask == number).sum() * 2.5 * 0.9**2
        assert volume == pytest.approx(np.pi / 6 * nodule.diameter**3, rel=0.25)
        assert 5.0 < nodule.diameter < 16.0


@pytest.mark.parametrize(("contrast", "bounds"), [("solid", SOLID), ("ground-glass", GROUND_GLASS)])
def test_contrasts_are_those_of_the_literature(contrast: str, bounds: tuple[float, float]) -> None:
    made = chest(1, **{**SMALL, "diameters": (12.0, 16.0)}, contrasts=[contrast], noise=0.0)
    for number in range(1, len(made.nodules) + 1):
        inside = ndimage.binary_erosion(made.mask == number)
        assert bounds[0] - 20 < np.median(made.voxels[0][inside]) < bounds[1] + 20


def test_a_part_solid_nodule_is_solid_in_the_middle_only() -> None:
    made = chest(1, **{**SMALL, "diameters": (14.0, 16.0)}, contrasts=["part-solid"], noise=0.0)
    inside = made.voxels[0][made.mask == 1]
    assert (inside > -200).mean() == pytest.approx(0.125, abs=0.12)  # half the diameter
    assert (inside < -500).mean() > 0.5


def test_noise_has_the_size_and_the_grain_that_were_asked_for() -> None:
    still, noisy = (chest(2, **SMALL, noise=noise) for noise in (0.0, 30.0))
    grain = (noisy.voxels - still.voxels)[0][still.voxels[0] > -950]  # what is darker is cut off at -1024
    assert grain.std() == pytest.approx(30.0, rel=0.05)
    sharp, soft = (_peak(kernel) for kernel in ("sharp", "soft"))
    assert soft == pytest.approx(1 / (2 * np.sqrt(2) * np.pi * KERNELS["soft"]), abs=0.06)
    assert sharp > 1.4 * soft


def _peak(kernel: str) -> float:
    """Return the frequency (per mm) at which the noise of a kernel has most power."""
    field = {"field": (60.0, 100.0, 100.0), "spacing": (2.5, 0.8, 0.8), "nodules": 0}
    still, noisy = (chest(5, **field, noise=noise, kernel=kernel) for noise in (0.0, 20.0))
    power = (np.abs(np.fft.fft2((noisy.voxels - still.voxels)[0])) ** 2).mean(0)
    line = np.fft.fftfreq(power.shape[0], 0.8)
    frequency = np.hypot(line[:, None], line[None])
    bins = np.arange(0, 0.62, 0.04)
    means = [power[(frequency >= a) & (frequency < a + 0.04)].mean() for a in bins]
    return float(bins[int(np.argmax(means))] + 0.02)


def test_there_are_vessels_in_the_lungs_and_no_nodule_in_a_full_lung() -> None:
    made = chest(6, **{**SMALL, "nodules": 0}, noise=0.0)
    assert made.nodules == () and not made.mask.any()
    lung = ndimage.binary_erosion(ndimage.binary_fill_holes(made.voxels[0, 12] < -700), iterations=2)
    lung &= ndimage.binary_closing(made.voxels[0, 12] < -700, iterations=8)
    assert (made.voxels[0, 12][lung] > -300).sum() > 20
    crowded = chest(6, **{**SMALL, "nodules": 60, "diameters": (14.0, 16.0)})
    assert 3 < len(crowded.nodules) < 60
