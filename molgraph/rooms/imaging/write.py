"""Volumes and phantoms to files."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.files import atomic
from molgraph.rooms.imaging.phantom import PLACE, Chest


def save_nifti(path: Path, volume: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Write a volume [Z, Y, X] as `.nii` or `.nii.gz`; `affine` takes voxels (x, y, z) to world mm (RAS+)."""
    import nibabel

    nifti: Any = nibabel.Nifti1Image
    image = nifti(volume.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    with atomic(path) as file:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed:
                image.to_stream(packed)
        else:
            image.to_stream(file)


def write_chests(folder: Path, chests: Iterable[Chest]) -> Path:
    """Write chest phantoms as NIfTI with their masks; return `labels.csv`, one line per scan.

    `nodules.csv`, beside it, has one line per nodule: place and size in mm (RAS+), diameter and contrast.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scans, nodules = [], []
    for number, made in enumerate(chests):
        scan, mask = f"scan-{number:03d}.nii.gz", f"mask-{number:03d}.nii.gz"
        save_nifti(folder / scan, made.voxels[0].astype(np.int16), made.affine)
        save_nifti(folder / mask, (made.mask > 0).astype(np.uint8), made.affine)
        scans.append({"scan": scan, "mask": mask, "patient": f"phantom {number}", "nodules": len(made.nodules)})
        nodules += [{"scan": scan, **nodule.row} for nodule in made.nodules]
    columns = ["scan", *PLACE, "diameter", "contrast"]
    for name, frame in (("nodules", pd.DataFrame(nodules, columns=columns)), ("labels", pd.DataFrame(scans))):
        with atomic(folder / f"{name}.csv") as file:
            file.write(frame.to_csv(index=False, lineterminator="\n").encode())
    return folder / "labels.csv"
