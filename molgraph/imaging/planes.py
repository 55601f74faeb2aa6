"""Where DICOM frames lie: ordered along the normal of their plane, evenly or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from molgraph.imaging.geometry import TURN, sound, sound_spacing
from molgraph.imaging.scan import Affine, ScanError
from molgraph.imaging.shades import first, functional

ROUNDED = 0.01  # mm: positions are often written with two decimals
EVEN = 0.01  # of a step: what slices may lie off an even grid
TOLD = 0.02  # of a step: how headers round distances and thicknesses
SAME = 1e-3  # by which the cosines of one orientation may differ


class Plane(NamedTuple):
    """Hold where a frame lies (mm, LPS+): its first pixel, a step to the next column, a step to the next row."""

    origin: NDArray[np.float64]
    right: NDArray[np.float64]
    down: NDArray[np.float64]


class Place(NamedTuple):
    """Hold the order of frames, [Z, R] where R share each place, and the affine of their volume."""

    order: NDArray[np.int64]
    affine: Affine


def placed(datasets: Sequence[Dataset], where: str) -> Place | None:
    """Order all frames of the files of one series; None where they do not say where they lie.

    Raises: ScanError where only some do, they lie in several planes, or not at even steps.
    """
    found = [plane for ds in datasets for plane in planes(ds, where)]
    known = [plane for plane in found if plane is not None]
    if not known:
        return None
    if len(known) < len(found):
        raise ScanError(
            "mixed_series", f"{where}: {len(found) - len(known)} of {len(found)} slices have no place; part them."
        )
    place = _stacked(known, where, _thickness(datasets[0]))
    if len(datasets) > 1 and len(place.order) > 1:
        _refuse_gaps(place.affine, datasets[0], where)
    return place


def planes(ds: Dataset, where: str) -> Iterator[Plane | None]:
    """Yield where each frame of a file lies, None where it does not say."""
    count = int(ds.get("NumberOfFrames") or 1)
    enhanced = "PerFrameFunctionalGroupsSequence" in ds
    offsets = ds.get("GridFrameOffsetVector")
    for at in range(count):
        turn = (functional(ds, at, "PlaneOrientationSequence") if enhanced else None) or ds
        spot = (functional(ds, at, "PlanePositionSequence") if enhanced else None) or ds
        grid = (functional(ds, at, "PixelMeasuresSequence") if enhanced else None) or ds
        cosines, origin, edges = (
            _numbers(item.get(name), count)
            for item, name, count in (
                (turn, "ImageOrientationPatient", 6),
                (spot, "ImagePositionPatient", 3),
                (grid, "PixelSpacing", 2),
            )
        )
        if cosines is None or origin is None or edges is None:
            yield None
            continue
        if not (enhanced or count == 1) and (offsets is None or len(offsets) != count):
            yield None  # a clip: its frames follow each other in time
            continue
        sound_spacing((edges[1], edges[0], 1.0), where)  # a sign would be lost below
        right, down = _square(cosines, where)
        if offsets is not None and count > 1:
            # Offsets are relative or z itself: their differences are steps. See: DICOM PS3.3 C.8.8.3.2
            origin = origin + np.cross(right, down) * (float(offsets[at]) - float(offsets[0]))
        yield Plane(origin, right * edges[1], down * edges[0])


def _numbers(value: Any, count: int) -> NDArray[np.float64] | None:
    if not value or len(value) != count:
        return None
    return np.array([float(v) for v in value])


def _square(cosines: NDArray[np.float64], where: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions of rows and columns, which are of length 1 and at right angles."""
    right, down = cosines[:3], cosines[3:]
    lengths = np.linalg.norm([right, down], axis=1)
    if not np.isfinite(cosines).all() or np.abs(lengths - 1).max() > 0.01 or abs(right @ down) > 0.01:
        raise ScanError("bad_orientation", f"{where}: its orientation {cosines.tolist()} is no pair of right angles.")
    return right / lengths[0], down / lengths[1]


