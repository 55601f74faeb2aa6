"""Measure how often drawn text is found in pictures, and how often text is seen where there is none.

    MOLGRAPH_DATA=... python benchmarks/lettering.py [--lines 60] [--only hits|alarms]

Prints hits by height of the capitals and by contrast, for lines of 6 to 19 characters in eight fonts, upright or turned
by 90 degrees, half of them through JPEG; and the pictures of each set in which text is seen, by name.
"""

from __future__ import annotations

import argparse
import gzip
import io
import itertools
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import matplotlib as mpl
import nibabel as nib
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from molgraph.rooms.imaging import dicom
from molgraph.rooms.imaging.content import quiet
from molgraph.rooms.imaging.lettering import lettering

DATA = Path(os.environ.get("MOLGRAPH_DATA", "")) / "imaging"
FILES = Path(pydicom.__file__).parent / "data" / "test_files"
TEXTS = (
    *("MUSTER ANNA 1950", "Muster, Anna", "03.04.1950", "PID 4711-0815", "Jane Doe 1970-01-02", "ZEPPELIN"),
    *("St. Mary Hospital", "12345678", "Li Wu F 1988", "HOSPITAL", "geb. 03.04.1950", "MUSTER"),
)
FONTS = ("", "DejaVuSans", "DejaVuSansMono", "DejaVuSerif", "DejaVuSans-Bold", "STIXGeneral", "cmss10", "cmtt10")
HEIGHTS, CONTRASTS, TURNS = (6, 8, 10, 12, 16, 24, 40), (0.3, 0.6, 1.0), (0, 0, 1, 3)
SEED = 1  # the constants were chosen with another
Picture = NDArray[Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=60, help="lines drawn for each height and contrast (60)")
    parser.add_argument("--only", choices=("hits", "alarms"))
    given = parser.parse_args()
    if given.only != "hits":
        alarms()
    if given.only != "alarms":
        hits(given.lines)


def alarms() -> None:
    """Print in how many pictures of each set text is seen."""
    sets = {"chest X-rays": xrays(), "brain slices": slices(), "DICOM": frames(), "28 x 28": small(), "CT": patches()}
    for name, pictures in sets.items():
        count, seen = 0, []
        for count, (label, picture) in enumerate(pictures, 1):  # noqa: B007
            if lettering(picture, colour=picture.ndim > 2):
                seen.append(label)
        print(f"{name}: text is seen in {len(seen)} of {count}: {', '.join(seen)}", flush=True)


def hits(lines: int) -> None:
    """Print the share of drawn lines that are found where they are."""
    rng = np.random.default_rng(SEED)
    bases = [picture for _, picture in itertools.chain(xrays(), slices()) if _wide(picture)]
    for height, contrast in itertools.product(HEIGHTS, CONTRASTS):
        found = drawn = 0
        while drawn < lines:
            base = bases[rng.integers(len(bases))]
            if made := line_on(_enlarged(base, height), rng, height, contrast):
                drawn += 1
                found += _meets(made[1], lettering(made[0], colour=False))
        print(f"capitals of {height} px, contrast {contrast}: {found} of {drawn} found", flush=True)


def line_on(picture: Picture, rng: np.random.Generator, height: int, contrast: float) -> Any:
    """Return a picture with a line of text somewhere, and its place; None where it has no room."""
    text, font = TEXTS[rng.integers(len(TEXTS))], _font(FONTS[rng.integers(len(FONTS))], height)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
    page = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(page).text((-left, -top), text, font=font, fill=255)
    ink = np.rot90(np.asarray(page) / 255.0, int(rng.choice(TURNS)))
    free = np.array(picture.shape) - ink.shape
    if (free < 0).any():
        return None
    y, x = (int(rng.integers(room + 1)) for room in free)
    made = picture.astype(np.float64)
    low, high = np.percentile(made, (1, 99))
    at = (slice(y, y + ink.shape[0]), slice(x, x + ink.shape[1]))
    paper = float(np.median(made[at]))
    step = contrast * (high - low) * (1 if paper < (low + high) / 2 else -1)
    made[at] = made[at] * (1 - ink) + np.clip(paper + step, low, high) * ink
    if rng.random() < 0.5:
        stream = io.BytesIO()
        scaled = np.clip((made - low) / (high - low), 0, 1) * 255
        Image.fromarray(scaled.astype(np.uint8)).save(stream, format="JPEG", quality=75)
        made = np.asarray(Image.open(stream))
    return made, (x, y, ink.shape[1], ink.shape[0])


