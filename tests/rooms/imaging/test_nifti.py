"""NIfTI of every data type, orientation, unit and number of axes."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from molgraph.rooms.imaging.scan import ScanError, read_scan

RNG = np.random.default_rng(0)


def written(path: Path, array: np.ndarray, affine: np.ndarray | None = None, kind: type = nib.Nifti1Image) -> Path:
    nib.save(kind(array, np.diag([1.0, 2.0, 3.0, 1.0]) if affine is None else affine), path)
    return path


def reason_of(path: Path, **words: object) -> str:
    with pytest.raises(ScanError) as caught:
        read_scan(path, **words)
    return caught.value.reason


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair, nib.Nifti2Pair])
@pytest.mark.parametrize("dtype", ["u1", "i2", "<i4", ">i2", "u2", "f4", "f8", ">f4"])
def test_types_and_containers(kind: type, dtype: str, tmp_path: Path):
    array = RNG.integers(0, 100, (4, 5, 6)).astype(dtype)
    name = "x.hdr" if "Pair" in kind.__name__ else "x.nii.gz"
    path = written(tmp_path / name, array, kind=kind)
    scan = read_scan(path)
    assert np.array_equal(scan.voxels[0].T, array)
    assert scan.bits == (array.dtype.itemsize * 8 if array.dtype.kind in "iu" else 0)


def test_every_orientation_and_nibabel_agree(orientation: np.ndarray, tmp_path: Path):
    array = RNG.integers(0, 1000, (4, 5, 6)).astype(np.int16)
    path = written(tmp_path / "x.nii", array, orientation)
    right = nib.as_closest_canonical(nib.load(path))
    scan = read_scan(path)
    assert np.array_equal(scan.voxels[0].T, right.get_fdata())
    assert np.allclose(scan.affine, right.affine, atol=1e-5)


def test_the_qform_counts_where_there_is_no_sform(orientation: np.ndarray, tmp_path: Path):
    image = nib.Nifti1Image(RNG.integers(0, 9, (4, 5, 6)).astype(np.int16), orientation)
    image.set_qform(orientation, code=1)
    image.set_sform(None, code=0)
    nib.save(image, tmp_path / "x.nii")
    assert np.allclose(read_scan(tmp_path / "x.nii", canonical=False).affine, orientation, atol=1e-4)


def test_without_either_only_the_spacing_is_known(tmp_path: Path):
    image = nib.Nifti1Image(RNG.integers(0, 9, (4, 5, 6)).astype(np.int16), None)
    image.header.set_zooms((0.5, 0.6, 2.0))
    nib.save(image, tmp_path / "x.nii")
    scan = read_scan(tmp_path / "x.nii")
    assert scan.affine is None and np.allclose(scan.spacing, (0.5, 0.6, 2.0))


@pytest.mark.parametrize(("unit", "scale"), [("meter", 1000), ("mm", 1), ("micron", 0.001), ("unknown", 1)])
def test_units_become_mm(unit: str, scale: float, tmp_path: Path):
    image = nib.Nifti1Image(RNG.integers(0, 9, (4, 5, 6)).astype(np.int16), np.diag([2, 3, 4, scale]) / scale)
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "x.nii")
    assert np.allclose(read_scan(tmp_path / "x.nii").spacing, (2, 3, 4))


def test_slope_and_intercept(tmp_path: Path):
    image = nib.Nifti1Image(np.arange(120, dtype=np.int16).reshape(4, 5, 6), np.eye(4))
    image.header.set_slope_inter(0.25, -3)
    nib.save(image, tmp_path / "x.nii")
    scan = read_scan(tmp_path / "x.nii")
    assert np.allclose(scan.voxels[0].T, nib.load(tmp_path / "x.nii").get_fdata()) and scan.bits == 0


def test_a_fourth_axis_is_channels_and_a_sixth_is_refused(tmp_path: Path):
    array = RNG.normal(size=(4, 5, 6, 3)).astype(np.float32)
    assert np.array_equal(read_scan(written(tmp_path / "x.nii", array)).voxels.T, array)
    vectors = array[:, :, :, None]
    assert np.array_equal(read_scan(written(tmp_path / "y.nii", vectors)).voxels.T, array)
    assert reason_of(written(tmp_path / "z.nii", np.stack([vectors, vectors], 3)[..., 0, :])) == "too_many_dimensions"


def test_a_flat_picture(tmp_path: Path):
    array = RNG.normal(size=(4, 5)).astype(np.float32)
    assert np.array_equal(read_scan(written(tmp_path / "x.nii", array, np.eye(4))).voxels[0, 0].T, array)


def test_colour_is_three_channels(tmp_path: Path):
    rgb = RNG.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    array = rgb.copy().view(np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))[..., 0]
    assert np.array_equal(read_scan(written(tmp_path / "x.nii", array)).voxels.T, rgb)


def test_complex_voxels_are_refused(tmp_path: Path):
    array = RNG.normal(size=(3, 3, 3)).astype(np.complex64)
    assert reason_of(written(tmp_path / "x.nii", array)) == "complex_voxels"


@pytest.mark.parametrize("edge", [0.0, np.nan, 1e9])
def test_an_absurd_spacing(edge: float, tmp_path: Path):
    path = written(tmp_path / "x.nii", RNG.normal(size=(3, 3, 3)).astype(np.float32))
    data = bytearray(path.read_bytes())
    for row in range(3):  # srow_x, srow_y, srow_z, four float32 each from byte 280
        data[280 + 16 * row : 284 + 16 * row] = np.float32(edge if row == 0 else 0).tobytes()
    path.write_bytes(data)
    assert reason_of(path) == "bad_spacing"


def test_a_header_that_claims_too_much_is_refused_before_memory_is_taken(tmp_path: Path):
    path = written(tmp_path / "x.nii", RNG.normal(size=(3, 3, 3)).astype(np.float32))
    data = bytearray(path.read_bytes())
    data[40:56] = np.array([7, *[30000] * 7], "<i2").tobytes()
    path.write_bytes(data)
    assert reason_of(path) == "too_large"
    data[40:56] = np.array([3, 900, 900, 900, 1, 1, 1, 1], "<i2").tobytes()
    path.write_bytes(data)
    assert reason_of(path) == "truncated"


@pytest.mark.parametrize("sizes", [[3, 0, 3, 3], [3, -3, 3, 3], [0, 3, 3, 3], [9, 3, 3, 3]], ids=str)
def test_axes_that_cannot_be(sizes: list[int], tmp_path: Path):
    path = written(tmp_path / "x.nii", RNG.normal(size=(3, 3, 3)).astype(np.float32))
    data = bytearray(path.read_bytes())
    data[40 : 40 + 2 * len(sizes)] = np.array(sizes, "<i2").tobytes()
    path.write_bytes(data)
    assert reason_of(path) in {"empty", "damaged"}


def test_a_header_without_its_voxels(tmp_path: Path):
    written(tmp_path / "x.hdr", RNG.normal(size=(3, 3, 3)).astype(np.float32), kind=nib.Nifti1Pair)
    (tmp_path / "x.img").unlink()
    assert reason_of(tmp_path / "x.hdr") == "missing_file"


def test_the_range_of_the_file(tmp_path: Path):
    image = nib.Nifti1Image(np.arange(27, dtype=np.float32).reshape(3, 3, 3), np.eye(4))
    image.header["cal_min"], image.header["cal_max"] = 5, 15
    nib.save(image, tmp_path / "x.nii")
    shown = read_scan(tmp_path / "x.nii", window="file").voxels[0].T
    assert np.allclose(shown, np.clip((image.get_fdata() - 5) / 10, 0, 1))
    assert reason_of(written(tmp_path / "y.nii", RNG.normal(size=(3, 3, 3))), window="file") == "no_window"
