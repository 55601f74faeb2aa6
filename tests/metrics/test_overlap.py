from __future__ import annotations

import numpy as np
import pytest

from molgraph.metrics import average, box_iou, dice, pointing


def test_dice_by_hand() -> None:
    truth = np.zeros((4, 4, 4), bool)
    truth[:2] = True  # 32 voxels
    found = np.zeros_like(truth)
    found[1:3] = True  # 32, of which 16 are right
    assert dice(truth, found) == 0.5
    assert dice(truth, truth) == 1.0
    assert dice(truth, np.zeros_like(truth)) == 0.0
    assert np.isnan(dice(np.zeros(3), np.zeros(3)))
    with pytest.raises(ValueError, match="two shapes"):
        dice(np.zeros(3), np.zeros(4))


def test_box_iou_is_the_share_of_voxels() -> None:
    random = np.random.default_rng(0)
    low = random.integers(0, 8, (12, 3))
    boxes = np.concatenate([low, low + random.integers(1, 6, (12, 3))], 1)
    volumes = np.zeros((12, 14, 14, 14), bool)
    for volume, (x0, y0, z0, x1, y1, z1) in zip(volumes, boxes, strict=True):
        volume[x0:x1, y0:y1, z0:z1] = True
    expected = [[(a & b).sum() / (a | b).sum() for b in volumes[5:]] for a in volumes[:5]]
    assert box_iou(boxes[:5], boxes[5:]) == pytest.approx(np.array(expected))
    assert box_iou(boxes, boxes).diagonal() == pytest.approx(1.0)
    assert box_iou([], boxes).shape == (0, 12)


def test_the_pointing_game() -> None:
    mask = np.zeros((5, 5))
    mask[2, 2] = 1
    bright = np.zeros((5, 5))
    bright[2, 2] = 3
    assert pointing(bright, mask) == 1.0
    assert pointing(-bright, mask) == 0.0
    assert pointing(np.zeros((5, 5)), mask) == 1 / 25  # nothing stands out: one pixel of 25 would be right
    assert np.isnan(pointing(bright, np.zeros((5, 5))))
    with pytest.raises(ValueError, match="differ in shape"):
        pointing(bright, mask[0])


def test_an_average_has_the_interval_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(0.6, 0.1, 400)
    found = average([*values, np.nan])
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.2 * half)
    assert found.n == 400 and found.reason == "1 of 401 have no value"
    assert average([np.nan]).reason == "no scan has a value"


def test_groups_widen_an_average() -> None:
    patients = np.repeat(np.arange(10), 40)
    values = np.random.default_rng(2).normal(size=10)[patients]
    alone, together = average(values), average(values, groups=patients)
    assert alone.low is not None and alone.high is not None and together.low is not None and together.high is not None
    assert together.high - together.low > 4 * (alone.high - alone.low)
