"""Bytes and bits of pixels that hold no pixel: nothing can ride there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian

from molgraph.rooms.imaging.content import quiet
from molgraph.rooms.imaging.dicom import decoded, parse
from molgraph.rooms.imaging.scan import ScanError
from molgraph.rooms.imaging.spare import empty_spare

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
SECRET = b"MUSTER ANNA PADDING BYTES!"


def opened(name: str) -> pydicom.FileDataset:
    return parse((FILES / name).read_bytes(), name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "CT_small.dcm",
            "MR_small_bigendian.dcm",
            "SC_rgb_small_odd.dcm",
            "SC_ybr_full_422_uncompressed.dcm",
            "rtdose.dcm",
        ),
        *("liver_1frame.dcm", "rtdose_1frame.dcm", "SC_rgb_small_odd_big_endian.dcm"),
    ],
)
def test_what_follows_the_last_pixel_is_cut_off(name: str):
    ds = opened(name)
    pixels = next(word for word in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if word in ds)
    before = ds[pixels].value
    ds[pixels].value = before + SECRET
    empty_spare(ds)
    assert ds[pixels].value == before


def test_frames_that_the_header_does_not_know_are_left_for_the_reader_to_refuse():
    ds = opened("CT_small.dcm")
    ds.PixelData *= 3
    empty_spare(ds)
    with pytest.raises(ScanError, match="asks for"):
        decoded(ds, "x")


def test_the_byte_that_makes_a_length_even_is_zero(write_slice, tmp_path: Path):
    ds = pydicom.dcmread(write_slice(tmp_path / "x", np.ones((3, 3), np.uint8)))
    ds.PixelData = b"\1" * 9 + b"A"
    empty_spare(ds)
    assert ds.PixelData == b"\1" * 9 + b"\0"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("stored", "high"), [(12, 11), (12, 15), (10, 11), (16, 15)])
def test_bits_around_a_value_are_cleared_and_the_value_stays(stored: int, high: int, signed: bool, order: str):
    ds = opened("CT_small.dcm")
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = stored, high, int(signed)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian if order == ">" else ds.file_meta.TransferSyntaxUID
    low = high + 1 - stored
    values = np.resize(
        np.arange(-(2 ** (stored - 1)), 2 ** (stored - 1)) if signed else np.arange(2**stored), 128 * 128
    )
    right = (values << low).astype(f"{order}i2" if signed else f"{order}u2")
    held = (((1 << stored) - 1) << low) & 0xFFFF
    noise = np.random.default_rng(0).integers(0, 65536, values.size, dtype=np.uint16) & np.uint16(~held & 0xFFFF)
    ds.PixelData = ((right.astype(f"{order}i2").view(f"{order}u2") & held) | noise).astype(f"{order}u2").tobytes()
    empty_spare(ds)
    assert ds.PixelData == right.tobytes()


def test_the_last_byte_of_single_bits_holds_pixels_only():
    ds = opened("liver_1frame.dcm")
    ds.Rows, ds.Columns, ds.NumberOfFrames = 3, 3, 1
    ds.PixelData = b"\xff\xff"
    empty_spare(ds)
    assert ds.PixelData == b"\xff\x01"


def test_fractions_are_cut_too():
    ds = opened("CT_small.dcm")
    del ds.PixelData
    ds.BitsAllocated, ds.FloatPixelData = 32, np.ones(128 * 128, "<f4").tobytes() + SECRET
    empty_spare(ds)
    assert ds.FloatPixelData == np.ones(128 * 128, "<f4").tobytes()


SHOWN = [
    *("CT_small", "MR_small", "MR_small_bigendian", "MR_small_padded", "SC_rgb_small_odd", "examples_overlay"),
    *("SC_rgb_small_odd_big_endian", "SC_ybr_full_422_uncompressed", "examples_palette", "image_dfl", "rtdose"),
    *("liver_1frame", "examples_rgb_color", "examples_ybr_color", "JPEG2000", "rtdose_rle"),
]


@pytest.mark.parametrize("name", SHOWN)
def test_real_pictures_show_the_same(name: str):
    ds = opened(f"{name}.dcm")
    with quiet():
        before = decoded(ds, name).copy()
        empty_spare(ds)
        assert np.array_equal(decoded(ds, name), before)
