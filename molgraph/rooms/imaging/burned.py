"""Text inside pixels: which pictures may have some, and regions painted over."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRBigEndian

from molgraph.errors import ConfigError
from molgraph.rooms.imaging.dicom import decoded
from molgraph.rooms.imaging.scan import ScanError
from molgraph.rooms.imaging.spare import empty_spare

# Kinds that carry names and dates in their pixels as a habit, whatever their header says.
# See: DICOM PS3.15 E.3.1 (Clean Pixel Data Option), PS3.3 C.7.1.1.1 (Burned In Annotation)
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MODALITIES = {"US": "ultrasound", "IVUS": "ultrasound", "ES": "endoscopy", "XC": "a photograph", "OT": "other"}
CONVERTED = {"DF": "digitised film", "WSD": "a workstation's screen", "SD": "a scanned document", "DV": "video"}
_SCREENS = ("SCREEN SAVE", "DOSE", "REPORT")


class Region(NamedTuple):
    """Hold a rectangle of pixels, counted from the upper left."""

    x: int
    y: int
    width: int
    height: int


def region(text: str) -> Region:
    """Read `x,y,width,height`.

    Raises: ConfigError for anything else.

    >>> region("0,0,640,40")
    Region(x=0, y=0, width=640, height=40)
    """
    parts = text.split(",")
    if len(parts) == 4 and all(part.strip().isdigit() for part in parts):
        found = Region(*map(int, parts))
        if found.width and found.height:
            return found
    raise ConfigError(f"--blank {text}: write X,Y,WIDTH,HEIGHT in pixels, for example --blank 0,0,640,40.")


def suspicion(ds: FileDataset) -> str:
    """Say why a picture may have text in its pixels, "" where nothing points to it."""
    if str(ds.get("BurnedInAnnotation") or "").upper() == "YES":
        return "its header says so (Burned In Annotation)"
    if str(ds.get("SOPClassUID") or "").startswith(SECONDARY_CAPTURE):
        return "it is a secondary capture"
    kind = MODALITIES.get(str(ds.get("Modality") or "")) or CONVERTED.get(str(ds.get("ConversionType") or ""))
    if kind:
        return f"its kind is {kind}"
    words = [str(word).upper().strip() for word in ds.get("ImageType") or ()]
    screen = next((word for word in words if word.startswith(_SCREENS)), "")
    return f"its image type is {screen}" if screen else ""


def painted(pixels: NDArray[Any], regions: list[Region], where: str, fill: int) -> NDArray[Any]:
    """Return pixels with regions painted over.

    Shapes: [Y, X], [Y, X, colours], [F, Y, X] or [F, Y, X, colours]; colours are 3 or 4.
    Raises: ScanError where a region lies outside.
    """
    colour = pixels.ndim > 2 and pixels.shape[-1] in (3, 4)
    rows, columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    made = np.array(pixels)
    for x, y, width, height in regions:
        if x + width > columns or y + height > rows:
            raise ScanError("blank_outside", f"{where}: {x},{y},{width},{height} leaves its {columns} x {rows} pixels.")
        rest = (slice(None),) if colour else ()
        made[(..., slice(y, y + height), slice(x, x + width), *rest)] = fill
    return made


def shown(ds: FileDataset, where: str) -> tuple[NDArray[Any], bool]:
    """Return the frames of a picture as a screen has them, and whether they are in colour.

    Shapes: [F, Y, X] or [F, Y, X, 3]
    Raises: ScanError where they cannot be decoded.
    """
    stored = decoded(ds, where)
    palette = ds.get("PhotometricInterpretation") == "PALETTE COLOR"
    if palette:
        stored = apply_color_lut(stored, ds)
    colour = palette or int(ds.get("SamplesPerPixel") or 1) > 1
    return stored.reshape(-1, *stored.shape[-3 if colour else -2 :]), colour


def hides_overlay(ds: FileDataset) -> bool:
    """Say whether unused bits of the pixels hold an overlay, which may be text.

    See: DICOM PS3.3 C.9.2 (Overlay Bit Position; retired since 2004)
    """
    tags = ((group, 0x0102) for group in range(0x6000, 0x6020, 2))
    return any(ds[tag].value for tag in tags if tag in ds)


def blank(ds: FileDataset, regions: list[Region], where: str) -> None:
    """Paint over regions of all frames of a picture in its darkest value, and over all bits that are no pixels.

    Compressed pixels are unpacked.

    Raises: ScanError where a region lies outside, or the pixels are of a kind that cannot be written back.
    """
    if ds.get("BitsAllocated") not in (8, 16) or "PixelData" not in ds:
        raise ScanError("cannot_blank", f"{where}: pixels of {ds.get('BitsAllocated')} bits cannot be painted over.")
    if ds.file_meta.TransferSyntaxUID == ExplicitVRBigEndian:
        raise ScanError("cannot_blank", f"{where}: is big-endian, which is out of use; convert it to plain DICOM.")
    stored = decoded(ds, where)
    colour = stored.ndim > 2 and stored.shape[-1] == 3
    photometric = "RGB" if colour else str(ds.PhotometricInterpretation)
    fill = int(stored.max() if photometric == "MONOCHROME1" else stored.min())
    made = painted(stored, regions, where, fill)
    ds.set_pixel_data(made, photometric, int(ds.BitsStored), generate_instance_uid=False)
    empty_spare(ds)
