"""Stored values become what was measured, or what the file wants shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import RLELossless

from molgraph.rooms.imaging.scan import ScanError, read_scan

Write = Callable[..., Path]
RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
TWELVE = {"BitsStored": 12, "HighBit": 11}


def test_slope_and_intercept(write_slice: Write, tmp_path: Path):
    scan = read_scan(write_slice(tmp_path / "x", RAMP, Modality="CT", RescaleSlope="0.5", RescaleIntercept="-1024"))
    assert np.array_equal(scan.voxels[0, 0], RAMP * 0.5 - 1024)


def test_ct_that_does_not_say_its_scale_is_refused(write_slice: Write, tmp_path: Path):
    with pytest.raises(ScanError) as caught:
        read_scan(write_slice(tmp_path / "x", RAMP, Modality="CT"))
    assert caught.value.reason == "no_rescale"


@pytest.mark.parametrize("slope", ["0", "1e400"])
def test_a_scale_that_is_none_is_refused(slope: str, write_slice: Write, tmp_path: Path):
    with pytest.raises(ScanError) as caught:
        read_scan(write_slice(tmp_path / "x", RAMP, RescaleSlope=slope, RescaleIntercept="0"))
    assert caught.value.reason == "bad_rescale"


def test_inverted_grey_is_turned_in_an_x_ray_and_not_in_a_quantity(write_slice: Write, tmp_path: Path):
    inverted = {"PhotometricInterpretation": "MONOCHROME1", **TWELVE}
    x_ray = read_scan(write_slice(tmp_path / "x", RAMP, Modality="DX", **inverted))
    assert np.array_equal(x_ray.voxels[0, 0], 4095 - RAMP)
    half = read_scan(write_slice(tmp_path / "y", RAMP // 2, Modality="DX", **inverted))
    assert np.array_equal(half.voxels[0, 0], 4095 - RAMP // 2)  # by what the bits can hold, so that pictures compare
    ct = read_scan(write_slice(tmp_path / "z", RAMP, Modality="CT", RescaleSlope=1, RescaleIntercept=0, **inverted))
    assert np.array_equal(ct.voxels[0, 0], RAMP)


def table(entries: np.ndarray, start: int, bits: int = 16) -> Dataset:
    made = Dataset()
    made.LUTDescriptor = [len(entries), start, bits]
    made.LUTData = entries.astype(np.uint16).tobytes()
    made["LUTDescriptor"].VR, made["LUTData"].VR = "US", "OW"
    return made


def test_a_modality_table(write_slice: Write, tmp_path: Path):
    rule = table(np.arange(4096)[::-1] * 10, 0)
    rule.ModalityLUTType = "US"
    scan = read_scan(write_slice(tmp_path / "x", RAMP, ModalityLUTSequence=Sequence([rule])))
    assert np.array_equal(scan.voxels[0, 0], (4095 - RAMP.astype(int)) * 10)


def test_a_table_of_shown_values(write_slice: Write, tmp_path: Path):
    entries = np.sqrt(np.arange(4096) / 4095) * 65535
    path = write_slice(tmp_path / "x", RAMP, Modality="DX", VOILUTSequence=Sequence([table(entries, 0)]))
    assert np.array_equal(read_scan(path).voxels[0, 0], RAMP)  # only where it is asked for
    shown = read_scan(path, window="file").voxels[0, 0]
    assert np.allclose(shown, np.floor(entries[RAMP]) / 65535, atol=1e-6)


@pytest.mark.parametrize("how", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("invert", [False, True])
def test_a_window_of_the_file_is_pydicoms(how: str, invert: bool, write_slice: Write, tmp_path: Path):
    light = {"PhotometricInterpretation": "MONOCHROME1"} if invert else {}
    window = {"WindowCenter": [1500, 9], "WindowWidth": [700, 9], "VOILUTFunction": how}
    path = write_slice(tmp_path / "x", RAMP, Modality="DX", **window, **TWELVE, **light)
    shown = read_scan(path, window="file").voxels[0, 0]
    right = pydicom.pixels.apply_windowing(RAMP, pydicom.dcmread(path)) / 4095
    assert np.allclose(shown, 1 - right if invert else right, atol=1e-3)


def test_a_file_that_asks_for_no_window(write_slice: Write, tmp_path: Path):
    path = write_slice(tmp_path / "x", RAMP)
    with pytest.raises(ScanError) as caught:
        read_scan(path, window="file")
    assert caught.value.reason == "no_window"


def test_padding_is_air_in_ct_and_the_darkest_value_elsewhere(write_slice: Write, tmp_path: Path):
    stored = RAMP.astype(np.int16) + 10
    stored[:3] = -2000
    scale = {"RescaleSlope": 1, "RescaleIntercept": -1024, "PixelPaddingValue": -2000}
    for modality, dark in (("CT", -1000.0), ("PT", float(stored[3:].min()) - 1024)):
        path = write_slice(tmp_path / modality, stored, Modality=modality, **scale)
        ds = pydicom.dcmread(path)
        ds["PixelPaddingValue"].VR = "SS"
        ds.save_as(path)
        found = read_scan(path).voxels[0, 0]
        assert (found[:3] == dark).all() and np.array_equal(found[3:], stored[3:] - 1024.0)


def test_bits_that_hold_something_else_are_left_out(write_slice: Write, tmp_path: Path):
    path = write_slice(tmp_path / "x", RAMP | 0x8000, **TWELVE)
    with pytest.raises(ScanError, match="need more than the 12 bits"):
        read_scan(path)
    ds = pydicom.dcmread(path)
    ds.add_new((0x6000, 0x0102), "US", 15)  # an old overlay plane in bit 15
    ds.save_as(path)
    scan = read_scan(path)
    assert np.array_equal(scan.voxels[0, 0], RAMP) and scan.bits == 12


@pytest.mark.parametrize("bits", [8, 12])
def test_a_header_of_fewer_bits_than_the_values_have_is_refused(bits: int, write_slice: Write, tmp_path: Path):
    large = RAMP + np.uint16(4000)
    with pytest.raises(ScanError) as caught:
        read_scan(write_slice(tmp_path / "x", large, BitsStored=bits, HighBit=bits - 1))
    assert caught.value.reason == "unusual_bits"
    signed = RAMP.astype(np.int16) - 40  # of few bits, the sign repeated above them
    stored = {"BitsStored": bits, "HighBit": bits - 1}
    if RAMP.max() < 2 ** (bits - 1):
        assert np.array_equal(read_scan(write_slice(tmp_path / "y", signed, **stored)).voxels[0, 0], signed)


def test_packed_values_of_more_bits_than_the_header_says_are_refused(tmp_path: Path):
    ds = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    right = read_scan(str(ds.filename)).voxels
    ds.compress(RLELossless)
    ds.save_as(tmp_path / "x.dcm")
    assert np.array_equal(read_scan(tmp_path / "x.dcm").voxels, right)
    ds.BitsStored, ds.HighBit = 8, 7
    ds.save_as(tmp_path / "x.dcm")
    with pytest.raises(ScanError, match="need more than the 8 bits"):
        read_scan(tmp_path / "x.dcm")


def test_sixteen_bits_that_are_said_to_be_eight_are_refused(write_slice: Write, tmp_path: Path):
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    ct = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}
    with pytest.raises(ScanError, match="bytes of pixels, its header") as caught:
        read_scan(write_slice(tmp_path / "x", RAMP, **eight, **ct))
    assert caught.value.reason == "wrong_length"
    odd = np.arange(15, dtype=np.uint8).reshape(3, 5)
    path = write_slice(tmp_path / "y", odd, PixelData=odd.tobytes() + b"\0")
    assert np.array_equal(read_scan(path).voxels[0, 0], odd), "the length of an element is even"


def test_hounsfield_units_that_nothing_has_are_refused(write_slice: Write, tmp_path: Path):
    ct = {"Modality": "CT", "RescaleIntercept": -1024}
    for window in (None, "file"):
        with pytest.raises(ScanError, match="Hounsfield units") as caught:
            shown = {"WindowCenter": 40, "WindowWidth": 400}
            read_scan(
                write_slice(tmp_path / "x", RAMP + np.uint16(1000), RescaleSlope=1000, **ct, **shown), window=window
            )
        assert caught.value.reason == "bad_rescale"
    assert read_scan(write_slice(tmp_path / "y", RAMP, RescaleSlope=1, **ct)).voxels.max() == RAMP.max() - 1024.0


def test_values_that_do_not_end_at_their_bits_are_refused(write_slice: Write, tmp_path: Path):
    with pytest.raises(ScanError) as caught:
        read_scan(write_slice(tmp_path / "x", RAMP << 4, BitsStored=12, HighBit=15))
    assert caught.value.reason == "unusual_bits"


def test_colour_and_grey_stored_as_colour(write_slice: Write, tmp_path: Path):
    rgb = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    assert np.array_equal(read_scan(write_slice(tmp_path / "x", rgb)).voxels[:, 0], np.moveaxis(rgb, -1, 0))
    same = np.repeat(rgb[..., :1], 3, axis=-1)
    assert np.array_equal(read_scan(write_slice(tmp_path / "y", same)).voxels, same[None, None, ..., 0])
    shown = read_scan(tmp_path / "x", window="file").voxels
    assert np.allclose(shown[:, 0], np.moveaxis(rgb, -1, 0) / 255)


@pytest.mark.parametrize("sizes", [{"Rows": 60000, "Columns": 60000}, {"NumberOfFrames": 10**9}], ids=str)
def test_a_header_that_claims_too_much(sizes: dict[str, int], write_slice: Write, tmp_path: Path):
    with pytest.raises(ScanError) as caught:
        read_scan(write_slice(tmp_path / "x", RAMP, **sizes))
    assert caught.value.reason == "too_large"
