"""Where a model looked, over the scan itself: a picture for the eye, a volume in the scan's own space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.data.files import atomic
from molgraph.data.room import Shown
from molgraph.errors import Reject
from molgraph.metrics import pointing
from molgraph.rooms.imaging.draw import png
from molgraph.rooms.imaging.geometry import as_it_lay, is_sheared, onto
from molgraph.rooms.imaging.glance import blend, faced, glance
from molgraph.rooms.imaging.scan import Scan, ScanError, read_scan
from molgraph.rooms.imaging.source import BAG, load, names_of
from molgraph.rooms.imaging.view import View, resized
from molgraph.rooms.imaging.write import save_nifti

Floats = NDArray[np.float32]
SIDE = 256  # pixels of the longer side up to which a small picture is enlarged
TILE, ACROSS = 128, 4  # pixels of a slice in a montage, slices in a row and in a column


def show(key: str, feature: str, maps: Floats, goal: Path, mask: str = "") -> Shown | Reject:
    """Write attributions over the scans of a key and return the files' names, or the reason why there are none.

    A picture becomes `<goal>.png`. A volume becomes `<goal>.nii.gz`, the attributions themselves on the voxels and with
    the affine of its file, and `<goal>.png`, the slice with the highest one among others. Of several scans the second
    has `<goal>-2`, and so on. Colour is what speaks for the estimate, relative to the most of all scans of the key.

    Shapes: `maps` [n, *shape], what the feature has of the part. `mask` names a mask for each scan, `;` between them.
    """
    try:
        return _shown(key, feature, maps, goal, mask)
    except ScanError as error:  # a file that is no longer there, a mask that does not fit
        return Reject(0, key, error.reason, error.message)


def _shown(key: str, feature: str, maps: Floats, goal: Path, mask: str) -> Shown:
    view, scans = View.parse(feature), load(key)
    marks, heats = _masks(mask, scans), _parted(view, maps, scans)
    most = max(float(heat.max()) for heat in heats)
    looked = [(heat.clip(0) / (most if most > 0 else 1.0)).astype(np.float32) for heat in heats]
    files: list[str] = []
    for at, (scan, heat, names) in enumerate(zip(scans, heats, names_of(key), strict=True)):
        path = goal.with_name(f"{goal.name}-{at + 1}" if at else goal.name)
        files.append(f"{path.name}.png")
        with atomic(path.with_name(files[-1])) as file:
            file.write(png(_overlay(scan, looked[at], key)))
        if len(heat) > 1:
            files.append(f"{path.name}.nii.gz")
            _save(path.with_name(files[-1]), heat, scan, names[0])
    seen = glance(scans, looked, key)
    if not marks:
        return Shown(tuple(files), float("nan"), float("nan"), *seen)
    marked = np.concatenate([mark.ravel() for mark in marks])
    hit = pointing(np.concatenate([heat.ravel() for heat in heats]), marked)
    return Shown(tuple(files), hit, float(marked.mean()), *seen)


def _parted(view: View, maps: Floats, scans: list[Scan]) -> list[Floats]:
    """Return the attributions of each scan, [Z, Y, X]."""
    heats, begin = [], 0
    for scan in scans:
        depth = scan.voxels.shape[1]
        count = min(view.slices or depth, depth) if view.flat else 1
        heats.append(view.back(maps[begin : begin + count], scan))
        begin += count
    return heats


def _masks(mask: str, scans: list[Scan]) -> list[NDArray[np.bool_]]:
    """Return the mask of each scan, none where none is named."""
    names = mask.split(BAG) if mask else []
    if names and len(names) != len(scans):
        raise ScanError("mask_elsewhere", f"{mask}: {len(names)} masks for {len(scans)} scans; name one for each.")
    return [_mask(name, scan) for name, scan in zip(names, scans, strict=False)]


def _mask(name: str, scan: Scan) -> NDArray[np.bool_]:
    mask = read_scan(name, mask=True).voxels.max(0) > 0
    if mask.shape != scan.voxels.shape[1:]:
        size, wanted = ("x".join(map(str, shape)) for shape in (mask.shape, scan.voxels.shape[1:]))
        raise ScanError("mask_elsewhere", f"{name}: has {size} voxels (z, y, x), its scan {wanted}.")
    found: NDArray[np.bool_] = mask
    return found


def _save(path: Path, heat: Floats, scan: Scan, name: str) -> None:
    """Write a volume where the file has it; where that does not say, only the edges of a voxel are known."""
    stored = read_scan(name, canonical=False) if scan.affine is not None else scan
    if scan.affine is None or stored.affine is None:
        save_nifti(path, heat, np.diag([*(scan.spacing or (1.0, 1.0, 1.0)), 1.0]))
    elif is_sheared(stored):
        save_nifti(path, onto(heat[None], scan.affine, stored)[0], stored.affine)
    else:
        save_nifti(path, as_it_lay(heat, stored.affine), stored.affine)


def _overlay(scan: Scan, looked: Floats, key: str) -> NDArray[np.uint8]:
    """Return a picture, or slices of a volume side by side, with colour where the model looked: uint8 [Y, X, 3]."""
    shown, looked = faced(scan, looked, key)
    if shown.shape[1] == 1:
        return blend(shown[:, 0], looked[0], max(SIDE // max(looked.shape[1:]), 1))
    return _montage(shown, looked)


def _montage(shown: Floats, looked: Floats) -> NDArray[np.uint8]:
    """Return slices from bottom to top, row by row: the one with the most colour, others at equal steps."""
    count = min(len(looked), ACROSS * ACROSS)
    chosen = set(np.linspace(0, len(looked) - 1, count).round().astype(int).tolist())
    best = int(looked.max(axis=(1, 2)).argmax())
    chosen = {*sorted(chosen, key=lambda at: abs(at - best))[1 if best not in chosen else 0 :], best}
    scale = min(TILE / max(looked.shape[1:]), 1.0)
    size = tuple(max(round(side * scale), 1) for side in looked.shape[1:])
    times = max(TILE // max(size), 1)
    tiles = [blend(resized(shown[:, at], size), resized(looked[at], size), times) for at in sorted(chosen)]
    across = min(len(tiles), ACROSS)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % across)
    rows: list[Any] = [np.concatenate(tiles[at : at + across], axis=1) for at in range(0, len(tiles), across)]
    return np.concatenate(rows)
