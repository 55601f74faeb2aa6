"""Slices that were exported more than once: the same file again, or the same pixels under another UID."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from molgraph.imaging import dicom
from molgraph.imaging.content import content
from molgraph.imaging.scan import ScanError

Member = tuple[Path, FileDataset]

_PLACE = ("ImagePositionPatient", "ImageOrientationPatient")
_DECIMALS = 3  # of mm: a second export may write positions otherwise
_MEANING = ("RescaleSlope", "RescaleIntercept", "PixelRepresentation", "BitsStored", "PhotometricInterpretation")


def distinct(members: list[Member]) -> list[Member]:
    """Leave out copies: the same picture under another file name.

    Raises: ScanError where two files share a UID and differ.
    """
    found: dict[str, Member] = {}
    for file, ds in members:
        uid = str(ds.get("SOPInstanceUID") or file)
        first_file, _ = found.setdefault(uid, (file, ds))
        if first_file != file and first_file.read_bytes() != file.read_bytes():
            raise ScanError("duplicate_slices", f"{file}: differs from {first_file.name}, which has the same UID.")
    return list(found.values())


def once(members: list[Member]) -> list[Member]:
    """Leave out slices that were exported again under a new UID: those of the same pixels at the same place.

    Where every place has as many slices and only some of them are alike (two echoes of air), all are kept.

    Raises: ScanError where some places have more pictures than others; the files of one are named.
    """
    places: dict[tuple[float, ...], list[Member]] = {}
    for member in members:
        where = _place(member[1])
        if where is None:
            return members  # `planes.placed` says what is wrong with that
        places.setdefault(where, []).append(member)
    if max(map(len, places.values())) == 1:
        return members
    kept = {
        where: list({_pixels(file, ds): (file, ds) for file, ds in there[::-1]}.values())
        for where, there in places.items()
    }
    if len({len(there) for there in kept.values()}) > 1:
        kept = places
    counts = {len(there) for there in kept.values()}
    if len(counts) > 1:
        crowded = next(there for there in kept.values() if len(there) > min(counts))
        names = ", ".join(str(file) for file, _ in crowded[:4])
        raise ScanError(
            "duplicate_slices",
            f"{names}: {len(crowded)} different pictures of one place, and other places have {min(counts)}; "
            "part what was scanned twice.",
        )
    chosen = {file for there in kept.values() for file, _ in there}
    return [member for member in members if member[0] in chosen]


def _place(ds: FileDataset) -> tuple[float, ...] | None:
    """Return where a slice of one frame lies, None where it does not say."""
    found = [ds.get(name) for name in _PLACE]
    if not all(found) or int(ds.get("NumberOfFrames") or 1) > 1:
        return None
    try:
        return tuple(np.round([float(v) for value in found for v in value], _DECIMALS).tolist())
    except (TypeError, ValueError):
        return None


def _pixels(file: Path, ds: FileDataset) -> str:
    """Return a digest of the stored values and of what they mean."""
    whole = dicom.parse(content(file, str(file)), str(file))
    found = hashlib.sha256(repr([str(whole.get(name)) for name in _MEANING]).encode())
    found.update(np.ascontiguousarray(dicom.decoded(whole, str(file))).data)
    return found.hexdigest()
