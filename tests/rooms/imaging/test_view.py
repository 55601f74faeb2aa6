"""What a network sees of a scan: named, resampled, framed, chosen."""

from __future__ import annotations

import numpy as np
import pytest

from molgraph.errors import ConfigError
from molgraph.rooms.imaging.scan import Scan, ScanError
from molgraph.rooms.imaging.view import View, eight_bits, framed, resized


@pytest.mark.parametrize(
    "view",
    [View((28, 28)), View((8, 9, 10), 3), View((64, 64), window="lung", spacing=0.75, slices=12)],
    ids=lambda view: view.name,
)
def test_a_name_says_all(view: View) -> None:
    assert View.parse(view.name) == view


@pytest.mark.parametrize(
    "name", ["pixels", "pixels/64", "pixels/1x8x8x8", "voxels/1x8x8", "pixels/1x0x8", "pixels/1x8x8/zoom=2", "atoms"]
)
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(ConfigError):
        View.parse(name)


def test_an_unknown_window_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'lung'"):
        View((8, 8), window="lungs")


def test_shrinking_averages() -> None:
    values = np.random.default_rng(0).random((64, 48)).astype(np.float32)
    small = resized(values, (8, 6))
    assert small.shape == (8, 6)
    assert small.mean() == pytest.approx(values.mean(), abs=0.01)
    assert small.std() < values.std() / 4, "noise is averaged, not sampled"


def test_what_is_linear_stays_linear() -> None:
    line = np.linspace(0, 1, 33, dtype=np.float32)
    np.testing.assert_allclose(
        resized(line, (65,))[2:-2], (np.arange(65)[2:-2] + 0.5) * 33 / 65 / 32 - 0.5 / 32, atol=1e-6
    )
    np.testing.assert_array_equal(resized(line, (33,)), line)


def test_proportions_are_kept() -> None:
    values = np.ones((1, 20, 40), dtype=np.float32)
    seen = framed(values, (16, 16), fit=True)
    assert seen.shape == (1, 16, 16)
    assert (seen[0, 4:12] == 1).all() and (seen[0, :4] == 0).all() and (seen[0, 12:] == 0).all()


def test_without_fit_it_is_cut_and_filled_about_the_middle() -> None:
    values = np.arange(1, 6, dtype=np.float32)
    assert framed(values, (3,), fit=False).tolist() == [2, 3, 4]
    assert framed(values, (7,), fit=False).tolist() == [0, 1, 2, 3, 4, 5, 0]


def test_bytes_are_cut_not_wrapped() -> None:
    assert eight_bits(np.array([-1, 0, 0.5, 1, 2], dtype=np.float32)).tolist() == [0, 0, 128, 255, 255]


def test_slices_are_the_middle_ones_of_equal_blocks() -> None:
    voxels = np.zeros((1, 9, 4, 4), dtype=np.float32)
    voxels[0, :, 0, 0] = np.arange(9)
    voxels[0, :, 1, 1] = 200
    scan = Scan(voxels, bits=8)
    assert View((4, 4), slices=3).of(scan, "x")[:, 0, 0, 0].tolist() == [1, 4, 7]
    assert View((4, 4)).of(scan, "x").shape == (9, 1, 4, 4)
    assert View((4, 4), slices=20).of(scan, "x").shape == (9, 1, 4, 4)


def test_a_window_and_a_spacing_in_mm() -> None:
    voxels = np.full((1, 4, 8, 8), -1000, dtype=np.float32)
    voxels[:, :, 2:6, 2:6] = -600
    scan = Scan(voxels, spacing=(2.0, 2.0, 5.0), modality="CT")
    seen = View((16, 16), window="lung", spacing=1.0).of(scan, "x")
    assert seen.shape == (4, 1, 16, 16), "slices stay, each pixel becomes four"
    assert seen[0, 0, 8, 8] == pytest.approx(128, abs=2), "the centre of the window is the middle of the scale"
    assert View((2, 4, 4), window="lung").of(scan, "x").shape == (1, 1, 2, 4, 4)
    with pytest.raises(ScanError, match="how large its voxels are"):
        View((16, 16), spacing=1.0).of(Scan(voxels, modality="CT"), "x")


@pytest.mark.parametrize(
    "name", ["pixels/1x20x20", "pixels/1x16x30/spacing=1.5", "voxels/1x20x20x20", "voxels/1x8x30x30/spacing=1.2"]
)
def test_what_is_seen_lies_back_where_it_was(name: str) -> None:
    """A slope along each axis comes back as it was, except at a border and where nothing is seen."""
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n, dtype=np.float32) for n in (12, 25, 33)), indexing="ij")
    view = View.parse(name)
    for slope in (x, y, z):
        scan = Scan(255 * slope[None], None, (0.8, 1.0, 2.0), bits=8)
        back = view.back(view.of(scan, "")[:, 0] / np.float32(255), scan)
        assert back.shape == slope.shape
        seen = back[2:-2, 4:-4, 4:-4] > 0
        assert seen.mean() > 0.4
        off = np.abs(back - slope)[2:-2, 4:-4, 4:-4][seen]
        assert np.quantile(off, 0.9) < 0.03
