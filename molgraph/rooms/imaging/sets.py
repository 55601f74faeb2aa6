"""Arrays of many scans in one file: .npz and HDF5, one of them by its key and number."""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from molgraph.errors import did_you_mean
from molgraph.rooms.imaging.scan import LIMIT, Scan, ScanError, Voxels, foreign

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"


def kind(file: Path) -> str:
    """Return "npz" or "h5" where a file is such a set, "" where it is not."""
    try:
        with file.open("rb") as handle:
            head = handle.read(8)
    except OSError:
        return ""  # whoever reads it next says why
    if head == HDF5:
        return "h5"
    return "npz" if head.startswith(ZIP) else ""


def read(file: Path, member: str, kind: str, from_file: bool) -> Scan:
    """Read `KEY/NUMBER` of a set, or all of `KEY` as one scan.

    An item is [Y, X], [Y, X, 3], [1 or 3, Y, X], [Z, Y, X], [C, Z, Y, X] or [Z, Y, X, 3].

    Raises: ScanError where there is no such item, or it has more axes than a scan.
    """
    where = f"{file}#{member}" if member else str(file)
    found = _packed(file, member, where) if kind == "npz" else _hdf5(file, member, where)
    bits = found.dtype.itemsize * 8 if found.dtype.kind in "iu" else 0
    voxels = shaped(found, where)
    if from_file:
        if not bits:
            raise ScanError("no_window", f"{where}: holds fractions and names no range; name a window, or auto.")
        voxels = voxels / np.float32(2**bits - 1)
    return Scan(voxels, bits=bits)


def _parts(member: str, where: str) -> tuple[str, int | None]:
    name, _, number = member.rpartition("/")
    if name and number.isdigit():
        return name, int(number)
    if not member:
        raise ScanError("no_such_member", f"{where}: holds many arrays; write FILE#KEY/NUMBER.")
    return member, None


def _packed(file: Path, member: str, where: str) -> NDArray[Any]:
    key, number = _parts(member, where)
    stamp = file.stat()
    array = _array(file, key, stamp.st_mtime_ns, stamp.st_size)
    return array if number is None else _item(array, number, where)


@lru_cache(maxsize=2)  # an array is packed as a whole: unpack it once for all of its items
def _array(file: Path, key: str, *_: int) -> NDArray[Any]:
    where = f"{file}#{key}"
    with foreign(where, "damaged", "the set is damaged; fetch it again"):
        with zipfile.ZipFile(file) as packed:
            names = [name.removesuffix(".npy") for name in packed.namelist() if name.endswith(".npy")]
            if key not in names:
                raise ScanError("no_such_member", f"{where}: there is no '{key}'{did_you_mean(key, names)}")
            if packed.getinfo(f"{key}.npy").file_size > 4 * LIMIT:
                raise ScanError("too_large", f"{where}: unpacks to over {4 * LIMIT >> 30} GiB; use HDF5.")
        with np.load(file, allow_pickle=False) as arrays:
            found: NDArray[Any] = arrays[key]
            return found


def _hdf5(file: Path, member: str, where: str) -> NDArray[Any]:
    key, number = _parts(member, where)
    with foreign(where, "damaged", "the set is damaged; fetch it again"), h5py.File(file, "r") as packed:
        if member in packed and isinstance(packed[member], h5py.Dataset):
            key, number = member, None
        array = packed.get(key)
        if not isinstance(array, h5py.Dataset):
            names: list[str] = []
            packed.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
            raise ScanError("no_such_member", f"{where}: there is no '{key}'{did_you_mean(key, names)}")
        return np.asarray(array[()]) if number is None else _item(array, number, where)


def _item(array: Any, number: int, where: str) -> NDArray[Any]:
    if not array.shape or number >= array.shape[0]:
        raise ScanError("no_such_member", f"{where}: there are {array.shape[0] if array.shape else 0} items, from 0.")
    return np.asarray(array[number])


def shaped(item: NDArray[Any], where: str) -> Voxels:
    """Return an item as voxels [C, Z, Y, X].

    >>> import numpy as np
    >>> shaped(np.zeros((5, 4, 3), np.uint8), "x").shape, shaped(np.zeros((9, 5, 4), np.uint8), "x").shape
    ((3, 1, 5, 4), (1, 9, 5, 4))
    """
    if item.dtype.kind not in "biuf":
        raise ScanError("not_an_image", f"{where}: holds {item.dtype}, no numbers.")
    if item.size > LIMIT:
        raise ScanError(
            "too_large", f"{where}: {item.size:,} values are more than a scan; name one as FILE#KEY/NUMBER."
        )
    if not 2 <= item.ndim <= 4:
        reason = "too_many_dimensions" if item.ndim > 4 else "not_an_image"
        raise ScanError(reason, f"{where}: has {item.ndim} axes {item.shape}; a scan has 2 to 4.")
    colour = item.ndim > 2 and item.shape[-1] == 3
    if colour:
        item = np.moveaxis(item, -1, 0)
        item = item[:, None] if item.ndim == 3 else item
    elif item.ndim == 2:
        item = item[None, None]
    elif item.ndim == 3:
        item = item[:, None] if item.shape[0] in (1, 3) else item[None]
    return np.ascontiguousarray(item, dtype=np.float32)
