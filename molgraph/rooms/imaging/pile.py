"""A folder of many scans, as the texts that name them."""

from __future__ import annotations

import os
from pathlib import Path

from molgraph.errors import DataError
from molgraph.rooms.imaging import series
from molgraph.rooms.imaging.content import quiet
from molgraph.rooms.imaging.scan import ScanError, foreign
from molgraph.rooms.imaging.source import SET

PAIRED = ".img"  # the voxels of a NIfTI pair, which is read by its header


def scans_in(folder: Path) -> list[str]:
    """Name every scan in a folder and below it, in the order of their files: each series of DICOM, each other file.

    A file that is no scan is named too: reading it says why.

    Raises: DataError where the folder holds no file.
    """
    found: dict[tuple[str, str], list[Path]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        if file.suffix.lower() != PAIRED or not file.with_suffix(".hdr").exists():
            uid = _series(file)
            found.setdefault((uid, "" if uid else str(file)), []).append(file.resolve())
    if not found:
        raise DataError(f"{folder}: holds no file.")
    return [_name(uid, files) for (uid, _), files in found.items()]


def _series(file: Path) -> str:
    """Return the series of a DICOM file, "" of any other, also of one that is damaged."""
    try:
        with quiet(), foreign(str(file), "damaged", "a header in it is damaged"):
            header = series.header(file)
    except ScanError:
        return ""
    return str(header.get("SeriesInstanceUID") or "") if header is not None else ""


def _name(uid: str, files: list[Path]) -> str:
    if len(files) == 1:
        return str(files[0])
    return f"{os.path.commonpath([file.parent for file in files])}{SET}{uid}"
