"""Slices that were exported more than once: the same file again, or the same picture of the same place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from molgraph.rooms.imaging import dicom
from molgraph.rooms.imaging.content import content
from molgraph.rooms.imaging.planes import SAME, same_place
from molgraph.rooms.imaging.scan import ScanError, Voxels
from molgraph.rooms.imaging.shades import first

Member = tuple[Path, FileDataset]

# By what pictures of one place differ that were taken one after the other, or computed one from the other.
# See: DICOM PS3.3 C.7.6.16, C.8.3.1, C.8.13.5 (numbers), C.7.6.1.1.2 (what an image shows, from the third word on)
_NUMBERS = (
    "EchoTime",
    "EchoNumbers",
    "InversionTime",
    "FlipAngle",
    "TemporalPositionIdentifier",
    "TriggerTime",
    "FrameReferenceTime",
    "DiffusionBValue",
    "AcquisitionNumber",
)
_WORDS = ("AcquisitionTime", "AcquisitionDateTime")
_DIRECTION, _SHOWS = "DiffusionGradientOrientation", "ImageType"
_ROUNDED = 1e-5  # of a number: how an export may round it
_LOOKED_AT = 5  # places, and pictures of each, at which it is looked whether headers tell them apart
_ALIKE = 2e-6  # of the range of the values: a rescale value may be written with six digits in a second export


def distinct(members: list[Member]) -> list[Member]:
    """Leave out copies: the same picture under another file name.

    Raises: ScanError where two files share a UID and show something else.
    """
    found: dict[str, Member] = {}
    for file, ds in members:
        uid = str(ds.get("SOPInstanceUID") or file)
        other = found.setdefault(uid, (file, ds))
        if other[0] != file and not _copies(other, (file, ds)):
            raise ScanError("duplicate_slices", f"{file}: differs from {other[0].name}, which has the same UID.")
    return list(found.values())


def _copies(one: Member, other: Member) -> bool:
    """Tell whether two files of one UID are one: to the byte, or the same picture of the same place."""
    if one[0].read_bytes() == other[0].read_bytes():
        return True
    places = _places([one, other])
    return places is not None and places[0] == places[1] and _alike(_values(one), _values(other))


def once(members: list[Member]) -> list[Member]:
    """Leave out slices that were exported again under a new UID: those of the same values at the same place.

    Pictures of one place that their headers tell apart (two echoes, two times) are kept, also where they are alike.

    Raises: ScanError where two of one place differ in nothing but their values, or some places have more pictures than
    others; the files are named.
    """
    places = _places(members)
    if places is None or len(set(places)) == len(members):
        return members  # `planes.placed` says what is wrong where there are no places
    there: dict[int, list[Member]] = {}
    for member, place in zip(members, places, strict=True):
        there.setdefault(place, []).append(member)
    parted = _by_kind if _told_apart(list(there.values())) else _as_one
    kept = {place: [_distinct(shared) for shared in parted(pictures)] for place, pictures in there.items()}
    copied = sum(len(pictures) for kinds in kept.values() for pictures in kinds) < len(members)
    numbers = [first(ds.get("InstanceNumber")) for _, ds in members]
    numbered = not copied and None not in numbers and len(set(numbers)) == len(numbers)
    for kinds in kept.values():
        for pictures in kinds:
            if len(pictures) > 1 and not numbered:
                raise ScanError(
                    "duplicate_slices",
                    f"{_names(pictures)}: {len(pictures)} different pictures of one place, and their headers do not "
                    "say by what they differ; keep one of each place.",
                )
    pictures_at = {place: [member for kind in kinds for member in kind] for place, kinds in kept.items()}
    counts = {len(pictures) for pictures in pictures_at.values()}
    if len(counts) > 1:
        crowded = next(pictures for pictures in pictures_at.values() if len(pictures) > min(counts))
        raise ScanError(
            "duplicate_slices",
            f"{_names(crowded)}: {len(crowded)} different pictures of one place, and other places have {min(counts)}; "
            "part what was scanned twice.",
        )
    chosen = {file for pictures in pictures_at.values() for file, _ in pictures}
    return [member for member in members if member[0] in chosen]


def _told_apart(places: Sequence[Sequence[Member]]) -> bool:
    """Tell whether headers tell pictures of one place apart: at most of a few places no two have the same values.

    An export may write times and numbers of its own; two acquisitions, of noise at least, are never alike everywhere.
    """
    some = [places[at] for at in np.unique(np.linspace(0, len(places) - 1, _LOOKED_AT).round().astype(int))]
    several = [[kind[0] for kind in _by_kind(pictures)][:_LOOKED_AT] for pictures in some]
    return 2 * sum(len(_distinct(pictures)) == len(pictures) for pictures in several) > len(several)


def _as_one(members: Sequence[Member]) -> list[list[Member]]:
    return [list(members)]


def _names(members: Sequence[Member]) -> str:
    return ", ".join(str(file) for file, _ in members[:4])


def _places(members: Sequence[Member]) -> list[int] | None:
    """Return for each slice which place it has: equal to what rounding makes; None where one has none of its own."""
    found = [_place(ds) for _, ds in members]
    known = [place for place in found if place is not None]
    if len(known) < len(found):
        return None
    table = np.array(known)
    near = np.array([same_place(float(table[:, 9:].min()))] * 3 + [SAME] * 6)
    return _groups(table[:, :9], near)


def _place(ds: FileDataset) -> list[float] | None:
    """Return position, orientation and edges of the pixels of a slice of one frame; None where it does not say all."""
    found = [ds.get(name) for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")]
    if not all(found) or int(ds.get("NumberOfFrames") or 1) > 1:
        return None
    try:
        numbers = [float(v) for value in found for v in value]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == 11 and np.isfinite(numbers).all() and min(numbers[9:]) > 0 else None


def _groups(table: NDArray[np.float64], near: NDArray[np.float64]) -> list[int]:
    """Return for each row which group it is in: in each column its value is that of the others, or goes on from it.

    Shapes: `table` [N, D], `near` [D].
    """
    labels = np.empty(table.shape, dtype=np.int64)
    for column, least in enumerate(near.tolist()):
        order = np.argsort(table[:, column], kind="stable")
        labels[order, column] = np.cumsum(_apart(table[order, column], least))
    found = np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1)
    return [int(group) for group in found]


def _apart(rising: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Tell of rising values, -inf for none, which lie further from the one before them."""
    before = np.append(rising[:1], rising[:-1])
    with np.errstate(invalid="ignore"):
        return np.asarray((rising > before) & ~(rising - before <= least))


