"""Stored DICOM values to measured ones: rescale, look-up tables, windows, inverted grey, padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi

from molgraph.rooms.imaging.scan import ScanError, Voxels

HOUNSFIELD_AIR = -1000.0  # by the definition of the unit
MOST_HOUNSFIELD = 1e5  # all that 16 bits can hold at a slope of 1 is below it; metal saturates far below
# Values of these are quantities: MONOCHROME1 says how to show them, not what they are.
QUANTITIES = ("CT", "PT", "RTDOSE", "NM", "MR", "SEG")


def functional(ds: Dataset, frame: int, name: str) -> Dataset | None:
    """Return what a frame of an enhanced file says under a name, or all of its frames together.

    See: DICOM PS3.3 C.7.6.16
    """
    for group, at in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        items = ds.get(group) or ()
        if at < len(items) and items[at].get(name):
            found: Dataset = items[at][name].value[0]
            return found
    return None


def measured(ds: Dataset, stored: NDArray[Any], where: str, from_file: bool) -> Voxels:
    """Return the values of grey frames as they were measured or, `from_file`, as the file wants them shown (0..1).

    Inverted grey (MONOCHROME1) is turned where the values are no quantities. Padding, where nothing was measured,
    becomes air in CT and elsewhere the darkest value of the file.

    Shapes: stored [F, Y, X] -> [F, Y, X].
    """
    made = np.empty(stored.shape, dtype=np.float32)
    padding = _padding(ds, stored)
    inverted = ds.PhotometricInterpretation == "MONOCHROME1" and (from_file or ds.get("Modality") not in QUANTITIES)
    for at, frame in enumerate(stored):
        values, (low, high) = _modality(ds, frame, at, where)
        _physical(ds, values if padding is None else values[~padding[at]], where)
        if from_file:
            values, low, high = _shown(ds, values, at, where), 0.0, 1.0
        made[at] = low + high - values if inverted else values
    if padding is not None and padding.any() and not padding.all():
        air = ds.get("Modality") == "CT" and not from_file
        made[padding] = HOUNSFIELD_AIR if air else made[~padding].min()
    return made


def _modality(ds: Dataset, frame: NDArray[Any], at: int, where: str) -> tuple[NDArray[Any], tuple[float, float]]:
    """Return the values of a frame and the range they can have."""
    bits = int(ds.get("BitsStored") or 16)
    ends = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if ds.get("PixelRepresentation") else (0.0, 2.0**bits - 1)
    if ds.get("ModalityLUTSequence"):
        depth = int(ds.ModalityLUTSequence[0].LUTDescriptor[2])
        return apply_modality_lut(frame, ds), (0.0, 2.0**depth - 1)
    rule = functional(ds, at, "PixelValueTransformationSequence") or ds
    slope, intercept = rule.get("RescaleSlope"), rule.get("RescaleIntercept")
    if ds.get("Modality") == "CT" and intercept is None:
        raise ScanError("no_rescale", f"{where}: is CT that does not say how its values become Hounsfield units.")
    scale = float(1 if slope is None else slope)
    if ds.get("Modality") == "RTDOSE":
        scale *= float(ds.get("DoseGridScaling") or 1)
    shift = float(intercept or 0)
    if not np.isfinite([scale, shift]).all() or scale == 0:
        raise ScanError("bad_rescale", f"{where}: a rescale slope of {scale:g} and intercept of {shift:g} is none.")
    return frame * np.float64(scale) + shift, (ends[0] * scale + shift, ends[1] * scale + shift)


def _physical(ds: Dataset, values: NDArray[Any], where: str) -> None:
    """Refuse Hounsfield units that nothing has: the scale of the file is wrong."""
    furthest = float(np.abs(values).max(initial=0.0)) if ds.get("Modality") == "CT" else 0.0
    if furthest > MOST_HOUNSFIELD:
        raise ScanError(
            "bad_rescale", f"{where}: has {furthest:g} Hounsfield units; correct RescaleSlope and RescaleIntercept."
        )


def _shown(ds: Dataset, values: NDArray[Any], at: int, where: str) -> NDArray[Any]:
    """Apply the table or window the file asks for.

    See: DICOM PS3.3 C.11.2.1
    """
    if ds.get("VOILUTSequence"):
        depth = int(ds.VOILUTSequence[0].LUTDescriptor[2])
        return apply_voi(np.rint(values).astype(np.int64), ds) / (2.0**depth - 1)
    rule = functional(ds, at, "FrameVOILUTSequence") or ds
    centre, width = first(rule.get("WindowCenter")), first(rule.get("WindowWidth"))
    if centre is None or width is None:
        raise ScanError("no_window", f"{where}: asks for no window; name one, or auto.")
    how = str(rule.get("VOILUTFunction") or "LINEAR")
    if not width >= (1 if how == "LINEAR" else 1e-12):
        raise ScanError("bad_window", f"{where}: a window {width:g} wide shows nothing; name one, or auto.")
    if how == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if how == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def first(value: Any) -> float | None:
    """Return the first of several numbers, None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, str | int | float) or not hasattr(value, "__len__"):
        return float(value)
    return float(value[0]) if len(value) else None


def _padding(ds: Dataset, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return where nothing was measured.

    See: DICOM PS3.3 C.7.5.1.1.2
    """
    ends = list(_bounds(ds))
    if not ends:
        return None
    low, high = min(ends), max(ends)
    return (stored >= low) & (stored <= high)


def _bounds(ds: Dataset) -> Iterator[int]:
    for name in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        value = ds.get(name)
        if isinstance(value, int):
            bits = int(ds.get("BitsStored") or 16)
            signed = bool(ds.get("PixelRepresentation"))
            wrapped = value - 2**16 if signed and value >= 2**15 else value  # written as unsigned
            yield wrapped % 2**bits if not signed and wrapped < 0 else wrapped
