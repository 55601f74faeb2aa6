"""A voxel stays where it was scanned: in all 48 orientations, through canonicalisation and resampling."""

from __future__ import annotations

from collections.abc import Callable

import nibabel as nib
import numpy as np
import pytest

from molgraph.errors import ConfigError
from molgraph.rooms.imaging.geometry import (
    as_it_lay,
    axes,
    canonical,
    onto,
    resample,
    sound,
    spacing_of,
    to_voxel,
    to_world,
)
from molgraph.rooms.imaging.scan import Scan, ScanError

SIZES = (7, 6, 5)  # of x, y, z
Make = Callable[[np.ndarray, tuple[int, int, int]], np.ndarray]


def places(scan: Scan) -> np.ndarray:
    """Return where the affine says each voxel lies, as voxels [3, Z, Y, X]."""
    assert scan.affine is not None
    index = np.stack(np.meshgrid(*map(np.arange, scan.voxels.shape[:0:-1]), indexing="ij"), axis=-1)
    return np.moveaxis(to_world(scan.affine, index), -1, 0).transpose(0, 3, 2, 1)


def scanned(affine: np.ndarray, make: Make, sizes: tuple[int, int, int] = SIZES) -> Scan:
    return Scan(make(affine, sizes), affine, spacing_of(affine))


def test_every_voxel_stays_at_its_place_in_every_orientation(orientation: np.ndarray, world: Make):
    scan = scanned(orientation, world)
    found = canonical(scan)
    assert np.allclose(found.voxels, places(found), atol=1e-4)
    assert nib.aff2axcodes(found.affine) == ("R", "A", "S")
    assert np.isclose(np.sort(found.spacing), np.sort(scan.spacing)).all()


def test_what_was_turned_is_turned_back(orientation: np.ndarray, world: Make):
    scan = scanned(orientation, world)
    assert np.array_equal(as_it_lay(canonical(scan).voxels[0], orientation), scan.voxels[0])


def test_turning_is_what_nibabel_does(orientation: np.ndarray):
    volume = np.random.default_rng(0).normal(size=SIZES).astype(np.float32)
    right = nib.as_closest_canonical(nib.Nifti1Image(volume, orientation))
    found = canonical(Scan(volume.T[None], orientation, spacing_of(orientation)))
    assert np.array_equal(found.voxels[0].T, right.get_fdata(dtype=np.float32))
    assert np.allclose(found.affine, right.affine)


@pytest.mark.parametrize("spacing", [0.5, (2.0, 1.0, 0.7), (1.7, 3.1, 5.0)], ids=str)
def test_every_voxel_stays_at_its_place_when_resampled(orientation: np.ndarray, world: Make, spacing: object):
    found = resample(canonical(scanned(orientation, world, (26, 20, 12))), spacing, "x")
    away = [max(1, round(9 / edge)) for edge in reversed(found.spacing)]  # beyond the border and the Gaussian's reach
    inside = (slice(None), *[slice(off, -off) for off in away])
    assert found.voxels[inside].size
    assert np.allclose(found.voxels[inside], places(found)[inside], atol=5e-3)
    assert np.allclose(found.spacing, spacing)
    assert np.allclose(spacing_of(found.affine), spacing)


def test_one_bright_voxel_is_found_at_its_place_after_both(orientation: np.ndarray):
    voxels = np.zeros((1, 21, 24, 22), dtype=np.float32)
    index = (9, 14, 11)
    voxels[0, index[2], index[1], index[0]] = 1
    where = to_world(orientation, index)
    found = resample(canonical(Scan(voxels, orientation, spacing_of(orientation))), 1.0, "x")
    weights = found.voxels[0].astype(float)
    centre = (places(found) * weights).sum(axis=(1, 2, 3)) / weights.sum()
    assert np.allclose(centre, where, atol=0.1)


def test_the_field_of_view_keeps_its_centre(orientation: np.ndarray, world: Make):
    scan = scanned(orientation, world)
    found = resample(scan, 1.1, "x")
    middle = [to_world(s.affine, (np.array(s.voxels.shape[:0:-1]) - 1) / 2) for s in (scan, found)]
    assert np.allclose(*middle)


