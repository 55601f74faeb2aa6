"""Sequences side by side: only those that lie at one place."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from molgraph.rooms.imaging.scan import ScanError
from molgraph.rooms.imaging.source import load


def saved(path: Path, affine: np.ndarray | None, shape: tuple[int, ...] = (6, 5, 4)) -> str:
    voxels = np.random.default_rng(len(path.name)).random(shape).astype(np.float32)
    nib.save(nib.Nifti1Image(voxels, affine), path)
    return str(path)


def moved(*, by: float = 0.0, edge: float = 1.0, turn: float = 0.0) -> np.ndarray:
    affine = np.diag([edge, edge, 2.0, 1.0])
    affine[:2, :2] = affine[:2, :2] @ [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    affine[2, 3] = by
    return affine


@pytest.mark.parametrize(
    "other", [moved(by=60), moved(by=0.2), moved(edge=1.5), moved(turn=0.1), np.diag([1, -1, 2, 1])]
)
def test_sequences_at_other_places_are_refused(other: np.ndarray, tmp_path: Path) -> None:
    names = [saved(tmp_path / "flair.nii", moved()), saved(tmp_path / "t1.nii", other)]
    with pytest.raises(ScanError, match="register and resample") as refused:
        load("|".join(names))
    assert refused.value.reason == "place_mismatch"
    assert len(load(";".join(names))) == 2, "scans of one patient may lie anywhere"


def test_sequences_at_one_place_are_channels(tmp_path: Path) -> None:
    first = saved(tmp_path / "flair.nii", moved())
    (near,) = load(f"{first}|{saved(tmp_path / 't1.nii', moved(by=0.05))}")
    assert near.voxels.shape == (2, 4, 5, 6)
    turned = np.array([[-1.0, 0, 0, 5], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])
    (stored_otherwise,) = load(f"{first}|{saved(tmp_path / 't2.nii', turned)}")
    assert len(stored_otherwise.voxels) == 2, "other axes of the file, the same place"


def test_without_a_place_the_size_of_the_voxels_counts(tmp_path: Path) -> None:
    placed, loose = saved(tmp_path / "flair.nii", moved()), saved(tmp_path / "t1.nii", None)
    image = nib.load(loose)
    image.header.set_zooms((1.5, 1, 2))
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), tmp_path / "large.nii")
    with pytest.raises(ScanError, match="apart"):
        load(f"{loose}|{tmp_path / 'large.nii'}")
    image.header.set_zooms((1, 1, 2))
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), tmp_path / "same.nii")
    assert len(load(f"{placed}|{tmp_path / 'same.nii'}")[0].voxels) == 2
    for at in range(2):
        Image.fromarray(np.random.default_rng(at).integers(0, 255, (8, 8), dtype=np.uint8)).save(tmp_path / f"{at}.png")
    assert len(load(f"{tmp_path / '0.png'}|{tmp_path / '1.png'}")[0].voxels) == 2
