"""Whether DICOM pixels are what their header says: as many bytes, and no value of more bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.utils import get_expected_length

from molgraph.rooms.imaging.scan import ScanError

_OVERLAYS = range(0x6000, 0x6020, 2)
_POSITION = 0x0102  # of OverlayBitPosition in the group of an overlay


def check_length(ds: FileDataset, data: bytes, where: str) -> None:
    """Refuse plain pixels of more bytes than the header asks for: they would be read as noise, or in part.

    Raises: ScanError where bytes follow the last pixel; what is too short is told where it is decoded.
    """
    length = int(get_expected_length(ds))
    row = length // (int(ds.Rows) * int(ds.get("NumberOfFrames") or 1))
    spare = data[length + length % 2 :]  # the length of an element is even
    if len(spare) > row or any(spare):  # zeros fill up some files
        raise ScanError(
            "wrong_length",
            f"{where}: has {len(data):,} bytes of pixels, its header (size, frames, bits) asks for {length:,}; "
            "correct the header or export it again.",
        )


def within_bits(ds: Dataset, values: NDArray[Any], where: str) -> NDArray[Any]:
    """Return decoded grey values without what their unused bits hold.

    Raises: ScanError where the values need more bits than the header says that they have.
    """
    allocated, stored = 8 * values.dtype.itemsize, int(ds.get("BitsStored") or 0)
    if values.dtype.kind not in "iu" or not 0 < stored < allocated:
        return values
    values = values.astype(values.dtype.newbyteorder("="))
    above = int(_above(ds, values.view(f"u{values.dtype.itemsize}"), allocated, stored).sum())
    if above:
        raise ScanError(
            "unusual_bits",
            f"{where}: {above:,} values need more than the {stored} bits that it says it stores; "
            "correct BitsStored or export it again.",
        )
    return values << (allocated - stored) >> (allocated - stored)  # of signed numbers the sign is repeated


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
