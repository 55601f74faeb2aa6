"""One scan, whatever file it came from: voxels, where they lie, what made them; or the reason why there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molgraph.data.regular import is_there, refused
from molgraph.errors import DataError, MolgraphError

Voxels = NDArray[np.float32]
Affine = NDArray[np.float64]
Spacing = tuple[float, float, float]
FILES = 50_000  # in a folder that is named as one scan; a CT of the whole body in ten phases has some 10,000
LIMIT = 1 << 30  # voxels of one scan (4 GiB): more is no scan but a bomb, or a set to be cut in pieces


class ScanError(DataError):
    """Say why a scan cannot be read: `reason` is a status word, `message` says what, where and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message

    def __reduce__(self) -> tuple[type[ScanError], tuple[str, str]]:  # so that it comes back from a worker process
        return ScanError, (self.reason, self.message)


@dataclass(frozen=True)
class Scan:
    """Hold one picture or volume.

    `affine` takes a voxel index (x, y, z, 1) to millimetres (RAS+: right, anterior, superior) and is None where the
    file does not say how the patient lies. `spacing` is the edge of a voxel (x, y, z), known from the affine or,
    without one, where the file has it. `bits` are those of the stored values, 0 where they are no integers.
    `modality` is DICOM's word ("CR", "CT", "MR", ...), "" where the file has none, as are the ids. `said` is what its
    user should know of how it was read, "" for nothing.

    Shapes: voxels [C, Z, Y, X]; a picture has Z = 1, colour C = 3; sequences, echoes and times stand along C, frames
    of a clip along Z. affine [4, 4].
    Units: CT in Hounsfield units, radiotherapy dose in gray, others as the scanner wrote them; mm.
    """

    voxels: Voxels
    affine: Affine | None = None
    spacing: Spacing | None = None
    modality: str = ""
    bits: int = 0
    patient: str = ""
    study: str = ""
    series: str = ""
    said: str = ""


def read_scan(
    path: str | os.PathLike[str],
    *,
    window: str | tuple[float, float] | None = None,
    spacing: float | Spacing | None = None,
    modality: str | None = None,
    channels: int | None = None,
    canonical: bool = True,
    mask: bool = False,
) -> Scan:
    """Read a scan by what the file holds, whatever its name says.

    `path` is a DICOM file or a folder of one series (`folder#SERIES_UID` picks one of several), NIfTI (.gz too), PNG,
    JPEG or TIFF, or one array of a set: `file.npz#train_images/12`, `file.h5#images/12`.
    `window` None keeps the values as measured; a name of `intensity.WINDOWS` or (centre, width) takes Hounsfield units
    to 0..1; "file" applies the window or table that the file asks for; "auto" chooses by modality.
    `spacing` (mm) resamples. `canonical` turns volumes to RAS+, at right angles; a single slice stays in its plane.
    `channels` 1 makes colour grey, 3 repeats grey. `modality` says what the file does not. A `mask` keeps its labels:
    it is resampled to the nearest and may be empty.

    Raises: ScanError with its reason.
    """
    from molgraph.rooms.imaging import geometry, intensity  # they build on this module
    from molgraph.rooms.imaging.content import quiet

    where = str(path)
    with quiet(), foreign(where, "damaged", "it cannot be read; export it again"):
        scan = _load(path, from_file=window == "file" and not mask, mask=mask)
    scan = replace(scan, modality=scan.modality if modality is None else modality)
    _check(scan, where, mask)
    if channels is not None:
        scan = intensity.to_channels(scan, channels, where)
    if canonical:
        scan = geometry.canonical(scan, where, nearest=mask)
    if spacing is not None:
        scan = geometry.resample(scan, spacing, where, nearest=mask)
    if window is not None and window != "file" and not mask:
        scan = intensity.normalise(scan, window, where)
    return scan


def _load(path: str | os.PathLike[str], from_file: bool, mask: bool) -> Scan:
    """Find out what a file is and read it."""
    from molgraph.rooms.imaging import dicom, nifti, picture, series, sets  # pydicom, nibabel: slow to import

    file, member = address(path)
    where = str(path)
    if file.is_dir():
        return series.read(file, member, from_file, mask)
    kind, data = sets.kind(file), b""
    if not kind:
        from molgraph.rooms.imaging.content import content

        data = content(file, where)
        checks = {nifti.is_one: "nifti", dicom.is_one: "dicom", picture.is_one: "picture", dicom.is_bare: "dicom"}
        kind = next((name for check, name in checks.items() if check(data)), "")
    if member and kind not in ("npz", "h5"):
        raise ScanError("no_such_member", f"{where}: '#{member}' picks from a folder, an .npz or an HDF5 file.")
    if kind == "nifti":
        return nifti.read(data, file, from_file)
    if kind == "picture":
        return picture.read(data, where, from_file)
    if kind == "dicom":
        return dicom.read(data, where, from_file)
    if kind:
        return sets.read(file, member, kind, from_file)
    raise ScanError(
        "not_an_image", f"{where}: holds no image that is known here: DICOM, NIfTI, PNG, JPEG, TIFF, .npz or HDF5."
    )


def address(path: str | os.PathLike[str]) -> tuple[Path, str]:
    """Return the file or folder and what is picked from it, "" where that is all.

    Raises: ScanError where there is none, or it is no file that may be opened: a device, a pipe, or too large.
    """
    file, member = Path(path), ""
    name, sign, picked = str(path).rpartition("#")
    if not str(path).strip() or (sign and not name.strip()):
        raise ScanError("no_such_file", f"{path}: names no file; check the cell.")
    if not is_there(file) and sign and is_there(Path(name)):
        file, member = Path(name), picked
    why = None if is_there(file) and file.is_dir() else refused(file)
    if why is not None:
        raise ScanError(why[0], f"{why[1]}.")
    return file, member


def files_below(folder: Path) -> list[Path]:
    """Return the regular files in a folder and below it, in order; no link to a folder is followed.

    Raises: ScanError where there are more than any series has (the folder is another than was meant), or a folder in it
    cannot be opened.
    """

    def closed(error: OSError) -> None:
        raise ScanError("unreadable", f"{error.filename}: cannot be opened ({error.strerror}).") from error

    found: list[Path] = []
    for within, _, names in os.walk(folder, onerror=closed):
        found += [Path(within, name) for name in names]
        if len(found) > FILES:
            raise ScanError("too_many_files", f"{folder}: holds over {FILES:,} files; name the folder of one series.")
    return sorted(path for path in found if is_there(path) and path.is_file())


def _check(scan: Scan, where: str, mask: bool) -> None:
    """Refuse voxels that cannot be learned from."""
    if not scan.voxels.size:
        raise ScanError("empty", f"{where}: has no voxels (shape {scan.voxels.shape}).")
    odd = scan.voxels.size - int(np.isfinite(scan.voxels).sum())
    if odd:
        raise ScanError(
            "not_finite",
            f"{where}: {odd} of {scan.voxels.size} voxels are no finite number; set them to what they stand for.",
        )
    if not mask and scan.voxels.min() == scan.voxels.max():
        value = float(scan.voxels.flat[0])
        raise ScanError("uniform", f"{where}: every voxel is {value:g}; export the scan again.")


@contextmanager
def foreign(where: str, reason: str, what: str) -> Iterator[None]:
    """Turn whatever a foreign library raises about a file into a ScanError."""
    try:
        yield
    except MolgraphError:
        raise
    except MemoryError as error:
        raise ScanError("too_large", f"{where}: there is not enough memory for it.") from error
    except Exception as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ScanError(reason, f"{where}: {what} ({said}).") from error