def _wide(picture: Picture) -> bool:
    """Say whether a picture has room, and a range to draw in."""
    low, high = np.percentile(picture, (1, 99))
    return min(picture.shape) > 150 and high > low


def _font(name: str, height: int) -> Any:
    """Return a font whose capitals are so high."""
    file = f"{mpl.get_data_path()}/fonts/ttf/{name}.ttf"
    sizes = (
        ImageFont.truetype(file, size) if name else ImageFont.load_default(size) for size in itertools.count(height)
    )
    return next(font for font in sizes if font.getbbox("H")[3] - font.getbbox("H")[1] >= height)


def _enlarged(picture: Picture, height: int) -> Picture:
    """Return a picture large enough for a line."""
    times = max(1, height * 20 // min(picture.shape))
    rows, columns = picture.shape
    image = Image.fromarray(picture.astype(np.float32))
    return np.asarray(image.resize((columns * times, rows * times), Image.Resampling.BILINEAR))


def _meets(place: tuple[int, int, int, int], found: list[Any]) -> bool:
    x, y, width, height = place
    return any(
        min(x + width, one.x + one.width) > max(x, one.x) and min(y + height, one.y + one.height) > max(y, one.y)
        for one in found
    )


def xrays() -> Iterator[tuple[str, Picture]]:
    """Yield chest X-rays of publications; some have text."""
    with zipfile.ZipFile(DATA / "covid_cxr_256.zip") as packed:
        for name in sorted(packed.namelist()):
            if name.endswith((".jpg", ".png", ".jpeg")):
                yield name, np.asarray(Image.open(io.BytesIO(packed.read(name))).convert("L"))


def slices() -> Iterator[tuple[str, Picture]]:
    """Yield slices of brains along three axes."""
    for archive, ending in (
        ("brain_mri_tumour_4.zip", "MeanDivStd.nii.gz"),
        ("nifti_samples.zip", (".nii", ".nii.gz")),
    ):
        with zipfile.ZipFile(DATA / archive) as packed:
            for name in sorted(name for name in packed.namelist() if name.endswith(ending)):
                kind = nib.Nifti2Image if "nifti2" in name else nib.Nifti1Image
                data = packed.read(name)
                loaded: Any = kind.from_bytes(_plain(data))
                volume = np.asarray(loaded.dataobj)
                volume = volume[..., 0] if volume.ndim > 3 else volume
                for axis, size in enumerate(volume.shape):
                    for at in range(size // 8, size, max(1, size // 8)):
                        picture = np.take(volume, at, axis).astype(np.float64)
                        if picture.std():
                            yield f"{Path(name).name} {axis}/{at}", picture


def _plain(data: bytes) -> bytes:
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def frames() -> Iterator[tuple[str, Picture]]:
    """Yield the first frames of the DICOM files of pydicom; some have text."""
    for path in sorted(FILES.rglob("*")):
        try:
            with quiet():
                ds = dicom.parse(path.read_bytes(), path.name)
                stored = dicom.decoded(ds, path.name)
        except Exception:  # noqa: BLE001 - no picture, or one that is damaged on purpose
            continue
        colour = stored.ndim > 2 and stored.shape[-1] == 3
        yield path.name, stored.reshape(-1, *stored.shape[-3 if colour else -2 :])[0]


def small() -> Iterator[tuple[str, Picture]]:
    """Yield PneumoniaMNIST, made eight times as large."""
    with np.load(DATA / "pneumoniamnist.npz") as packed:
        for number, picture in enumerate(packed["test_images"]):
            yield f"{number}", np.asarray(Image.fromarray(picture).resize((224, 224), Image.Resampling.BICUBIC))


def patches() -> Iterator[tuple[str, Picture]]:
    """Yield patches of lung CT."""
    with h5py.File(DATA / "lung_ct_patches.h5") as file:
        for number, picture in enumerate(np.asarray(file["images"])):
            yield f"{number}", picture[0]


if __name__ == "__main__":
    main()