def _by_kind(members: Sequence[Member]) -> list[list[Member]]:
    """Return the pictures of one place by what their headers tell apart, in the order given."""
    table = np.array([_numbers(ds) for _, ds in members])
    near = _ROUNDED * np.abs(np.where(np.isfinite(table), table, 0)).max(axis=0)
    found: dict[tuple[object, ...], list[Member]] = {}
    for group, member in zip(_groups(table, near), members, strict=True):
        shows = [str(word).strip() for word in member[1].get(_SHOWS) or ()][2:]
        words = [str(member[1].get(name) or "").rstrip("0").rstrip(".") for name in _WORDS]
        found.setdefault((group, *words, *shows), []).append(member)
    return list(found.values())


def _numbers(ds: FileDataset) -> list[float]:
    """Return the numbers by which pictures of one place differ, -inf for each that is not there."""
    found = [first(ds.get(name)) for name in _NUMBERS]
    direction = [float(v) for v in ds.get(_DIRECTION) or ()][:3]
    return [-np.inf if v is None else v for v in (*found, *direction, *[None] * (3 - len(direction)))]


def _distinct(members: Sequence[Member]) -> list[Member]:
    """Return pictures of one place without those whose values one before them has."""
    if len(members) == 1:
        return list(members)
    kept: list[tuple[Member, Voxels]] = []
    for member in members:
        values = _values(member)
        if not any(_alike(values, seen) for _, seen in kept):
            kept.append((member, values))
    return [member for member, _ in kept]


def _values(member: Member) -> Voxels:
    """Return the values of a slice as they were measured, however they are stored."""
    where = str(member[0])
    return dicom.frames(dicom.parse(content(member[0], where), where), where, from_file=False)


def _alike(one: Voxels, other: Voxels) -> bool:
    """Tell whether two pictures hold the same values, but for how their rescaling is rounded."""
    if one.shape != other.shape:
        return False
    return bool(np.abs(one - other).max(initial=0.0) <= _ALIKE * max(float(np.ptp(one)), float(np.abs(one).max())))
