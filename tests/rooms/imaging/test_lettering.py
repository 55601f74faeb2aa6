"""Text in pixels: drawn lines are seen, and pictures without any are not taken for text."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont

from molgraph.rooms.imaging.dicom import decoded, parse
from molgraph.rooms.imaging.lettering import lettering, refuse_lettering
from molgraph.rooms.imaging.scan import ScanError

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
LINE = "MUSTER ANNA 1950"


def mri() -> np.ndarray:
    """Return a slice of MRI without text, 256 x 256, in grey levels of 0 to 255."""
    stored = pydicom.dcmread(FILES / "MR_small.dcm").pixel_array.astype(np.float32)
    scaled = np.clip(stored / np.percentile(stored, 99) * 255, 0, 255)
    return np.asarray(Image.fromarray(scaled).resize((256, 256), Image.Resampling.BILINEAR))


def drawn(picture: np.ndarray, ink: float, size: int, at: tuple[int, int], turns: int = 0) -> np.ndarray:
    """Return a picture with a line of text."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(LINE))
    page = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(page).text((-left, -top), LINE, font=font, fill=255)
    letters = np.rot90(np.asarray(page) / 255.0, turns)
    x, y = at
    made = picture.astype(np.float32)
    place = (slice(y, y + letters.shape[0]), slice(x, x + letters.shape[1]))
    made[place] = made[place] * (1 - letters) + ink * letters
    return made


@pytest.mark.parametrize("turns", [0, 1, 3])
@pytest.mark.parametrize(("size", "ink"), [(13, 255), (16, 255), (20, 255), (16, 0), (20, 0)])
def test_a_drawn_line_is_seen_where_it_is(size: int, ink: float, turns: int):
    made = drawn(mri(), ink, size, (20, 30), turns)
    first = lettering(made, colour=False)[0]
    changed = np.abs(made - mri()) > 1
    inside = changed[first.y : first.y + first.height, first.x : first.x + first.width].sum()
    assert inside > changed.sum() / 3 and first.width * first.height < 3 * size * 14 * size


@pytest.mark.parametrize("size", [40, 80, 120])
def test_large_letters_are_seen(size: int):
    assert lettering(drawn(np.zeros((400, 1400)), 200, size, (20, 200)), colour=False)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float32])
def test_values_of_any_type_and_range(kind: type):
    text = drawn(np.zeros((128, 256)), 200, 20, (10, 10))
    assert lettering(text.astype(kind), colour=False) and lettering((200 - text).astype(kind), colour=False)
    assert not lettering(np.zeros((128, 256), kind), colour=False)


def test_ink_that_differs_in_colour_alone():
    grey = np.full((128, 256), 90.0)
    red, green = drawn(grey, 180, 20, (10, 10)), drawn(grey, 0, 20, (10, 10))
    assert lettering(np.stack([red, green, grey], -1), colour=True)  # of one brightness
    opacity = drawn(np.full((128, 256), 255.0), 0, 20, (10, 10))
    assert lettering(np.stack([grey, grey, grey, opacity], -1), colour=True)


@pytest.mark.parametrize("shape", [(1, 1), (4, 4000), (28, 28), (3, 3)])
def test_pictures_too_small_for_text(shape: tuple[int, int]):
    assert not lettering(np.random.default_rng(0).random(shape), colour=False)


def test_values_that_are_no_numbers():
    assert not lettering(np.full((64, 64), np.nan), colour=False)
    assert not lettering(np.full((64, 64), np.inf), colour=False)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [64, 256])
def test_noise_is_no_text(size: int, seed: int):
    rng = np.random.default_rng(seed)
    for picture in (rng.random((size, size)), rng.integers(0, 256, (size, size)), rng.normal(size=(size, size))):
        assert not lettering(picture, colour=False)


def test_shapes_that_are_no_text():
    y, x = np.mgrid[:256, :256]
    disc = ((y - 128) ** 2 + (x - 128) ** 2 < 80**2).astype(np.float32)
    for picture in (x, disc, disc * x, np.sin(x / 9) * np.sin(y / 9), mri()):
        assert not lettering(picture, colour=False)


def test_real_pictures_without_and_with_text():
    for name in ("CT_small.dcm", "MR_small.dcm", "693_J2KI.dcm", "examples_overlay.dcm", "JPEG2000.dcm", "rtdose.dcm"):
        stored = decoded(parse((FILES / name).read_bytes(), name), name)
        for frame in stored.reshape(-1, *stored.shape[-2:]):
            assert not lettering(frame, colour=False), name
    for name in ("examples_rgb_color.dcm", "examples_jpeg2k.dcm"):
        assert lettering(decoded(parse((FILES / name).read_bytes(), name), name), colour=True), name


def test_chest_x_rays_of_publications(shared_data: Path):
    with zipfile.ZipFile(shared_data / "imaging" / "covid_cxr_256.zip") as packed:
        names = sorted(name for name in packed.namelist() if name.endswith((".jpg", ".png")))
        written = ("1e64990d1b40c1758a2aaa9c7f7a85_jumbo.jpg", "aspiration-pneumonia-5-day27.jpg")
        for name in (*names[:12], *written):
            picture = np.asarray(Image.open(io.BytesIO(packed.read(name))).convert("L"))
            assert bool(lettering(picture, colour=False)) == (name in written), name


def test_a_refusal_names_the_place_and_the_remedy():
    pages = np.stack([np.zeros((128, 256)), drawn(np.zeros((128, 256)), 255, 20, (10, 40))])
    with pytest.raises(ScanError) as caught:
        refuse_lettering(pages, "x.tif", colour=False)
    assert caught.value.reason == "burned_in_text"
    said = caught.value.message
    assert said.startswith("x.tif: shows what looks like text (frame 2, at x 1") and "or say --inspected" in said
    for remedy in re.findall(r"--blank ([\d,]+\d)", said):
        x, y, width, height = map(int, remedy.split(","))
        assert 0 <= x < 200 and 30 <= y <= 45 and height < 40
        pages[1, y : y + height, x : x + width] = 0
    refuse_lettering(pages, "x.tif", colour=False)
