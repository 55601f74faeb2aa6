"""Where a model looked, at a glance: two small pictures and words; and how colour lies over a scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from molgraph.rooms.imaging.draw import png
from molgraph.rooms.imaging.intensity import AUTO, normalise
from molgraph.rooms.imaging.scan import Scan
from molgraph.rooms.imaging.view import eight_bits, resized

Floats = NDArray[np.float32]
SMALL = 192  # pixels of the longer side of what a page shows
WEAK, STRONG, COVER = (200.0, 0.0, 0.0), (255.0, 255.0, 0.0), 0.65  # red to yellow; how much of the scan is covered
DOWN, ALONG = ("upper", "middle", "lower"), ("left", "centre", "right")


def faced(scan: Scan, looked: Floats, key: str) -> tuple[Floats, Floats]:
    """Return a scan and what lies over it as one looks at them: [3, Z, Y, X] in [0, 1] and [Z, Y, X]."""
    seen = normalise(scan, AUTO, key).voxels
    shown = seen if len(seen) == 3 and not scan.modality else np.repeat(seen[:1], 3, axis=0)
    if scan.affine is not None and shown.shape[1] > 1:  # RAS+: the front and the patient's right belong up and left
        return shown[:, :, ::-1, ::-1], looked[:, ::-1, ::-1]
    return shown, looked


def blend(shown: Floats, looked: Floats, times: int) -> NDArray[np.uint8]:
    """Lay colour over a picture, each pixel `times` as large: [3, Y, X] and [Y, X] to uint8."""
    part = looked[..., None]
    colour = np.array(WEAK, np.float32) * (1 - part) + np.array(STRONG, np.float32) * part
    grey = 255 * np.moveaxis(shown, 0, -1)
    made = eight_bits(((grey + COVER * part * (colour - grey)) / 255).astype(np.float32))
    return made.repeat(times, axis=0).repeat(times, axis=1)


def glance(scans: Sequence[Scan], looked: Sequence[Floats], key: str) -> tuple[tuple[bytes, ...], str]:
    """Return the slice where a model looked most, plain and with colour over it, as PNG, and say where that is.

    Shapes: `looked` [Z, Y, X] each, 0 to 1.
    """
    at = max(range(len(scans)), key=lambda each: float(looked[each].max()))
    shown, over = faced(scans[at], looked[at], key)
    z = int(over.max(axis=(1, 2)).argmax()) if over.max() > 0 else len(over) // 2
    scale = min(SMALL / max(over.shape[1:]), 1.0)
    size = tuple(max(round(side * scale), 1) for side in over.shape[1:])
    times = max(SMALL // max(size), 1)
    plain, colour = resized(shown[:, z], size), resized(over[z], size)
    pictures = tuple(png(blend(plain, part, times)) for part in (np.zeros_like(colour), colour))
    number = f"scan {at + 1} of {len(scans)}, " if len(scans) > 1 else ""
    return pictures, _words(over, z, number, [part.ravel() for part in looked])


def _words(over: Floats, z: int, number: str, all_parts: Sequence[Floats]) -> str:
    """Say where the highest point is, and on how much of the scans half of all colour lies."""
    if not over.max() > 0:
        return "Nothing in it speaks for the estimate."
    y, x = np.unravel_index(int(over[z].argmax()), over[z].shape)
    place = f"{DOWN[3 * int(y) // over.shape[1]]} {ALONG[3 * int(x) // over.shape[2]]}"
    place = "centre" if place == "middle centre" else place
    whole = f"slice {z + 1} of {len(over)}" if len(over) > 1 else "the picture"
    ranked = np.sort(np.concatenate(list(all_parts)))[::-1].cumsum(dtype=np.float64)
    share = (int(np.searchsorted(ranked, ranked[-1] / 2)) + 1) / len(ranked)
    half = f"half of all that speaks for the estimate lies on {100 * share:.1f} % of it"
    return f"Most at the {place} of {number}{whole}; {half}."
