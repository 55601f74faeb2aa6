"""Where DICOM frames lie: ordered along the normal of their plane, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from molgraph.errors import many
from molgraph.rooms.imaging.geometry import TURN, sound, sound_spacing
from molgraph.rooms.imaging.scan import Affine, ScanError
from molgraph.rooms.imaging.shades import first, functional
from molgraph.rooms.imaging.steps import ROUNDED, Steps, Told, refuse_gaps, steps

SAME = 1e-3  # by which the cosines of one orientation may differ
_OF_A_PIXEL = 0.1  # what is less of its edge is no step, also in a microscope


def same_place(edge: float) -> float:
    """Return how far apart slices of one place may lie at most, for pixels of this edge (both mm): what rounding of
    positions makes."""
    return min(ROUNDED, _OF_A_PIXEL * edge) * (1 + 1e-6)


class Plane(NamedTuple):
    """Hold where a frame lies (mm, LPS+): its first pixel, a step to the next column, a step to the next row."""

    origin: NDArray[np.float64]
    right: NDArray[np.float64]
    down: NDArray[np.float64]


class Place(NamedTuple):
    """Hold the order of frames, [Z, R] where R share each place, and the affine of their volume.

    Where the distance between slices changes the affine is that of even steps, `at` [Z] says where among these the
    slices lie, in steps, and `said` what a user should know of it; else they are None and "".
    """

    order: NDArray[np.int64]
    affine: Affine
    at: NDArray[np.float64] | None = None
    said: str = ""


def placed(datasets: Sequence[FileDataset], where: str) -> Place | None:
    """Order all frames of the files of one series; None where they do not say where they lie.

    Raises: ScanError where only some do, they lie in several planes, or at steps that nothing explains.
    """
    found = [plane for ds in datasets for plane in planes(ds, where)]
    known = [plane for plane in found if plane is not None]
    if not known:
        return None
    if len(known) < len(found):
        raise ScanError(
            "mixed_series", f"{where}: {len(found) - len(known)} of {len(found)} slices without a place; part them."
        )
    told = Told.of(datasets) if len(known) == len(datasets) else Told.nothing(len(known))
    place = _stacked(known, where, _thickness(datasets[0]), told)
    if len(datasets) > 1 and len(place.order) > 1 and place.at is None:
        refuse_gaps(place.affine, datasets[0], where)
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


def _stacked(found: Sequence[Plane], where: str, thickness: float, told: Told) -> Place:
    right, down = found[0].right, found[0].down
    edge = min(float(np.linalg.norm(right)), float(np.linalg.norm(down)))
    for plane in found:
        if max(np.abs(plane.right - right).max(), np.abs(plane.down - down).max()) > SAME * max(edge, 1e-6):
            raise ScanError("mixed_orientations", f"{where}: its slices do not lie in parallel planes of one spacing.")
    normal = np.cross(right, down)
    normal /= np.linalg.norm(normal) or 1.0
    depth = np.array([plane.origin @ normal for plane in found])
    order = _by_place(depth, same_place(edge), where)
    origins = np.array([found[at].origin for at in order[:, 0]])
    alone = Steps(normal * thickness)
    made = steps(origins, told.of_slices(order[:, 0]), where) if len(origins) > 1 else alone
    lps = np.eye(4)
    lps[:3] = np.stack([right, down, made.step, origins[0]], axis=1)
    return Place(order, sound(TURN @ lps, where), made.at, made.said)


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
            f"{where}: some places have {many(max(counts), 'slice')}, some {min(counts)}; part what was scanned twice.",
        )
    return np.array([np.sort(part) for part in parts])
