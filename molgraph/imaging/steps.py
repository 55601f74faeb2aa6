"""How far slices lie apart: evenly, at distances that change, or with some of them missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from molgraph.imaging.scan import LIMIT, Affine, ScanError, Voxels
from molgraph.imaging.shades import first, functional

ROUNDED = 0.01  # mm: positions are often written with two decimals
EVEN = 0.01  # of a step: what slices may lie off an even grid
TOLD = 0.02  # of a step: how headers round distances and thicknesses
FINEST = 16  # even steps to one distance between slices: beyond that, one of the positions is wrong

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """Hold what the headers of slices say of them: how thick they are (mm), and their numbers; NaN where they do not.

    Shapes: both [Z].
    """

    thickness: Floats
    number: Floats

    @classmethod
    def of(cls, datasets: Sequence[Dataset]) -> Self:
        """Read what the headers say, one slice each."""
        names = ("SliceThickness", "InstanceNumber")
        table = [[np.nan if (found := first(ds.get(name))) is None else found for name in names] for ds in datasets]
        thickness, number = np.array(table, dtype=np.float64).reshape(-1, 2).T
        return cls(np.abs(thickness), number)

    @classmethod
    def nothing(cls, count: int) -> Self:
        """Return what is known of slices whose headers say nothing."""
        return cls(np.full(count, np.nan), np.full(count, np.nan))

    def of_slices(self, order: NDArray[np.int64]) -> Told:
        """Return the same of some slices, in their order."""
        return Told(self.thickness[order], self.number[order])

    def whole(self, lengths: Floats) -> bool:
        """Tell whether no slice is missing though distances differ, `lengths` [Z - 1].

        Where the slices are numbered their numbers follow each other, and either they are as thick as they lie apart or
        each distance comes twice in a row at least, as in a scan that goes on with thicker slices. Where they are not
        numbered, their thickness must explain the distances.
        """
        thick = np.maximum(self.thickness[1:], self.thickness[:-1])
        covered = bool((lengths <= thick * (1 + TOLD)).all()) and bool(np.ptp(self.thickness) > 0)
        if np.isnan(self.number).any() or len(np.unique(self.number)) < len(self.number):
            return covered
        counted = bool((np.abs(np.diff(self.number)) == 1).all())
        return counted and (covered or bool((_runs(lengths) > 1).all()))


def _runs(lengths: Floats) -> NDArray[np.int64]:
    """Return how many equal distances follow each other, run by run."""
    changes = np.flatnonzero(np.abs(np.diff(lengths)) > ROUNDED + EVEN * lengths.min())
    return np.diff([-1, *changes, len(lengths) - 1])


def steps(origins: Floats, told: Told, where: str) -> tuple[Floats, Floats | None]:
    """Return the step from slice to slice; where their distance changes, an even one, and where they lie in such steps.

    The even step is as near to the least distance as a whole number of steps from the first slice to the last allows.

    Shapes: `origins` [Z, 3]; returns [3], and None or [Z].
    Raises: ScanError where slices are missing, or the steps differ and nothing says why.
    """
    between = np.diff(origins, axis=0)
    lengths = np.linalg.norm(between, axis=1)
    least = between[lengths.argmin()]
    often = np.rint(between @ least / (least @ least))
    off = np.linalg.norm(between - often[:, None] * least, axis=1)
    uneven = bool((off > ROUNDED + EVEN * often * lengths.min()).any() or (often < 1).any())
    whole = origins[-1] - origins[0]
    if not uneven and (often == 1).all():
        return whole / len(between), None
    along = between @ whole / np.linalg.norm(whole)
    straight = bool((lengths - along < ROUNDED).all())
    if straight and lengths.max() <= FINEST * lengths.min() and told.whole(lengths):
        count = max(round(float(np.linalg.norm(whole) / lengths.min())), 1)
        at = np.append(0.0, np.cumsum(along)) / np.linalg.norm(whole) * count
        return whole / count, at
    if uneven:
        raise ScanError(
            "uneven_slices",
            f"{where}: slices lie {lengths.min():.3f} to {lengths.max():.3f} mm apart, and neither their thickness nor "
            "their numbers say why; resample it to even steps.",
        )
    missing = int(often.sum()) - len(between)
    raise ScanError(
        "missing_slices",
        f"{where}: {missing} slices are missing, the first after slice {int(often.argmax()) + 1} of {len(origins)}; "
        "copy them.",
    )


def refuse_gaps(affine: Affine, ds: Dataset, where: str) -> None:
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


def evenly(voxels: Voxels, at: Floats, where: str) -> Voxels:
    """Sample slices that lie at `at` (in steps, from 0 to a whole number) at every step, linearly between two slices.

    Shapes: voxels [C, Z, Y, X], `at` [Z]; returns [C, at[-1] + 1, Y, X].
    Raises: ScanError where that would be more than one scan.
    """
    places = np.arange(round(float(at[-1])) + 1, dtype=np.float64)
    if len(places) * voxels[:, 0].size > LIMIT:
        raise ScanError("too_large", f"{where}: at even steps it would have {len(places)} slices, more than one scan.")
    low = np.clip(np.searchsorted(at, places, side="right") - 1, 0, len(at) - 2)
    share = ((places - at[low]) / (at[low + 1] - at[low])).clip(0, 1).astype(np.float32)[:, None, None]
    made: Voxels = voxels[:, low] * (1 - share) + voxels[:, low + 1] * share
    return made
