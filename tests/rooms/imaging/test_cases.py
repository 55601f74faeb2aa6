from __future__ import annotations

from functools import partial
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import torch

from molgraph.rooms.imaging.cases import in_own_space, on_grid, read_case, shelved
from molgraph.rooms.imaging.geometry import to_voxel, to_world
from molgraph.rooms.imaging.patches import Case
from molgraph.rooms.imaging.scan import Scan, ScanError, read_scan
from molgraph.rooms.imaging.store import Stack
from molgraph.rooms.imaging.write import save_nifti

ORIENTATIONS = [(order, flips) for order in permutations(range(3)) for flips in product((1, -1), repeat=3)]


def turned(order: tuple[int, ...], flips: tuple[int, ...]) -> np.ndarray:
    """Return an affine whose voxel axes run along the world's axes in any order and direction, 1.2 to 2.5 mm apart."""
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[list(order)].T * np.array(flips) * np.array([1.2, 1.6, 2.5])
    affine[:3, 3] = -20, 11, 33
    return affine


def write_pair(folder: Path, affine: np.ndarray) -> tuple[Path, Path, np.ndarray]:
    """Write a scan with a bright block, and its mask; return their files and the world place of the block's middle."""
    volume = np.full((14, 24, 26), -900, np.int16)
    volume[5:9, 8:14, 15:21] = 40
    save_nifti(folder / "scan.nii.gz", volume, affine)
    save_nifti(folder / "mask.nii.gz", (volume > 0).astype(np.uint8), affine)
    return folder / "scan.nii.gz", folder / "mask.nii.gz", to_world(affine, [17.5, 10.5, 6.5])


@pytest.mark.parametrize(("order", "flips"), ORIENTATIONS)
def test_scan_and_mask_meet_whatever_the_orientation(
    order: tuple[int, ...], flips: tuple[int, ...], tmp_path: Path
) -> None:
    scan, mask, middle = write_pair(tmp_path, turned(order, flips))
    case = read_case(str(scan), str(mask), 1.25, "lung")
    marked = np.argwhere(case.mask.numpy() > 0)
    assert to_world(case.affine, marked.mean(0)[::-1]) == pytest.approx(middle, abs=0.5)
    bright = np.argwhere(case.voxels[0].numpy() > 128)
    assert bright.mean(0) == pytest.approx(marked.mean(0), abs=0.5)
    volume = (4 * 6 * 6) * 1.2 * 1.6 * 2.5
    assert len(marked) * abs(np.linalg.det(case.affine[:3, :3])) == pytest.approx(volume, rel=0.2)
    assert len(case.lesions) == 1


@pytest.mark.parametrize(("order", "flips"), ORIENTATIONS[::5])
def test_what_was_found_lies_on_the_scans_own_voxels(
    order: tuple[int, ...], flips: tuple[int, ...], tmp_path: Path
) -> None:
    file, mask, _ = write_pair(tmp_path, turned(order, flips))
    case = read_case(str(file), str(mask), 1.25, "lung")
    own = read_scan(file, canonical=False)
    back = in_own_space(case.mask.numpy().astype(np.float32), case.affine, own)
    truth = read_scan(mask, canonical=False, mask=True).voxels[0] > 0
    assert back.shape == own.voxels.shape[1:] and back.dtype == np.uint8
    assert (back & truth).sum() * 2 / (back.sum() + truth.sum()) > 0.85


def test_a_mask_on_another_grid_is_laid_over_the_scan(tmp_path: Path) -> None:
    scan, mask, middle = write_pair(tmp_path, turned((0, 1, 2), (1, 1, 1)))
    fine = read_scan(mask, spacing=0.8, mask=True)
    assert fine.affine is not None
    save_nifti(tmp_path / "fine.nii.gz", fine.voxels[0].astype(np.uint8), fine.affine)
    case = read_case(str(scan), str(tmp_path / "fine.nii.gz"), 1.25, "lung")
    found = to_world(case.affine, np.argwhere(case.mask.numpy() > 0).mean(0)[::-1])
    assert found == pytest.approx(middle, abs=0.8 / 2 + 1.25 / 2)  # half a voxel of either grid


def test_a_mask_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    scan, mask, _ = write_pair(tmp_path, turned((0, 1, 2), (1, 1, 1)))
    moved = turned((0, 1, 2), (1, 1, 1))
    moved[:3, 3] += 500
    save_nifti(mask, read_scan(mask, canonical=False, mask=True).voxels[0].astype(np.uint8), moved)
    with pytest.raises(ScanError, match="none of them in"):
        read_case(str(scan), str(mask), 1.25, "lung")


def test_an_empty_mask_is_a_healthy_scan(tmp_path: Path) -> None:
    scan, mask, _ = write_pair(tmp_path, turned((0, 1, 2), (1, 1, 1)))
    save_nifti(mask, np.zeros((14, 24, 26), np.uint8), turned((0, 1, 2), (1, 1, 1)))
    assert read_case(str(scan), str(mask), 1.25, "lung").lesions == ()


@pytest.mark.parametrize("in_memory", [1 << 30, 100])
def test_many_cases_lie_in_one_store(in_memory: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOLGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("molgraph.rooms.imaging.cases.Stack", partial(Stack, in_memory=in_memory))
    made = []
    for seed, shape in enumerate([(3, 4, 5), (6, 2, 3)]):
        voxels, mask = torch.randint(0, 256, (2, *shape), dtype=torch.uint8), torch.zeros(shape, dtype=torch.uint8)
        mask[1, 1, 1] = 1
        made.append(Case.of(str(seed), voxels, mask, np.eye(4)))
    kept = shelved(iter(made))
    for before, after in zip(made, kept, strict=True):
        assert torch.equal(before.voxels, after.voxels) and torch.equal(before.mask, after.mask)
        assert after.name == before.name and len(after.lesions) == 1
    assert shelved([]) == []


def test_sequences_are_channels_and_several_scans_are_refused(tmp_path: Path) -> None:
    scan, mask, _ = write_pair(tmp_path, turned((2, 1, 0), (1, -1, 1)))
    case = read_case(f"{scan}|{scan}", str(mask), 1.25, "lung")
    assert len(case.voxels) == 2 and bool((case.voxels[0] == case.voxels[1]).all())
    with pytest.raises(ScanError, match="names 2 scans"):
        read_case(f"{scan};{scan}", str(mask), 1.25, "lung")


def test_a_scan_without_a_place_is_refused() -> None:
    with pytest.raises(ScanError, match="does not say where its voxels lie"):
        on_grid(Scan(np.zeros((1, 4, 4, 4), np.float32)), 1.0, "lung", "x.npz")


def test_a_known_voxel_stays_at_its_world_coordinate(tmp_path: Path) -> None:
    affine = turned((2, 0, 1), (1, -1, 1))
    volume = np.full((20, 22, 24), -900, np.int16)
    volume[11, 7, 15] = 2000
    save_nifti(tmp_path / "scan.nii", volume, affine)
    voxels, grid = on_grid(read_scan(tmp_path / "scan.nii", canonical=False), 1.0, "lung", "scan")
    brightest = np.unravel_index(int(voxels[0].argmax()), voxels.shape[1:])[::-1]
    assert np.abs(to_voxel(grid, to_world(affine, [15, 7, 11])) - np.array(brightest)).max() < 1.0
