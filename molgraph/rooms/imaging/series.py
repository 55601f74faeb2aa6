"""A folder of DICOM files: grouped by series, each slice at its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from molgraph.errors import many
from molgraph.rooms.imaging import dicom
from molgraph.rooms.imaging.content import content, quiet
from molgraph.rooms.imaging.copies import Member, distinct, once
from molgraph.rooms.imaging.planes import Place, placed
from molgraph.rooms.imaging.scan import LIMIT, Scan, ScanError, files_below, foreign
from molgraph.rooms.imaging.shades import first
from molgraph.rooms.imaging.steps import evenly

_SUFFIXES = (".dcm", ".dicom", ".ima")
# By what slices at one place differ, in the order in which they are told apart.
_KINDS = ("EchoTime", "TemporalPositionIdentifier", "DiffusionBValue", "AcquisitionNumber", "InstanceNumber")
# What all files of a series have in common. See: DICOM PS3.3 A.1.2.3 (one study, one frame of reference)
_OF_A_SERIES = {
    "PatientID": "mixed_patients",
    "StudyInstanceUID": "mixed_studies",
    "FrameOfReferenceUID": "mixed_spaces",
}


@dataclass(frozen=True)
class Series:
    """Name one series of a folder, its files, and what they say of themselves."""

    uid: str
    modality: str
    description: str
    patient: str
    files: tuple[Path, ...]


def find(folder: Path) -> list[Series]:
    """List the series of pictures in a folder and below it, by the names of their first files.

    Raises: ScanError where a file that was DICOM is damaged.
    """
    found = []
    with quiet(), foreign(str(folder), "damaged", "a header in it is damaged"):
        for uid, members in _grouped(folder).items():
            ds = members[0][1]
            kind, what, who = (str(ds.get(word) or "") for word in ("Modality", "SeriesDescription", "PatientID"))
            found.append(Series(uid, kind, what, who, tuple(file for file, _ in members)))
    return found


def read(folder: Path, uid: str, from_file: bool, mask: bool = False) -> Scan:
    """Read the one series of a folder, or the one that is named; a `mask` keeps its labels.

    Raises: ScanError where there is none, several, or one that makes no volume.
    """
    where = f"{folder}#{uid}" if uid else str(folder)
    groups = _grouped(folder)
    if not groups:
        raise ScanError("no_dicom", f"{where}: holds no DICOM picture; name a file, or a folder of one series.")
    if uid and uid not in groups:
        raise ScanError("no_such_member", f"{where}: has no such series; it has {', '.join(groups)}.")
    if not uid and len(groups) > 1:
        shown = "; ".join(f"{name}: {many(len(found), 'file')}" for name, found in list(groups.items())[:5])
        raise ScanError(
            "mixed_series", f"{where}: holds {len(groups)} series ({shown}); name one as {folder}#SERIES_UID."
        )
    return _volume(distinct(groups[uid or next(iter(groups))]), where, from_file, mask)


def _grouped(folder: Path) -> dict[str, list[Member]]:
    """Return the headers of all pictures by series."""
    found: dict[str, list[Member]] = {}
    for file in files_below(folder):
        ds = header(file)
        if ds is not None:
            found.setdefault(str(ds.get("SeriesInstanceUID") or ""), []).append((file, ds))
    return found


def header(file: Path) -> FileDataset | None:
    """Return the header of a DICOM picture, None for anything else; a damaged one is not passed over."""
    if file.name.startswith("."):
        return None
    suffix = file.suffix.lower()
    if not file.stat().st_size and suffix not in ("", *_SUFFIXES):
        return None
    data = content(file, str(file))
    if not (dicom.is_one(data) or dicom.is_bare(data)):
        if suffix in _SUFFIXES:
            raise ScanError("damaged", f"{file}: is no DICOM; copy or export it again.")
        return None
    ds = dicom.parse(data, str(file))
    ds.filename = str(file)
    if any(name in ds for name in dicom.PIXELS):
        for name in dicom.PIXELS:
            if name in ds:
                del ds[name]
        return ds
    kind = UID(str(ds.file_meta.get("MediaStorageSOPClassUID") or ds.get("SOPClassUID") or ""))
    if "Rows" in ds or "Image" in kind.name:
        raise ScanError("truncated", f"{file}: is cut short before its pixels; copy or export it again.")
    return None


def _volume(members: list[Member], where: str, from_file: bool, mask: bool) -> Scan:
    """Put each slice at its place."""
    if len(members) == 1:
        file = members[0][0]
        return dicom.read(content(file, str(file)), str(file), from_file)
    with foreign(where, "damaged", "a header of the series is damaged"):
        members = sorted(members, key=lambda member: _kind(member[1]))
        headers = [ds for _, ds in members]
        sizes = {(ds.get("Rows"), ds.get("Columns"), ds.get("SamplesPerPixel"), ds.get("Modality")) for ds in headers}
        if any(int(ds.get("NumberOfFrames") or 1) > 1 for ds in headers):
            raise ScanError("several_images", f"{where}: has several files of many frames; name one of them.")
    _of_one(headers, where)
    if len(sizes) > 1:
        raise ScanError("mixed_sizes", f"{where}: its slices differ in size or kind: {sorted(map(str, sizes))}.")
    with foreign(where, "damaged", "a header of the series is damaged"):
        members = once(members)
    with foreign(where, "bad_geometry", "the headers do not say where the slices lie"):
        place = placed([ds for _, ds in members], where)
    if place is None:
        raise ScanError("no_positions", f"{where}: its {len(members)} pictures do not say where they lie; name one.")
    return _filled(members, place, where, from_file, mask)


def _of_one(headers: list[FileDataset], where: str) -> None:
    """Refuse files of one series that name several patients, studies or spaces: others' slices lie among them."""
    for name, reason in _OF_A_SERIES.items():
        told = {str(ds.get(name) or "").strip() for ds in headers} - {""}
        if len(told) > 1:
            shown = ", ".join(sorted(told)[:3])
            raise ScanError(
                reason, f"{where}: its files are one series but name {len(told)} of {name} ({shown}, ...); part them."
            )


def _filled(members: list[Member], place: Place, where: str, from_file: bool, mask: bool) -> Scan:
    depth, repeats = place.order.shape
    head = members[0][1]
    rows, columns = int(head.Rows), int(head.Columns)
    if depth * repeats * rows * columns > LIMIT:
        raise ScanError("too_large", f"{where}: {depth * repeats} slices of {rows} x {columns} are more than one scan.")
    voxels = np.empty((repeats, depth, rows, columns), dtype=np.float32)
    for z, shared in enumerate(place.order):
        for channel, at in enumerate(shared):
            file = members[at][0]
            found = dicom.grey(dicom.frames(dicom.parse(content(file, str(file)), str(file)), str(file), from_file))
            if len(found) > 1 or found.shape[1:] != (1, rows, columns):
                raise ScanError("mixed_sizes", f"{file}: a slice in colour or of another size among {where}.")
            voxels[channel, z] = found[0, 0]
    if place.at is not None:
        voxels = evenly(voxels, place.at, where, nearest=mask)
    return dicom.described(head, voxels, affine=place.affine, said=place.said)


def _kind(ds: FileDataset) -> tuple[float, ...]:
    return tuple(-1.0 if (found := first(ds.get(name))) is None else found for name in _KINDS)
