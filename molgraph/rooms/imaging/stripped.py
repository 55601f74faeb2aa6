"""NIfTI and pictures with nothing but what is seen: no descriptions, no extensions, no EXIF."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from molgraph.rooms.imaging import nifti, picture
from molgraph.rooms.imaging.burned import Region, painted
from molgraph.rooms.imaging.lettering import refuse_lettering
from molgraph.rooms.imaging.scan import foreign

# What is needed to read the voxels and to place them; all else begins anew, text and what is out of use.
# See: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h
FIELDS = (
    *("dim", "datatype", "bitpix", "pixdim", "scl_slope", "scl_inter", "cal_max", "cal_min", "xyzt_units", "dim_info"),
    *("slice_start", "slice_end", "slice_code", "slice_duration", "toffset", "intent_code", "qform_code", "sform_code"),
)
# Numbers that mean nothing, and could be anything, where their code is 0.
_CODED = {
    "intent_code": ("intent_p1", "intent_p2", "intent_p3"),
    "qform_code": ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    "sform_code": ("srow_x", "srow_y", "srow_z"),
}
_NO_EXTENSION = b"\0\0\0\0"


def stripped_nifti(data: bytes, file: Path) -> bytes:
    """Return a NIfTI as one packed file (.nii.gz) with the same voxels at the same places, and no text.

    Raises: ScanError where it cannot be read.
    """
    header, body = nifti.opened(data, file)
    start, size = int(header["vox_offset"]), nifti.size_of(header)
    bare = _header(header)
    bare["magic"] = nifti.SINGLE[header.sizeof_hdr]
    bare["vox_offset"] = header.sizeof_hdr + len(_NO_EXTENSION)
    whole = bare.binaryblock + _NO_EXTENSION + body[start : start + size]
    return gzip.compress(whole, mtime=0)


def _header(header: Any) -> Any:
    """Return a new header with the numbers of another that are in use."""
    bare = type(header)(endianness=header.endianness)
    for name in (*FIELDS, *(name for code, names in _CODED.items() if header[code] for name in names)):
        bare[name] = header[name]
    used = int(header["dim"][0]) + 1
    for name in ("dim", "pixdim"):
        bare[name][used:] = 1
    return bare


def stripped_picture(data: bytes, where: str, regions: list[Region], *, inspected: bool = False) -> tuple[bytes, str]:
    """Return a picture as PNG, or TIFF where it is deep or has pages, upright, with nothing but its pixels.

    Raises: ScanError where it cannot be read, a region lies outside, or text is seen and nobody `inspected` it.
    """
    picture.read(data, where, from_file=False)  # refuses what would lose values
    with foreign(where, "damaged", "the picture cannot be written again"):
        with Image.open(io.BytesIO(data), formats=picture.FORMATS) as image:
            pages = [_bare(page, regions, where, inspected) for page in picture.pages(image, where)]
        kind = "TIFF" if len(pages) > 1 or pages[0].mode in ("I", "F") else "PNG"
        stream = io.BytesIO()
        more: dict[str, Any] = {"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}
        pages[0].save(stream, format=kind, **more)
    return stream.getvalue(), ".tif" if kind == "TIFF" else ".png"


def _bare(image: Any, regions: list[Region], where: str, inspected: bool) -> Any:
    """Return the pixels of a page as an image that knows nothing else."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("P", "PA", "1", "La", "RGBa"):
        upright = upright.convert("L" if upright.mode == "1" else "RGBA" if "transparency" in image.info else "RGB")
    pixels = np.array(upright)
    if regions:
        pixels = painted(pixels, regions, where, 0)
    if not inspected:
        refuse_lettering(pixels[None], where, colour=pixels.ndim > 2)
    return Image.fromarray(pixels)
