"""Scans made for the tests: DICOM slices and series of any plane, NIfTI of any orientation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ORIENTATIONS = [(order, flips) for order in permutations(range(3)) for flips in product((1, -1), repeat=3)]
Write = Callable[..., Path]


@pytest.fixture
def write_slice() -> Write:
    """Return a function that writes one DICOM picture: stored values [Y, X] or [F, Y, X], any element by keyword."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

    def write(path: Path, stored: np.ndarray, **elements: Any) -> Path:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.2")
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPInstanceUID = elements.get("SOPInstanceUID") or generate_uid()
        ds = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        ds.Modality, ds.PatientID, ds.SeriesInstanceUID, ds.StudyInstanceUID = "MR", "p1", "1.2.3", "1.2"
        colour = stored.shape[-1] == 3 and stored.ndim > 2
        ds.Rows, ds.Columns = stored.shape[-3:-1] if colour else stored.shape[-2:]
        ds.SamplesPerPixel = 3 if colour else 1
        if colour:
            ds.PlanarConfiguration = 0
        ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
        ds.BitsAllocated = ds.BitsStored = stored.dtype.itemsize * 8
        ds.HighBit = ds.BitsStored - 1
        ds.PixelRepresentation = int(stored.dtype.kind == "i")
        ds.PixelData = stored.tobytes()
        for name, value in elements.items():
            setattr(ds, name, value)
        ds.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def write_series(write_slice: Write) -> Write:
    """Return a function that writes a folder of slices of a volume [Z, Y, X] with the LPS affine [4, 4] given."""

    def write(
        folder: Path, volume: np.ndarray, lps: np.ndarray, *, skip: tuple[int, ...] = (), **elements: Any
    ) -> Path:
        folder.mkdir(exist_ok=True)
        edges = np.linalg.norm(lps[:3, :3], axis=0)
        names = np.random.default_rng(0).permutation(len(volume))  # file names say nothing of the order
        for z, (name, stored) in enumerate(zip(names, volume, strict=True)):
            if z not in skip:
                place = {
                    "ImageOrientationPatient": [*(lps[:3, 0] / edges[0]), *(lps[:3, 1] / edges[1])],
                    "ImagePositionPatient": list(lps[:3, 3] + z * lps[:3, 2]),
                    "PixelSpacing": [edges[1], edges[0]],
                    "InstanceNumber": len(volume) - z,
                }
                place = {k: [f"{v:.10g}" for v in vs] if isinstance(vs, list) else vs for k, vs in place.items()}
                write_slice(folder / f"IM{name:03}", stored, **{**place, **elements})
        return folder

    return write


@pytest.fixture
def world() -> Callable[[np.ndarray, tuple[int, int, int]], np.ndarray]:
    """Return a function that makes voxels [3, Z, Y, X] that hold their own places in mm."""

    def make(affine: np.ndarray, sizes: tuple[int, int, int]) -> np.ndarray:
        x, y, z = np.meshgrid(*map(np.arange, sizes), indexing="ij")
        places = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ affine.T
        return np.ascontiguousarray(places[..., :3].T, dtype=np.float32)

    return make


@pytest.fixture(
    params=ORIENTATIONS, ids=lambda param: "".join("RAS"[a] if s > 0 else "LPI"[a] for a, s in zip(*param, strict=True))
)
def orientation(request: pytest.FixtureRequest) -> np.ndarray:
    """Return an affine (RAS+) of one of the 48 ways in which voxel axes run along a patient's, slightly oblique."""
    order, flips = request.param
    turn = np.zeros((3, 3))
    for voxel, (along, flip) in enumerate(zip(order, flips, strict=True)):
        turn[along, voxel] = flip
    a, b = np.deg2rad(7), np.deg2rad(-4)
    tilt = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    affine = np.eye(4)
    affine[:3, :3] = tilt @ turn @ np.diag([0.9, 1.3, 2.5])
    affine[:3, 3] = [-31.0, 12.5, 140.0]
    return affine
