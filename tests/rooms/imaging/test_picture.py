"""PNG, JPEG and TIFF of every mode: the values that were stored, or a reason."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from molgraph.rooms.imaging.scan import ScanError, read_scan

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (9, 7), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (9, 7), dtype=np.uint16)
COLOUR = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)


def saved(path: Path, image: Image.Image, kind: str = "PNG", **words: object) -> Path:
    image.save(path, format=kind, **words)
    return path


def reason_of(path: Path, **words: object) -> str:
    with pytest.raises(ScanError) as caught:
        read_scan(path, **words)
    return caught.value.reason


@pytest.mark.parametrize(
    ("kind", "array", "bits"),
    [
        ("PNG", GREY, 8),
        ("PNG", DEEP, 16),
        ("TIFF", GREY, 8),
        ("TIFF", DEEP, 16),
        ("TIFF", DEEP.astype(np.int32) * 30000, 32),
        ("TIFF", GREY / np.float32(7), 0),
    ],
)
def test_grey_keeps_its_values(kind: str, array: np.ndarray, bits: int, tmp_path: Path):
    scan = read_scan(saved(tmp_path / "x", Image.fromarray(array), kind))
    assert np.array_equal(scan.voxels[0, 0], array.astype(np.float32))
    assert (scan.bits, scan.affine, scan.spacing, scan.modality) == (bits, None, None, "")


def test_sixteen_bits_are_never_squeezed_into_eight(tmp_path: Path):
    low = DEEP % 4096
    scan = read_scan(saved(tmp_path / "x", Image.fromarray(low)), window="auto")
    assert len(np.unique(scan.voxels)) > 50
    whole = read_scan(tmp_path / "x", window="file")
    assert np.allclose(whole.voxels[0, 0], low / 65535)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize(("colour_type", "samples"), [(2, 3), (4, 2), (6, 4)])
def test_colour_of_sixteen_bits_is_refused(colour_type: int, samples: int, tmp_path: Path):
    header = struct.pack(">IIBBBBB", 7, 9, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + RNG.integers(0, 256, 7 * samples * 2, dtype=np.uint8).tobytes() for _ in range(9))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "x.png").write_bytes(data)
    assert reason_of(tmp_path / "x.png") == "deep_colour"


def test_colour_and_grey_saved_as_colour(tmp_path: Path):
    assert np.array_equal(
        read_scan(saved(tmp_path / "x", Image.fromarray(COLOUR))).voxels[:, 0], np.moveaxis(COLOUR, -1, 0)
    )
    grey = Image.fromarray(GREY).convert("RGB")
    assert np.array_equal(read_scan(saved(tmp_path / "y", grey)).voxels, GREY[None, None])


def test_a_palette_is_looked_up(tmp_path: Path):
    image = Image.fromarray(COLOUR).quantize(16)
    right = np.moveaxis(np.asarray(image.convert("RGB")), -1, 0)
    assert np.array_equal(read_scan(saved(tmp_path / "x", image)).voxels[:, 0], right)


def test_what_is_transparent_is_black(tmp_path: Path):
    alpha = np.full((9, 7, 1), 255, np.uint8)
    opaque = Image.fromarray(np.concatenate([COLOUR, alpha], -1))
    assert np.array_equal(read_scan(saved(tmp_path / "x", opaque)).voxels[:, 0], np.moveaxis(COLOUR, -1, 0))
    alpha[:4] = 0
    half = read_scan(saved(tmp_path / "y", Image.fromarray(np.concatenate([COLOUR, alpha], -1)))).voxels[:, 0]
    assert (half[:, :4] == 0).all() and np.array_equal(half[:, 4:], np.moveaxis(COLOUR, -1, 0)[:, 4:])
    grey = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha[..., 0])])
    assert read_scan(saved(tmp_path / "z", grey)).voxels.shape == (1, 1, 9, 7)


def test_black_and_white(tmp_path: Path):
    bits = Image.fromarray(GREY > 127)
    assert np.array_equal(read_scan(saved(tmp_path / "x", bits)).voxels[0, 0], (GREY > 127) * 255)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photograph_is_turned_upright(turn: int, tmp_path: Path):
    smooth = Image.fromarray(GREY).resize((64, 48))
    exif = Image.Exif()
    exif[0x0112] = turn  # Orientation
    path = saved(tmp_path / "x.jpg", smooth, "JPEG", exif=exif, quality=95)
    flip = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # Pillow's Transpose that undoes it
    with Image.open(path) as plain:
        right = plain if turn == 1 else plain.transpose(Image.Transpose(flip[turn]))
        assert np.array_equal(read_scan(path).voxels[0, 0], np.asarray(right))


def test_pages_stand_along_z(tmp_path: Path):
    pages = [Image.fromarray(RNG.integers(0, 65536, (9, 7), dtype=np.uint16)) for _ in range(4)]
    path = saved(tmp_path / "x.tif", pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert np.array_equal(read_scan(path).voxels[0], [np.asarray(page) for page in pages])
    pages[2] = pages[2].crop((0, 0, 5, 5))
    assert reason_of(saved(path, pages[0], "TIFF", save_all=True, append_images=pages[1:])) == "mixed_sizes"


def test_print_colours_are_refused(tmp_path: Path):
    image = Image.fromarray(COLOUR).convert("CMYK")
    assert reason_of(saved(tmp_path / "x.jpg", image, "JPEG")) == "unsupported_colour"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_cut_anywhere_it_is_refused(kind: str, tmp_path: Path):
    stream = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (64, 64), dtype=np.uint8)).save(stream, format=kind)
    data = stream.getvalue()
    for share in np.linspace(0, 0.9, 15):
        (tmp_path / "x").write_bytes(data[: int(share * len(data))])
        assert reason_of(tmp_path / "x") in {"empty", "truncated", "damaged", "not_an_image"}


def test_a_bomb_is_not_unpacked(tmp_path: Path):
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "x.png").write_bytes(data)
    assert reason_of(tmp_path / "x.png") == "too_large"


def test_bytes_changed_at_random_never_break_it(tmp_path: Path):
    for kind in ("PNG", "JPEG", "TIFF"):
        stream = io.BytesIO()
        Image.fromarray(COLOUR).resize((40, 40)).save(stream, format=kind)
        data = np.frombuffer(stream.getvalue(), np.uint8)
        for seed in range(40):
            rng = np.random.default_rng(seed)
            changed = data.copy()
            changed[rng.integers(8, len(data), 10)] = rng.integers(0, 256, 10)
            (tmp_path / "x").write_bytes(changed.tobytes())
            try:
                assert np.isfinite(read_scan(tmp_path / "x").voxels).all()
            except ScanError as error:
                assert error.reason


def test_the_chest_x_rays(shared_data: Path, tmp_path: Path):
    import zipfile

    with zipfile.ZipFile(shared_data / "imaging" / "covid_cxr_256.zip") as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(("jpg", "jpeg", "png"))]
        assert len(names) == 214
        for name in names[::10]:
            path = Path(archive.extract(name, tmp_path))
            with Image.open(path) as image:
                right = np.asarray(image.convert("L"))
            assert np.array_equal(read_scan(path).voxels[0, 0], right)
