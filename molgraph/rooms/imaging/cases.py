"""Scans and masks on the grid that a network sees, and what it found back in the scan's own space."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph.rooms.imaging import geometry, intensity
from molgraph.rooms.imaging.boxes import SURE
from molgraph.rooms.imaging.patches import Case
from molgraph.rooms.imaging.scan import Scan, ScanError, read_scan
from molgraph.rooms.imaging.source import load
from molgraph.rooms.imaging.store import Stack
from molgraph.rooms.imaging.view import eight_bits

SLAB = 16  # slices of a scan that are filled at once

Affine = NDArray[np.float64]


def as_it_lies(text: str) -> Scan:
    """Read the one scan that a text names, on its own voxels; its sequences (`t1.nii|flair.nii`) are its channels.

    Raises: ScanError where it cannot be read or there are several.
    """
    found = load(text, canonical=False)
    if len(found) > 1:
        raise ScanError("several_scans", f"{text}: names {len(found)} scans; lesions are found in one at a time.")
    return found[0]


def on_grid(scan: Scan, spacing: float, window: str, where: str) -> tuple[Tensor, Affine]:
    """Return a scan as a network sees it, uint8 [C, Z, Y, X] with voxels of `spacing` mm, and its affine.

    Raises: ScanError where the scan does not say where its voxels lie, or the window shows nothing of it.
    """
    if scan.affine is None:
        raise ScanError("no_affine", f"{where}: does not say where its voxels lie, so nothing found could be placed.")
    seen = geometry.resample(geometry.canonical(scan, where), spacing, where)
    seen = intensity.normalise(seen, window, where)
    assert seen.affine is not None  # as it had one before
    return torch.from_numpy(eight_bits(seen.voxels)), seen.affine


def read_case(scan_file: str, mask_file: str, spacing: float, window: str) -> Case:
    """Read a scan and the mask of its lesions, which may lie on another grid in the same space.

    Raises: ScanError where a file cannot be read, the mask lies elsewhere, or it marks something that is lost at this
    spacing.
    """
    voxels, affine = on_grid(as_it_lies(scan_file), spacing, window, scan_file)
    mask = read_scan(mask_file, mask=True)
    if mask.affine is None:
        raise ScanError("no_affine", f"{mask_file}: does not say where its voxels lie.")
    marked: NDArray[np.float32] = mask.voxels.max(0, keepdims=True).clip(0, 1)
    like = Scan(np.empty((1, *voxels.shape[1:]), np.float32), affine)
    here = geometry.onto(marked, mask.affine, like)[0] >= SURE
    if marked.any() and not here.any():
        raise ScanError(
            "mask_elsewhere",
            f"{mask_file}: marks {int(marked.sum())} voxels, none of them in {scan_file} at {spacing:g} mm.",
        )
    return Case.of(scan_file, voxels, torch.from_numpy(here.astype(np.uint8)), affine)


def shelved(cases: Iterable[Case]) -> list[Case]:
    """Return the cases with all voxels and masks in one store, which lies in a file where it is large."""
    store = Stack((), np.uint8)
    outlines = []
    for case in cases:
        for volume in (case.voxels, case.mask):
            store.append(volume.numpy().reshape(-1))
        outlines.append(replace(case, voxels=case.voxels.to("meta"), mask=case.mask.to("meta")))  # shapes alone
    volumes = [volume for case in outlines for volume in (case.voxels, case.mask)]
    filled = iter(store.tensor().split([volume.numel() for volume in volumes]))
    return [
        replace(case, voxels=next(filled).view(case.voxels.shape), mask=next(filled).view(case.mask.shape))
        for case in outlines
    ]


def in_own_space(chance: NDArray[np.float32], affine: Affine, scan: Scan) -> NDArray[np.uint8]:
    """Return the mask of a scan in the scan's own voxels, uint8 [Z, Y, X], slab by slab.

    Shapes: `chance` [Z, Y, X], the probabilities on the grid of `affine`.
    """
    assert scan.affine is not None  # it was seen on a grid
    mask = np.zeros(scan.voxels.shape[1:], dtype=np.uint8)
    for begin in range(0, len(mask), SLAB):
        part = scan.voxels[:1, begin : begin + SLAB]
        move = np.eye(4)
        move[2, 3] = begin
        slab = replace(scan, voxels=part, affine=scan.affine @ move)
        mask[begin : begin + SLAB] = geometry.onto(chance[None], affine, slab)[0] >= SURE
    return mask