def test_what_becomes_coarser_is_not_aliased():
    stripes = np.zeros((1, 4, 4, 400), dtype=np.float32)
    stripes[..., ::2] = 1
    found = resample(Scan(stripes, np.eye(4), (1.0, 1.0, 1.0)), (3.3, 1.0, 1.0), "x")
    inner = found.voxels[..., 5:-5]
    assert np.abs(inner - 0.5).max() < 0.06  # without the Gaussian it swings from 0 to 1


def test_labels_stay_labels():
    mask = np.random.default_rng(0).integers(0, 4, (1, 9, 9, 9)).astype(np.float32)
    found = resample(Scan(mask, np.eye(4), (1.0, 1.0, 1.0)), 0.7, "x", nearest=True)
    assert set(np.unique(found.voxels)) <= {0, 1, 2, 3} and found.voxels.shape == (1, 13, 13, 13)


def test_there_and_back(orientation: np.ndarray, world: Make):
    scan = scanned(orientation, world, (12, 11, 13))
    turned = resample(canonical(scan), 0.6, "x")
    back = onto(turned.voxels, turned.affine, scan)
    inside = (slice(None), *[slice(2, -2)] * 3)
    assert back.shape == scan.voxels.shape
    assert np.allclose(back[inside], scan.voxels[inside], atol=1e-2)


def test_indices_and_places_undo_each_other(orientation: np.ndarray):
    index = np.random.default_rng(0).uniform(-5, 50, (100, 3))
    assert np.allclose(to_voxel(orientation, to_world(orientation, index)), index)


def test_a_single_slice_stays_in_its_plane(orientation: np.ndarray, world: Make):
    found = canonical(scanned(orientation, world, (7, 6, 1)))
    assert found.voxels.shape[1] == 1
    assert np.allclose(found.voxels, places(found), atol=1e-4)
    codes = nib.aff2axcodes(found.affine)
    assert codes[:2] in (("R", "A"), ("R", "S"), ("A", "S"))


def test_without_an_affine_nothing_is_turned():
    scan = Scan(np.arange(24, dtype=np.float32).reshape(1, 1, 4, 6))
    assert canonical(scan) is scan
    with pytest.raises(ScanError, match="how large") as caught:
        resample(scan, 1.0, "x.png")
    assert caught.value.reason == "no_spacing"


def test_spacing_alone_is_enough_to_resample():
    found = resample(Scan(np.ones((1, 1, 10, 20), np.float32), None, (0.2, 0.4, 1.0)), 0.4, "x")
    assert found.voxels.shape == (1, 1, 10, 10) and found.spacing == (0.4, 0.4, 1.0) and found.affine is None


@pytest.mark.parametrize("edges", [(0, 1, 1), (1, np.nan, 1), (1, 1, 5000), (1, np.inf, 1)], ids=str)
def test_an_absurd_spacing_is_refused(edges: tuple[float, float, float]):
    with pytest.raises(ScanError) as caught:
        sound(np.diag([*edges, 1.0]), "x.nii")
    assert caught.value.reason == "bad_spacing" and "x.nii" in caught.value.message


def test_axes_that_fall_together_are_refused():
    flat = np.eye(4)
    flat[:3, 1] = flat[:3, 0]
    with pytest.raises(ScanError) as caught:
        sound(flat, "x.nii")
    assert caught.value.reason == "bad_orientation"


@pytest.mark.parametrize("spacing", [0, -1.0, (1.0, 2.0), (1.0, 0.0, 1.0), float("nan")], ids=str)
def test_a_spacing_that_is_none_is_the_callers_fault(spacing: object):
    with pytest.raises(ConfigError, match="spacing"):
        resample(Scan(np.ones((1, 2, 2, 2), np.float32), np.eye(4), (1.0, 1.0, 1.0)), spacing, "x")


def test_a_grid_beyond_a_scan_is_refused():
    with pytest.raises(ScanError) as caught:
        resample(Scan(np.ones((1, 50, 50, 50), np.float32), np.eye(4), (1.0, 1.0, 1.0)), 0.01, "x")
    assert caught.value.reason == "too_large"


def test_ties_are_always_broken_alike():
    half = np.eye(4)
    half[:2, :2] = [[1, -1], [1, 1]]
    assert axes(half) == axes(half * 3) == ((0, 1, 2), (False, False, False))
