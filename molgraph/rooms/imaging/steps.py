"""How far slices lie apart: evenly, at distances that change, or with some of them missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from molgraph.errors import many
from molgraph.rooms.imaging.scan import LIMIT, Affine, ScanError, Voxels
from molgraph.rooms.imaging.shades import first, functional

ROUNDED = 0.01  # mm: positions are often written with two decimals
EVEN = 0.01  # of a step: what slices may lie off an even grid
TOLD = 0.02  # of a step: how headers round distances and thicknesses
FINEST = 16  # even steps to one distance between slices: beyond that, one of the positions is wrong

Floats = NDArray[np.float64]


class Steps(NamedTuple):
    """Hold the step from slice to slice, [3] (mm). Where their distance changes it is an even one, `at` [Z] says where
    the slices lie in such steps, and `said` what changes; else they are None and "".
    """

    step: Floats
    at: Floats | None = None
    said: str = ""


@dataclass(frozen=True)
class Told:
    """Hold what the headers of slices say of them: how thick they are (mm), and their numbers; NaN where they do not.
    `name` is what each is called.

    Shapes: all [Z].
    """

    thickness: Floats
    number: Floats
    name: tuple[str, ...]

    @classmethod
    def of(cls, datasets: Sequence[FileDataset]) -> Self:
        """Read what the headers say, one slice each."""
        names = ("SliceThickness", "InstanceNumber")
        table = [[np.nan if (found := first(ds.get(name))) is None else found for name in names] for ds in datasets]
        thickness, number = np.array(table, dtype=np.float64).reshape(-1, 2).T
        return cls(np.abs(thickness), number, tuple(Path(str(ds.filename)).name for ds in datasets))

    @classmethod
    def nothing(cls, count: int) -> Self:
        """Return what is known of the frames of a file, whose headers say nothing."""
        return cls(np.full(count, np.nan), np.full(count, np.nan), tuple(f"frame {n + 1}" for n in range(count)))

    def of_slices(self, order: NDArray[np.int64]) -> Told:
        """Return the same of some slices, in their order."""
        return Told(self.thickness[order], self.number[order], tuple(self.name[at] for at in order))

    @property
    def follow(self) -> bool | None:
        """Tell whether the numbers of the slices follow each other; None where not all have one of their own."""
        if np.isnan(self.number).any() or len(np.unique(self.number)) < len(self.number):
            return None
        return bool((np.abs(np.diff(self.number)) == 1).all())

    def explains(self, lengths: Floats) -> bool:
        """Tell whether the thickness of the slices says why distances differ, `lengths` [Z - 1].

        The distance of two slices is one and the same share of their thickness all through the scan (1: side by side,
        less: overlapping), where two thicknesses meet of one between them; and no thickness is that of one slice alone.
        """
        low, high = (pick(self.thickness[1:], self.thickness[:-1]) for pick in (np.minimum, np.maximum))
        if not (low > 0).all() or (_runs(self.thickness) < 2).any():
            return False
        near = ROUNDED + TOLD * lengths
        return bool(((lengths - near) / high).max() <= ((lengths + near) / low).min())

    def goes_on(self, lengths: Floats) -> bool:
        """Tell whether a scan goes on in another step: the numbers of its slices follow each other, its steps only grow
        or only shrink, and each comes twice in a row at least."""
        changes = np.diff(lengths)[np.abs(np.diff(lengths)) > _near(lengths)]
        return self.follow is True and bool((_runs(lengths) > 1).all()) and len(np.unique(np.sign(changes))) == 1


def _near(values: Floats) -> float:
    return ROUNDED + EVEN * float(values.min())


def _runs(values: Floats) -> NDArray[np.int64]:
    """Return how many equal values follow each other, run by run."""
    changes = np.flatnonzero(np.abs(np.diff(values)) > _near(values))
    return np.diff([-1, *changes, len(values) - 1])


def steps(origins: Floats, told: Told, where: str) -> Steps:
    """Return the step from slice to slice, even where their distance changes.

    The even step is as near to the least distance as a whole number of steps from the first slice to the last allows.

    Shapes: `origins` [Z, 3].
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
        return Steps(whole / len(between))
    along = between @ whole / np.linalg.norm(whole)
    straight = bool((lengths - along < ROUNDED).all()) and lengths.max() <= FINEST * lengths.min()
    thicker = told.follow is not False and told.explains(lengths)
    if straight and (thicker or told.goes_on(lengths)):
        count = max(round(float(np.linalg.norm(whole) / lengths.min())), 1)
        at = np.append(0.0, np.cumsum(along)) / np.linalg.norm(whole) * count
        return Steps(whole / count, at, _said(lengths, thicker, told, float(np.linalg.norm(whole)) / count))
    if lengths.max() > FINEST * lengths.min():
        near = int(lengths.argmin())
        raise ScanError(
            "uneven_slices",
            f"{where}: {told.name[near]} and {told.name[near + 1]} lie {lengths.min():.3g} mm apart, others up to "
            f"{lengths.max():.4g} mm; keep one of them, as where a series was exported twice, or resample it.",
        )
    wide = int(lengths.argmax())
    pair = f"{told.name[wide]} and {told.name[wide + 1]}"
    numbers = ", though their numbers follow each other" if told.follow else ""
    if uneven:
        raise ScanError(
            "uneven_slices",
            f"{where}: slices lie {lengths.min():.3f} to {lengths.max():.3f} mm apart (the furthest: {pair}), and "
            f"their thickness does not say why{numbers}; resample it to even steps.",
        )
    missing = int(often.sum()) - len(between)
    ahead = int(often.argmax())
    raise ScanError(
        "missing_slices",
        f"{where}: {many(missing, 'slice')} {'are' if missing > 1 else 'is'} missing{numbers}, the first between "
        f"{told.name[ahead]} and {told.name[ahead + 1]}, {lengths[ahead]:g} mm apart; copy what is "
        "missing, or resample the scan to even steps.",
    )


def _said(lengths: Floats, thicker: bool, told: Told, even: float) -> str:
    """Return what a user should know of a scan whose steps change."""
    after = told.name[1 + int(np.flatnonzero(np.abs(np.diff(lengths)) > _near(lengths))[0])]
    why = "as their thickness does" if thicker else "which their numbers, but not their thickness, explain"
    return (
        f"the distance of slices changes from {lengths.min():.4g} to {lengths.max():.4g} mm, first at {after}, {why}; "
        f"read at even steps of {even:.4g} mm, linear between two slices"
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


def evenly(voxels: Voxels, at: Floats, where: str, *, nearest: bool = False) -> Voxels:
    """Sample slices that lie at `at` (in steps, from 0 to a whole number) at every step, linearly between two slices.

    `nearest` takes the nearer of the two, as labels of a mask have nothing between them.

    Shapes: voxels [C, Z, Y, X], `at` [Z]; returns [C, at[-1] + 1, Y, X].
    Raises: ScanError where that would be more than one scan.
    """
    places = np.arange(round(float(at[-1])) + 1, dtype=np.float64)
    if len(places) * voxels[:, 0].size > LIMIT:
        raise ScanError("too_large", f"{where}: at even steps it would have {len(places)} slices, more than one scan.")
    low = np.clip(np.searchsorted(at, places, side="right") - 1, 0, len(at) - 2)
    share = ((places - at[low]) / (at[low + 1] - at[low])).clip(0, 1).astype(np.float32)[:, None, None]
    share = np.rint(share) if nearest else share
    made: Voxels = voxels[:, low] * (1 - share) + voxels[:, low + 1] * share
    return made
