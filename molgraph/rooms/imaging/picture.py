"""PNG, JPEG and TIFF as voxels: grey of 8 and 16 bits as stored, colour, pages."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from molgraph.rooms.imaging.dicom import grey
from molgraph.rooms.imaging.scan import LIMIT, Scan, ScanError, Voxels

FORMATS = ("PNG", "JPEG", "TIFF")
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DEEP = {"I;16", "I;16B", "I;16L", "I", "F"}  # one channel of more than 8 bits
_BITS = 258  # TIFF tag BitsPerSample


def is_one(data: bytes) -> bool:
    """Say whether bytes are a picture, by how they begin."""
    return data.startswith(_MAGIC)


def read(data: bytes, where: str, from_file: bool) -> Scan:
    """Read a picture; pages of one size stand along Z, what is transparent is black.

    `from_file` takes the range of the stored type to 0..1.

    Raises: ScanError where it is cut short, a bomb, or of a kind in which values would be lost.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            deep = _depth(data, image, where)
            found = [_page(page, where) for page in pages(image, where)]
    except ScanError:
        raise
    except Image.DecompressionBombError as error:
        raise ScanError("too_large", f"{where}: {error}.") from error
    except UnidentifiedImageError as error:
        raise ScanError("damaged", f"{where}: begins like a picture and is none; export it again.") from error
    except OSError as error:
        raise ScanError("truncated", f"{where}: {error}; copy or export it again.") from error
    except (SyntaxError, ValueError, struct.error, IndexError, TypeError, KeyError) as error:
        raise ScanError("damaged", f"{where}: the picture is damaged ({error}); export it again.") from error
    if len({page.shape for page in found}) > 1:
        raise ScanError("mixed_sizes", f"{where}: its {len(found)} pages differ in size; part them.")
    voxels = grey(np.stack(found, axis=1))
    if from_file:
        if not deep:
            raise ScanError("no_window", f"{where}: holds fractions and names no range; name a window, or auto.")
        voxels = voxels / np.float32(2**deep - 1)
    return Scan(voxels, bits=deep)


def _depth(data: bytes, image: Any, where: str) -> int:
    """Return the bits of a stored value, 0 for fractions.

    Raises: ScanError for colour of more than 8 bits, which Pillow would squeeze into 8.
    """
    if image.format == "PNG":
        bits = data[24]  # See: https://www.w3.org/TR/png-3/#11IHDR
    elif image.format == "TIFF":
        bits = max(image.tag_v2.get(_BITS, (1,)))
    else:
        bits = 8
    if image.mode == "F":
        return 0
    if bits > 8 and image.mode not in _DEEP:
        raise ScanError(
            "deep_colour", f"{where}: has {bits} bits in each of several channels; save it as grey, or with 8 bits."
        )
    return max(8, int(bits))


def pages(image: Any, where: str) -> Any:
    """Yield the pages of a picture.

    Raises: ScanError where they are more than a scan.
    """
    count = getattr(image, "n_frames", 1)
    if count * image.width * image.height > LIMIT:
        raise ScanError("too_large", f"{where}: {count} pages of {image.width} x {image.height} pixels.")
    if count == 1 or image.format != "TIFF":  # what else has several is no stack of slices
        return [image]
    return ImageSequence.Iterator(image)


def _page(image: Any, where: str) -> Voxels:
    """Return one page, [C, Y, X], upright."""
    image = ImageOps.exif_transpose(image)
    if image.mode in _DEEP:
        return _values(image)[None]
    if image.mode == "CMYK":
        raise ScanError("unsupported_colour", f"{where}: is meant for print (CMYK); save it as grey or RGB.")
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    if image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    found = _values(image)
    return found[None] if found.ndim == 2 else np.ascontiguousarray(np.moveaxis(found, -1, 0))


def _values(image: Any) -> NDArray[np.float32]:
    return np.asarray(image).astype(np.float32)
