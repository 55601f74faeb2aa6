"""Values on one scale: windows by name, percentiles by modality."""

from __future__ import annotations

import numpy as np
import pytest

from molgraph.errors import ConfigError
from molgraph.rooms.imaging.intensity import WINDOWS, normalise, to_channels
from molgraph.rooms.imaging.scan import Scan, ScanError

RNG = np.random.default_rng(0)


def ct() -> Scan:
    return Scan(RNG.uniform(-1024, 3000, (1, 8, 8, 8)).astype(np.float32), modality="CT", bits=16)


@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_by_name_is_linear_between_its_ends(name: str):
    centre, width = WINDOWS[name]
    scan = ct()
    shown = normalise(scan, name, "x").voxels
    assert np.allclose(shown, np.clip((scan.voxels - (centre - width / 2)) / width, 0, 1), atol=1e-5)
    assert np.array_equal(shown, normalise(scan, (centre, width), "x").voxels)


def test_lung_keeps_lung_and_bone_keeps_bone():
    tissue = np.array([-1000, -800, -500, 50, 400, 1200], dtype=np.float32).reshape(1, 1, 2, 3)
    lung, bone = (normalise(Scan(tissue, modality="CT"), w, "x").voxels.ravel() for w in ("lung", "bone"))
    assert lung[1] > 0 and lung[2] - lung[1] > 0.15 and lung[4] == lung[5] == 1
    assert bone[0] == bone[1] == 0 and bone[5] - bone[4] > 0.4


def test_hounsfield_windows_need_hounsfield_units():
    with pytest.raises(ScanError) as caught:
        normalise(Scan(RNG.normal(size=(1, 4, 4, 4)).astype(np.float32), modality="MR"), "lung", "x.nii")
    assert caught.value.reason == "not_ct" and "x.nii" in caught.value.message


def test_a_window_that_shows_nothing_is_told():
    with pytest.raises(ScanError) as caught:
        normalise(Scan(RNG.uniform(2000, 3000, (1, 4, 4, 4)).astype(np.float32)), "lung", "x.nii")
    assert caught.value.reason == "outside_window"


@pytest.mark.parametrize("window", ["lungs", (0, 0), (0, -5), (float("nan"), 1)], ids=str)
def test_a_window_that_is_none(window: object):
    with pytest.raises(ConfigError):
        normalise(ct(), window, "x")


def test_the_foreground_of_mr_sets_its_scale():
    brain = np.zeros((1, 20, 20, 20), dtype=np.float32)
    brain[0, 5:15, 5:15, 5:15] = RNG.normal(800, 100, (10, 10, 10))
    few = brain.copy()
    few[0, :, :, :] = 0
    few[0, 8:12, 8:12, 8:12] = brain[0, 8:12, 8:12, 8:12]  # the same tissue in a larger field of view
    large, small = (normalise(Scan(v, modality="MR"), "auto", "x").voxels for v in (brain, few))
    at = (0, 9, 9, 9)
    assert abs(large[at] - small[at]) < 0.12
    assert large[0, 0, 0, 0] == 0 and large.max() == 1


def test_the_scale_of_a_scanner_does_not_matter_and_an_outlier_neither():
    brain = RNG.gamma(2, 300, (1, 16, 16, 16)).astype(np.float32)
    spiked = brain.copy()
    spiked[0, 0, 0, 0] = 1e6
    plain, scaled, hurt = (normalise(Scan(v, modality="MR"), "auto", "x").voxels for v in (brain, brain * 7, spiked))
    assert np.allclose(plain, scaled, atol=1e-5)
    assert np.abs(plain - hurt)[0, 1:].max() < 0.05


def test_each_sequence_has_a_scale_of_its_own():
    two = np.stack([RNG.uniform(0, 10, (4, 8, 8)), RNG.uniform(0, 5000, (4, 8, 8))]).astype(np.float32)
    shown = normalise(Scan(two, modality="MR"), "auto", "x").voxels
    assert shown[0].max() == shown[1].max() == 1 and abs(shown[0].mean() - shown[1].mean()) < 0.1


def test_a_deep_x_ray_is_stretched_and_a_byte_is_a_byte():
    deep = RNG.normal(2000, 100, (1, 1, 64, 64)).astype(np.float32)
    shown = normalise(Scan(deep, modality="DX", bits=12), "auto", "x").voxels
    assert shown.min() == 0 and shown.max() == 1 and 0.45 < np.median(shown) < 0.55
    dim = RNG.integers(0, 100, (1, 1, 8, 8)).astype(np.float32)
    assert np.allclose(normalise(Scan(dim, bits=8), "auto", "x").voxels, dim / 255)


def test_almost_nothing_but_black_is_still_shown():
    dark = np.zeros((1, 1, 100, 100), dtype=np.float32)
    dark[0, 0, 3, 4] = 9
    shown = normalise(Scan(dark, modality="DX", bits=16), "auto", "x").voxels
    assert shown[0, 0, 3, 4] == 1 and shown.sum() == 1


def test_channels():
    grey = Scan(RNG.uniform(0, 1, (1, 1, 4, 4)).astype(np.float32))
    assert to_channels(grey, 3, "x").voxels.shape == (3, 1, 4, 4)
    assert np.allclose(to_channels(to_channels(grey, 3, "x"), 1, "x").voxels, grey.voxels)
    with pytest.raises(ScanError) as caught:
        to_channels(Scan(np.ones((4, 2, 2, 2), np.float32)), 1, "x.nii")
    assert caught.value.reason == "wrong_channels"
    with pytest.raises(ScanError, match=r"has 1 channels, not 2; .* --set encoder.channels=1"):
        to_channels(grey, 2, "x.nii")  # one sequence is no two