def _thickness(ds: Dataset) -> float:
    """Return how thick a single slice is; 1 mm where nobody says."""
    measures = functional(ds, 0, "PixelMeasuresSequence") or ds
    for name in ("SliceThickness", "SpacingBetweenSlices"):
        found = first(measures.get(name))
        if found:
            return abs(found)
    return 1.0


def _refuse_gaps(affine: Affine, ds: Dataset, where: str) -> None:
    """Refuse slices that lie evenly but further apart than they were scanned: each second one is missing, or more.

    A gap is meant where SpacingBetweenSlices says so: as the step, as DICOM has it, or beside the thickness, as some
    scanners write it.

    Raises: ScanError where a step is several times what the header says or, where it says nothing, the thickness.
    See: DICOM PS3.3 C.7.6.2, C.8.3.1 (SpacingBetweenSlices is from centre to centre)
    """
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    step = abs(float(affine[:3, 2] @ normal / np.linalg.norm(normal)))
    measures = functional(ds, 0, "PixelMeasuresSequence") or ds
    thick, apart = (abs(first(measures.get(name)) or 0.0) for name in ("SliceThickness", "SpacingBetweenSlices"))
    near = TOLD * step
    beside = abs(thick + apart - step) < near and abs(thick - apart) > near
    times = round(step / apart) if apart else 0
    if (times > 1 and abs(times * apart - step) < near and not beside) or (not apart and 0 < 2 * thick < step + near):
        raise ScanError(
            "missing_slices",
            f"{where}: slices lie {step:g} mm apart and were scanned at {apart or thick:g} mm; copy those between. "
            "Where the gaps are meant, SpacingBetweenSlices must say so.",
        )


def _stacked(found: Sequence[Plane], where: str, thickness: float) -> Place:
    right, down = found[0].right, found[0].down
    edge = min(float(np.linalg.norm(right)), float(np.linalg.norm(down)))
    for plane in found:
        if max(np.abs(plane.right - right).max(), np.abs(plane.down - down).max()) > SAME * max(edge, 1e-6):
            raise ScanError("mixed_orientations", f"{where}: its slices do not lie in parallel planes of one spacing.")
    normal = np.cross(right, down)
    normal /= np.linalg.norm(normal) or 1.0
    depth = np.array([plane.origin @ normal for plane in found])
    order = _by_place(depth, 0.01 * edge, where)
    origins = np.array([found[at].origin for at in order[:, 0]])
    step = _step(origins, where) if len(origins) > 1 else normal * thickness
    lps = np.eye(4)
    lps[:3] = np.stack([right, down, step, origins[0]], axis=1)
    return Place(order, sound(TURN @ lps, where))


def _by_place(depth: NDArray[np.float64], near: float, where: str) -> NDArray[np.int64]:
    """Return the frames at each depth, in the order given.

    Raises: ScanError where some places have more frames than others.
    """
    along = np.argsort(depth, kind="stable")
    parts = np.split(along, np.flatnonzero(np.diff(depth[along]) > near) + 1)
    counts = {len(part) for part in parts}
    if len(counts) > 1:
        raise ScanError(
            "duplicate_slices",
            f"{where}: some places have {max(counts)} slices, some {min(counts)}; part what was scanned twice.",
        )
    return np.array([np.sort(part) for part in parts])


def _step(origins: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """Return the step from slice to slice.

    Raises: ScanError where slices are missing or the steps differ.
    """
    steps = np.diff(origins, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    least = steps[lengths.argmin()]
    often = np.rint(steps @ least / (least @ least))
    off = np.linalg.norm(steps - often[:, None] * least, axis=1)
    if (off > ROUNDED + EVEN * often * lengths.min()).any() or (often < 1).any():
        raise ScanError(
            "uneven_slices",
            f"{where}: slices lie {lengths.min():.3f} to {lengths.max():.3f} mm apart; resample it to even steps.",
        )
    missing = int(often.sum()) - len(steps)
    if missing:
        at = int(often.argmax())
        raise ScanError(
            "missing_slices",
            f"{where}: {missing} slices are missing, the first after slice {at + 1} of {len(origins)}; copy them.",
        )
    found: NDArray[np.float64] = (origins[-1] - origins[0]) / len(steps)
    return found
