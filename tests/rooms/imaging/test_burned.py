"""Text in pixels: which pictures are suspected, and that what is painted over is gone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from molgraph.errors import ConfigError
from molgraph.rooms.imaging.burned import Region, blank, hides_overlay, painted, region, suspicion
from molgraph.rooms.imaging.content import quiet
from molgraph.rooms.imaging.dicom import parse
from molgraph.rooms.imaging.scan import ScanError, read_scan

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
REGION = Region(3, 5, 20, 10)


def opened(name: str) -> FileDataset:
    return parse((FILES / name).read_bytes(), name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("CT_small.dcm", ""),
        ("MR_small.dcm", ""),
        ("dicomdirtests/77654033/CR1/6154", ""),
        ("SC_rgb_jpeg.dcm", "secondary capture"),
        ("examples_rgb_color.dcm", "ultrasound"),
    ],
)
def test_kinds(name: str, why: str):
    found = suspicion(opened(name))
    assert why in found and bool(found) == bool(why)


@pytest.mark.parametrize(
    ("element", "value"),
    [("BurnedInAnnotation", "YES"), ("ConversionType", "DF"), ("ImageType", ["DERIVED", "SECONDARY", "SCREEN SAVE"])],
)
def test_headers(element: str, value: object):
    ds = opened("CT_small.dcm")
    setattr(ds, element, value)
    assert suspicion(ds)


def test_a_header_that_denies_it_does_not_clear_ultrasound():
    ds = opened("examples_rgb_color.dcm")
    ds.BurnedInAnnotation = "NO"
    assert suspicion(ds)


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "0,0,0,5", "-1,0,5,5", "1,2,3,4,5"])
def test_regions_that_are_none(text: str):
    with pytest.raises(ConfigError, match="X,Y,WIDTH,HEIGHT"):
        region(text)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "CT_small.dcm",
            "MR_small_RLE.dcm",
            "examples_rgb_color.dcm",
            "examples_ybr_color.dcm",
            "examples_jpeg2k.dcm",
        ),
        *("SC_rgb_jpeg_dcmtk.dcm", "examples_palette.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_rle_2frame.dcm"),
        *("SC_ybr_full_422_uncompressed.dcm", "SC_rgb_jpeg_gdcm.dcm"),
    ],
)
def test_what_is_painted_over_is_gone_and_the_rest_is_as_it_was(name: str):
    before = opened(name).pixel_array
    ds = opened(name)
    with quiet():
        blank(ds, [REGION], name)
        stream = io.BytesIO()
        ds.save_as(stream, enforce_file_format=True)
        after = pydicom.dcmread(io.BytesIO(stream.getvalue())).pixel_array
    colour = before.ndim > 2 and before.shape[-1] == 3
    at = (..., slice(5, 15), slice(3, 23), *([slice(None)] if colour else []))
    assert (after[at] == before.min()).all()
    before[at] = after[at]
    assert np.array_equal(before, after)


def test_inverted_grey_is_painted_dark():
    ds = opened("dicomdirtests/77654033/CR1/6154")
    before = ds.pixel_array
    blank(ds, [Region(0, 0, 4, 4)], "x")
    assert (ds.pixel_array[:4, :4] == before.max()).all() and ds.PhotometricInterpretation == "MONOCHROME1"


@pytest.mark.parametrize("wrong", [Region(120, 0, 20, 5), Region(0, 128, 1, 1)])
def test_a_region_that_leaves_the_picture_is_refused(wrong: Region):
    with pytest.raises(ScanError) as caught:
        blank(opened("CT_small.dcm"), [wrong], "x.dcm")
    assert caught.value.reason == "blank_outside" and "128 x 128" in caught.value.message


@pytest.mark.parametrize("name", ["rtdose.dcm", "liver_1frame.dcm", "MR_small_bigendian.dcm"])
def test_pixels_that_cannot_be_written_back_are_refused(name: str):
    with pytest.raises(ScanError) as caught:
        blank(opened(name), [REGION], name)
    assert caught.value.reason == "cannot_blank"


def test_an_overlay_in_unused_bits_is_seen_and_gone():
    ds = opened("examples_overlay.dcm")
    assert not hides_overlay(ds)  # it is stored apart
    ds.add_new(0x60020102, "US", 15)
    stored = np.frombuffer(ds.PixelData, "<u2")
    ds.PixelData = (stored | 0x8000).tobytes()
    assert hides_overlay(ds)
    blank(ds, [], "x")
    assert np.array_equal(np.frombuffer(ds.PixelData, "<u2"), stored)


def test_painting_copies():
    pixels = np.ones((4, 6), np.uint8)
    made = painted(pixels, [Region(1, 1, 2, 2)], "x", 7)
    assert pixels.all() and (made[1:3, 1:3] == 7).all() and made.sum() == 24 - 4 + 28
    assert read_scan(FILES / "CT_small.dcm").voxels.shape  # the original is untouched
