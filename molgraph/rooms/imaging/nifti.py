"""NIfTI-1 and NIfTI-2 as voxels: scaled, placed by sform or qform, volumes of a fourth axis along C."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from molgraph.rooms.imaging.content import content
from molgraph.rooms.imaging.geometry import sound, sound_spacing, spacing_of
from molgraph.rooms.imaging.intensity import windowed
from molgraph.rooms.imaging.scan import LIMIT, Scan, ScanError, Voxels, foreign

# See: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h (magic)
_AT1, ONE = 344, (b"n+1\0", b"ni1\0")
_AT2, TWO = 4, (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n")
_PAIR = (b"ni1\0", b"ni2\0\r\n\x1a\n")
SINGLE = {348: ONE[0], 540: TWO[0]}  # of header and voxels in one file, by the size of the header
MM = {"unknown": 1.0, "meter": 1e3, "mm": 1.0, "micron": 1e-3}


def is_one(data: bytes) -> bool:
    """Say whether bytes are NIfTI, or the header of a pair."""
    return data[_AT1 : _AT1 + 4] in ONE or data[_AT2 : _AT2 + 8] in TWO


def read(data: bytes, file: Path, from_file: bool) -> Scan:
    """Read NIfTI; `from_file` takes cal_min..cal_max to 0..1.

    Raises: ScanError where it is cut short, has more axes than a scan, or places its voxels nowhere.
    """
    where = str(file)
    header, body = opened(data, file)
    with foreign(where, "damaged", "its voxels cannot be read; convert the scan again"):
        voxels = _voxels(header, body, where)
        bits = header.get_data_dtype().itemsize * 8 if _plain_integers(header) else 0
        if from_file:
            low, high = float(header["cal_min"]), float(header["cal_max"])
            if not high > low:
                raise ScanError("no_window", f"{where}: names no range to be shown in; name a window, or auto.")
            voxels = windowed(voxels, (low + high) / 2, high - low)
    return Scan(voxels, bits=bits, **_place(header, where))


def opened(data: bytes, file: Path) -> tuple[Any, bytes]:
    """Return the header, and the bytes in which its voxels begin at `vox_offset`.

    Raises: ScanError where the header is damaged or there are fewer bytes than it promises.
    """
    where = str(file)
    kind = nib.Nifti2Image if data[_AT2 : _AT2 + 8] in TWO else nib.Nifti1Image
    with foreign(where, "damaged", "the NIfTI header is damaged; convert the scan again"):
        header = kind.header_class(data[: kind.header_class.sizeof_hdr], check=False)
        header.check_fix()
        pair = data[_AT1 : _AT1 + 4] in _PAIR or data[_AT2 : _AT2 + 8] in _PAIR
        body = _values_of_pair(file) if pair else data
        if pair:
            header["vox_offset"] = 0
        shape = _shape(header)
        needed = int(header["vox_offset"]) + size_of(header)
    _fits(shape, where)
    if len(body) < needed:
        raise ScanError("truncated", f"{where}: has {len(body):,} of {needed:,} bytes; copy or convert it again.")
    return header, body


def _shape(header: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in header.get_data_shape())


def size_of(header: Any) -> int:
    """Return how many bytes the voxels take."""
    return math.prod(_shape(header)) * int(header.get_data_dtype().itemsize)


def _values_of_pair(file: Path) -> bytes:
    """Return the bytes of the .img that belongs to a .hdr."""
    beside = beside_header(file)
    if beside is not None:
        return content(beside, str(beside))
    raise ScanError("missing_file", f"{file}: is a header; its voxels (.img) must lie beside it.")


def beside_header(file: Path) -> Path | None:
    """Return the .img that lies beside a .hdr, None where there is none, or the file is called otherwise."""
    name = file.name
    pairs = ((".hdr", ".img"), (".HDR", ".IMG"), (".hdr.gz", ".img.gz"))
    found = (file.with_name(name.removesuffix(ending) + other) for ending, other in pairs if name.endswith(ending))
    return next((beside for beside in found if beside.exists()), None)


def _fits(shape: tuple[int, ...], where: str) -> None:
    if not shape or min(shape) < 1:
        raise ScanError("empty", f"{where}: has no voxels (shape {shape}).")
    if math.prod(shape) > LIMIT:
        raise ScanError("too_large", f"{where}: claims {' x '.join(map(str, shape))} voxels; no scan has so many.")
    if sum(size > 1 for size in shape[3:]) > 1:
        raise ScanError("too_many_dimensions", f"{where}: has {len(shape)} axes {shape}; part it into volumes.")


def _voxels(header: Any, body: bytes, where: str) -> Voxels:
    """Return voxels [C, Z, Y, X]; colour and the axes behind the third stand along C."""
    dtype = header.get_data_dtype()
    if dtype.kind == "c":
        raise ScanError("complex_voxels", f"{where}: its voxels are complex numbers; keep the magnitude.")
    shape = _shape(header)
    spatial = (*shape, 1, 1, 1)[:3]
    stored = np.frombuffer(body, dtype, math.prod(shape), int(header["vox_offset"]))
    if dtype.names:  # colour
        if math.prod(shape[3:]) > 1:
            raise ScanError("too_many_dimensions", f"{where}: has several volumes in colour; part them.")
        parts = [stored[name].reshape(spatial, order="F") for name in dtype.names[:3]]
        return np.ascontiguousarray([part.T for part in parts], dtype=np.float32)
    values = stored.reshape(*spatial, -1, order="F").T  # [C, Z, Y, X]
    slope, inter = (None if found is None else float(found) for found in header.get_slope_inter())
    if slope is None or (slope == 1 and not inter):
        return np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite([slope, inter or 0.0]).all():
        raise ScanError("bad_rescale", f"{where}: scales its values by {slope} and {inter}.")
    made = np.empty(values.shape, dtype=np.float32)
    for at in np.ndindex(values.shape[:2]):  # slice by slice: a float64 copy of all would be large
        made[at] = values[at] * np.float64(slope) + (inter or 0.0)
    return made


def _plain_integers(header: Any) -> bool:
    slope, inter = header.get_slope_inter()
    return header.get_data_dtype().kind in "iu" and (slope in (None, 1.0)) and not inter


def _place(header: Any, where: str) -> dict[str, Any]:
    """Return the affine in mm; without sform and qform only the spacing is known."""
    unit = header.get_xyzt_units()[0]
    scale = MM[unit]
    if int(header["sform_code"]) or int(header["qform_code"]):
        with foreign(where, "bad_orientation", "its orientation is none"):
            affine = np.diag([scale, scale, scale, 1.0]) @ header.get_best_affine()
        affine = sound(affine, where)
        return {"affine": affine, "spacing": spacing_of(affine)}
    x, y, z = (float(edge) * scale for edge in (*header.get_zooms(), 1.0, 1.0, 1.0)[:3])
    return {"spacing": sound_spacing((x, y, z), where)}
