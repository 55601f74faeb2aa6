"""Whether plain DICOM pixels are what their header says: as many bytes, and no value of more bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import ExplicitVRBigEndian

from molgraph.imaging.scan import ScanError

_INTEGERS = "PixelData"
_OVERLAYS = range(0x6000, 0x6020, 2)
_POSITION = 0x0102  # of OverlayBitPosition in the group of an overlay


def agree(ds: FileDataset, where: str) -> None:
    """Refuse plain pixels that the header cannot mean: they would be read as noise. What is short is told elsewhere.

    Raises: ScanError where bytes follow the last pixel, or values do not fit into the bits that they are said to have.
    """
    name = next(name for name in (_INTEGERS, "FloatPixelData", "DoubleFloatPixelData") if name in ds)
    data, length = ds[name].value, int(get_expected_length(ds))
    row = length // (int(ds.Rows) * int(ds.get("NumberOfFrames") or 1))
    spare = data[length + length % 2 :]  # the length of an element is even
    if len(spare) > row or any(spare):  # zeros fill up some files
        raise ScanError(
            "wrong_length",
            f"{where}: has {len(data):,} bytes of pixels, its header (size, frames, bits) asks for {length:,}; "
            "correct the header or export it again.",
        )
    allocated, stored = int(ds.BitsAllocated), int(ds.get("BitsStored") or ds.BitsAllocated)
    if name == _INTEGERS and allocated in (16, 32) and stored < allocated:
        order = ">" if ds.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
        values = np.frombuffer(data, f"{order}u{allocated // 8}", min(len(data), length) // (allocated // 8))
        above = _above(ds, values, allocated, stored)
        if above.any():
            raise ScanError(
                "unusual_bits",
                f"{where}: {int(above.sum()):,} values need more than the {stored} bits that it says it stores; "
                "correct BitsStored or export it again.",
            )


def _above(ds: Dataset, values: NDArray[np.unsignedinteger], allocated: int, stored: int) -> NDArray[np.bool_]:
    """Return where bits above the stored ones say something: neither a sign, nor padding, nor an overlay.

    See: DICOM PS3.5 section 8.1.1 (unused bits), PS3.5 2004 section 8.1.2 (overlays in them)
    """
    spare = (1 << allocated) - (1 << stored)
    for group in _OVERLAYS:
        if (group, _POSITION) in ds:
            spare &= ~(1 << int(ds[group, _POSITION].value or allocated))
    above = values & np.array(spare, values.dtype)
    odd: NDArray[np.bool_] = above != 0
    if ds.get("PixelRepresentation"):
        odd &= above != spare  # the sign is repeated
    padding = ds.get("PixelPaddingValue")
    if isinstance(padding, int):
        odd &= values != padding % (1 << allocated)
    return odd
