"""Room in stored pixels that no pixel needs, where anything can be hidden: it is emptied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.pixels.utils import get_expected_length, get_nr_frames
from pydicom.uid import ExplicitVRBigEndian

from molgraph.rooms.imaging.dicom import PIXELS

_INTEGERS = "PixelData"


def empty_spare(ds: FileDataset) -> None:
    """Cut plain pixels to what the header says, and clear the bits of each value that hold none.

    The even length that DICOM asks for is reached with a zero; bits above a negative value stay ones. Where a frame or
    more follows, the header is wrong and nothing is cut: whoever decodes the pixels refuses them.
    """
    if ds.file_meta.TransferSyntaxUID.is_compressed:
        return
    for name in PIXELS:
        if name in ds:
            length = get_expected_length(ds)
            if len(ds[name].value) - length > max(1, length // get_nr_frames(ds)):
                return
            if ds.file_meta.TransferSyntaxUID == ExplicitVRBigEndian:
                length += length % 2  # pairs of bytes may be swapped, and so the last pixel stand behind the padding
            data = bytearray(ds[name].value[:length])
            if name == _INTEGERS:
                data = _cleared(data, ds)
            ds[name].value = bytes(data) + b"\0" * (len(data) % 2)


def _cleared(data: bytearray, ds: FileDataset) -> bytearray:
    """Return pixels with the same values and nothing in the bits around them."""
    allocated, stored, high = int(ds.BitsAllocated), int(ds.BitsStored), int(ds.get("HighBit", ds.BitsStored - 1))
    if allocated == 1:
        pixels = int(ds.Rows) * int(ds.Columns) * int(ds.get("NumberOfFrames") or 1) * int(ds.SamplesPerPixel)
        if pixels % 8 and len(data) == pixels // 8 + 1:
            data[-1] &= 2 ** (pixels % 8) - 1  # the first pixel is the lowest bit
        return data
    if stored >= allocated:
        return data
    order = ">" if ds.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
    kind = "i" if ds.PixelRepresentation else "u"
    values: NDArray[Any] = np.frombuffer(data, f"{order}{kind}{allocated // 8}")
    low = high + 1 - stored
    up = allocated - 1 - high
    # Shifts of signed numbers repeat the sign, those of unsigned ones bring zeros.
    made = (((values << up) >> (up + low)) << low).astype(values.dtype)
    return bytearray(made.tobytes())
