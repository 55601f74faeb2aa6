"""NIfTI and pictures: the same voxels, and no word beside them."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from molgraph.rooms.imaging import nifti
from molgraph.rooms.imaging.burned import Region
from molgraph.rooms.imaging.scan import ScanError, read_scan
from molgraph.rooms.imaging.stripped import stripped_nifti, stripped_picture

RNG = np.random.default_rng(0)
SECRET = b"Zeppelin"


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair, nib.Nifti2Pair])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<f4", "u1"])
def test_a_nifti_keeps_voxels_scale_and_place(kind: type, dtype: str, tmp_path: Path):
    affine = np.array([[0, 0.9, 0.1, -3], [-1.3, 0, 0, 5], [0, 0.1, -2.5, 7], [0, 0, 0, 1]])
    image = kind(RNG.integers(0, 99, (4, 5, 6)).astype(dtype), affine)
    image.header.set_slope_inter(2, -7)
    for name in ("descrip", "aux_file", "db_name", "data_type", "intent_name"):
        if name in image.header:
            image.header[name] = SECRET
    for code in ("comment", "dicom"):
        image.header.extensions.append(nib.nifti1.Nifti1Extension(code, SECRET if code == "comment" else b""))
    path = tmp_path / ("x.hdr" if "Pair" in kind.__name__ else "x.nii")
    nib.save(image, path)
    assert SECRET in path.read_bytes()
    made = stripped_nifti(path.read_bytes(), path)
    assert SECRET not in gzip.decompress(made) and made[4:8] == b"\0\0\0\0" and made[3] == 0  # no time, no name
    (tmp_path / "y.nii.gz").write_bytes(made)
    found, before = nib.load(tmp_path / "y.nii.gz"), nib.load(path)
    assert np.array_equal(found.get_fdata(), before.get_fdata())
    assert np.array_equal(found.affine, before.affine) and not found.header.extensions
    assert found.get_data_dtype() == before.get_data_dtype()
    assert np.array_equal(read_scan(tmp_path / "y.nii.gz").voxels, read_scan(path).voxels)


def _filled(kind: type, secret: bytes, coded: bool) -> bytes:
    """Write the secret over every byte of a header that places and scales no voxel, and before the voxels."""
    image = kind(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([1.5, 2, 3, 1]))
    header = image.header
    header.set_qform(None if not coded else image.affine)
    header.set_sform(None if not coded else image.affine)
    header["vox_offset"] = header.sizeof_hdr + 36
    free = {"data_type", "db_name", "extents", "session_error", "regular", "glmax", "glmin", "descrip", "aux_file"}
    free |= {"intent_name", "unused_str", "intent_p1", "intent_p2", "intent_p3"}
    free |= set() if coded else {"srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c", "quatern_d", "qoffset_x"}
    block = bytearray(header.binaryblock)
    for name, (dtype, at, *_) in header.template_dtype.fields.items():
        if name in free:
            block[at : at + dtype.itemsize] = (secret * 99)[: dtype.itemsize]
        elif name in ("dim", "pixdim"):  # the fifth to seventh axis, which it does not have
            one = dtype.itemsize // 8
            block[at + 5 * one : at + 8 * one] = (secret * 99)[: 3 * one]
    return bytes(block) + b"\0\0\0\0" + (secret * 99)[:32] + np.arange(24, dtype=np.int16).tobytes()


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_no_byte_of_a_header_that_is_not_in_use_stays(kind: type, coded: bool, tmp_path: Path):
    made = [gzip.decompress(stripped_nifti(_filled(kind, s, coded), tmp_path / "x.nii")) for s in (b"MUSTER", b"\0")]
    assert made[0] == made[1] and b"MUST" not in made[0]


@pytest.mark.parametrize("pair", [False, True])
def test_analyze_is_no_nifti(pair: bool, tmp_path: Path):
    nib.save(nib.AnalyzeImage(np.zeros((2, 2, 2), np.int16), np.eye(4)), tmp_path / "x.img")
    assert not nifti.is_one((tmp_path / ("x.img" if pair else "x.hdr")).read_bytes())


def test_what_follows_the_voxels_is_cut_off(tmp_path: Path):
    nib.save(nib.Nifti1Image(RNG.normal(size=(3, 3, 3)).astype(np.float32), np.eye(4)), tmp_path / "x.nii")
    data = (tmp_path / "x.nii").read_bytes()
    made = stripped_nifti(data + SECRET, tmp_path / "x.nii")
    assert SECRET not in gzip.decompress(made)
    with pytest.raises(ScanError):
        stripped_nifti(data[:-5], tmp_path / "x.nii")


def png(**words: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (9, 7), dtype=np.uint8)).save(stream, format="PNG", **words)
    return stream.getvalue()


def pixels_of(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def test_text_chunks_of_png_are_gone():
    info = PngInfo()
    info.add_text("Patient", SECRET.decode())
    info.add_itxt("Comment", SECRET.decode(), zip=False)
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()  # ImageDescription
    data = png(pnginfo=info, exif=exif)
    assert data.count(SECRET) == 3
    made, suffix = stripped_picture(data + SECRET, "x.png", [])
    assert SECRET not in made and suffix == ".png" and np.array_equal(pixels_of(made), pixels_of(data))
    with Image.open(io.BytesIO(made)) as image:
        assert not image.info and not image.getexif()


def test_exif_of_jpeg_is_gone_and_the_picture_upright():
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET.decode(), 6
    stream = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(
        stream, format="JPEG", exif=exif, comment=SECRET
    )
    made, suffix = stripped_picture(stream.getvalue(), "x.jpg", [])
    assert SECRET not in made and suffix == ".png"
    right = np.rot90(pixels_of(stream.getvalue()), -1)
    assert np.array_equal(pixels_of(made), right)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16", "I", "F"])
def test_every_mode_reads_the_same_before_and_after(mode: str, tmp_path: Path):
    if mode in ("I;16", "I", "F"):
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        image = Image.fromarray(RNG.integers(0, 60000, (9, 7)).astype(kind))
    else:
        image = Image.fromarray(RNG.integers(0, 256, (9, 7, 4), dtype=np.uint8)).convert("RGB" if mode == "P" else mode)
        image = image.quantize(8) if mode == "P" else image
    stream = io.BytesIO()
    image.save(stream, format="TIFF", description=SECRET.decode())
    (tmp_path / "x").write_bytes(stream.getvalue())
    made, suffix = stripped_picture(stream.getvalue(), "x", [])
    (tmp_path / "y").write_bytes(made)
    assert SECRET in stream.getvalue() and SECRET not in made
    before, after = read_scan(tmp_path / "x"), read_scan(tmp_path / "y")
    assert np.array_equal(before.voxels, after.voxels) and before.bits == after.bits
    assert suffix == (".tif" if mode in ("I", "F") else ".png")


def test_pages_stay_pages(tmp_path: Path):
    pages = [Image.fromarray(RNG.integers(0, 65536, (9, 7), dtype=np.uint16)) for _ in range(3)]
    stream = io.BytesIO()
    pages[0].save(stream, format="TIFF", save_all=True, append_images=pages[1:], description=SECRET.decode())
    made, suffix = stripped_picture(stream.getvalue(), "x.tif", [Region(0, 0, 3, 2)])
    (tmp_path / "y").write_bytes(made)
    assert suffix == ".tif" and SECRET not in made
    found = read_scan(tmp_path / "y").voxels[0]
    assert found.shape == (3, 9, 7) and (found[:, :2, :3] == 0).all()
    assert np.array_equal(found[:, 2:], np.stack([np.asarray(p) for p in pages])[:, 2:])


def test_a_region_outside_and_deep_colour_are_refused():
    with pytest.raises(ScanError, match="leaves its 7 x 9 pixels"):
        stripped_picture(png(), "x.png", [Region(5, 5, 5, 5)])
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" * 26)),
        (b"IEND", b""),
    ]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks
    )
    with pytest.raises(ScanError) as caught:
        stripped_picture(data, "x.png", [])
    assert caught.value.reason == "deep_colour"
