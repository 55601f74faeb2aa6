"""Pictures of scans, and what is said of them, also where there is nothing to draw."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from PIL import Image

from molgraph.errors import ConfigError
from molgraph.rooms.imaging.draw import draw
from molgraph.rooms.imaging.properties import PROPERTIES, properties


def embedded(svg: str) -> np.ndarray:
    found = re.search(r"base64,([^\"]+)", svg)
    assert found
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))


def test_a_picture_is_embedded_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a & b.png")
    svg = draw(str(tmp_path / "a & b.png"), width=100, height=80)
    fromstring(svg)
    assert np.array_equal(embedded(svg), pixels) and "30 x 20" in svg


def test_a_large_one_is_small_on_a_page(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    svg = draw(str(tmp_path / "a.png"))
    assert embedded(svg).shape == (96, 128, 3) and len(svg) < 60_000


def test_a_volume_shows_its_middle_slice_upright(tmp_path: Path) -> None:
    import nibabel as nib

    voxels = np.zeros((6, 8, 5), dtype=np.float32)  # x, y, z
    voxels[:, :, 2] = 1
    voxels[5, 7, 2] = 9  # to the patient's right in RAS+ means x high; in front means y high
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / "a.nii")
    shown = embedded(draw(str(tmp_path / "a.nii")))
    assert shown.shape == (8, 6)
    assert np.unravel_index(shown.argmax(), shown.shape) == (0, 0), "front is up, the patient's right is left"


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    svg = draw(str(tmp_path / "gone.png") + "@" + "0" * 32)
    fromstring(svg)
    assert "no picture" in svg and "gone.png" in svg


def test_properties(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    frame = properties([str(tmp_path / "a.png"), "gone.png"])
    assert list(frame.columns) == list(PROPERTIES) and len(frame) == 2
    first = frame.iloc[0]
    assert (first["width"], first["height"], first["slices"], first["mean"], first["highest"]) == (4, 3, 1, 5.5, 11)
    assert frame.iloc[1].isna().all()
    assert properties([]).empty
    with pytest.raises(ConfigError, match="did you mean 'width'"):
        properties([], ["widht"])
