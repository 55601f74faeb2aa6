from __future__ import annotations

import numpy as np
import pytest
import torch

from molgraph.rooms.imaging.patches import LEVELS, VOXELS, Case, Patches, cut_out


@pytest.fixture
def cases() -> list[Case]:
    """Return two scans whose voxels say where they are, with one and no lesion."""
    voxels = torch.arange(20 * 24 * 28, dtype=torch.int64).remainder(251).to(torch.uint8).reshape(1, 20, 24, 28)
    mask = torch.zeros(20, 24, 28, dtype=torch.uint8)
    mask[5:8, 10:14, 3:6] = 1
    return [Case.of("a", voxels, mask, np.eye(4)), Case.of("b", voxels, torch.zeros_like(mask), np.eye(4))]


def test_lesions_are_voxels_that_touch(cases: list[Case]) -> None:
    assert len(cases[0].lesions) == 1 and cases[1].lesions == ()
    assert len(cases[0].lesions[0]) == 36
    mask = cases[0].mask.clone()
    mask[18, 20, 20] = 1
    assert sorted(len(lesion) for lesion in Case.of("c", cases[0].voxels, mask, np.eye(4)).lesions) == [1, 36]


def test_patches_depend_on_seed_epoch_and_row_alone(cases: list[Case]) -> None:
    data = Patches.draw(cases, 8, 4, 0.5, seed=3, augment=True)
    assert len(data) == 8 and data.ids == ("a",) * 4 + ("b",) * 4
    whole, alone = data.batch(torch.arange(8), 2), data.batch(torch.tensor([5]), 2)
    parts, _ = alone.single()
    assert torch.equal(whole.single()[0].values[VOXELS][5], parts.values[VOXELS][0])
    assert torch.equal(whole.targets.take(torch.tensor([5])).values, alone.targets.values)
    other = data.batch(torch.arange(8), 3).single()[0].values[VOXELS]
    assert not torch.equal(other, whole.single()[0].values[VOXELS])
    assert whole.targets.offsets is not None and whole.targets.offsets.tolist() == [512 * i for i in range(9)]


def test_a_patch_and_its_mask_are_of_one_place(cases: list[Case]) -> None:
    data = Patches.draw(cases[:1], 8, 40, 0.5, seed=1)
    batch = data.batch(torch.arange(40))
    voxels = (batch.single()[0].values[VOXELS] * LEVELS).round().to(torch.uint8).reshape(-1)
    marked = batch.targets.values[:, 0] > 0
    lesion = set(cases[0].voxels[0][cases[0].mask > 0].tolist())
    assert marked.any() and set(voxels[marked].tolist()) <= lesion


def test_foreground_patches_hold_the_lesion(cases: list[Case]) -> None:
    for share, low, high in ((1.0, 1.0, 1.0), (0.0, 0.0, 0.4), (0.5, 0.4, 0.85)):
        batch = Patches.draw(cases[:1], 8, 200, share).batch(torch.arange(200))
        holds = (batch.targets.values.reshape(200, -1) > 0).any(1).float().mean()
        assert low <= float(holds) <= high


def test_what_lies_outside_of_the_scan_is_no_target(cases: list[Case]) -> None:
    batch = Patches.draw(cases, 32, 3, 0.0).batch(torch.arange(6))  # larger than the scan on every side
    assert int(batch.targets.observed.sum()) == 6 * 20 * 24 * 28
    outside = batch.single()[0].values[VOXELS].reshape(-1)[~batch.targets.observed[:, 0]]
    assert float(outside.abs().max()) == 0.0


def test_augmentation_flips_voxels_and_mask_alike(cases: list[Case]) -> None:
    plain, varied = (Patches.draw(cases[:1], 8, 30, 1.0, augment=a).batch(torch.arange(30)) for a in (False, True))
    sizes = [batch.targets.values.reshape(30, -1).sum(1) for batch in (plain, varied)]
    assert torch.equal(*sizes)
    assert not torch.equal(plain.targets.values, varied.targets.values)


def test_cut_out_by_hand() -> None:
    volume = torch.arange(1, 28).reshape(1, 3, 3, 3)
    cube, inside = cut_out(volume, np.array([1, -1, 2]), 2)
    assert cube[0, :, 1, 0].tolist() == [12, 21] and int(cube.count_nonzero()) == int(inside.sum()) == 2
    nothing, inside = cut_out(volume, np.array([9, 0, 0]), 2)
    assert not nothing.any() and not inside.any()
