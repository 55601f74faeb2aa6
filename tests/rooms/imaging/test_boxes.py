from __future__ import annotations

import numpy as np
import pytest

from molgraph.rooms.imaging.boxes import lesions
from molgraph.rooms.imaging.geometry import to_world


def test_a_box_lies_around_its_voxels_in_world_coordinates() -> None:
    chance = np.zeros((10, 12, 14), np.float32)
    chance[2:5, 3:5, 6:10] = 0.8
    affine = np.array([[-2.0, 0, 0, 50], [0, -1.0, 0, 20], [0, 0, 3.0, -7], [0, 0, 0, 1]])
    (found,) = lesions(chance, affine)
    assert found.size == (8.0, 2.0, 9.0)
    assert found.centre == (50 - 2 * 7.5, 20 - 3.5, -7 + 3 * 3.0)
    assert found.score == pytest.approx(0.8) and found.volume == pytest.approx(24 * 6.0)
    assert found.box == (31.0, 15.5, -2.5, 39.0, 17.5, 6.5)


def test_a_turned_scan_still_has_boxes_along_the_world() -> None:
    chance = np.zeros((9, 9, 9), np.float32)
    chance[4, 4, 2:7] = 1.0
    turn = np.eye(4)
    turn[:2, :2] = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    (found,) = lesions(chance, turn, smallest=0)
    assert found.centre == pytest.approx(to_world(turn, [4, 4, 4]))
    assert found.size == pytest.approx(((4 + 2) / np.sqrt(2), (4 + 2) / np.sqrt(2), 1.0))


def test_the_surest_comes_first_and_specks_are_left_out() -> None:
    chance = np.zeros((20, 20, 20), np.float32)
    chance[1:4, 1:4, 1:4], chance[10:13, 10:13, 10:13], chance[17, 17, 17] = 0.5, 0.9, 1.0
    found = lesions(chance, np.eye(4))
    assert [round(each.score, 3) for each in found] == [0.9, 0.5]
    assert len(lesions(chance, np.eye(4), smallest=0.5)) == 3
    assert lesions(chance, np.eye(4), threshold=0.95, smallest=2.0) == []


def test_voxels_that_touch_at_a_corner_are_one() -> None:
    chance = np.zeros((4, 4, 4), np.float32)
    chance[0, 0, 0] = chance[1, 1, 1] = 1.0
    (found,) = lesions(chance, np.eye(4), smallest=0)
    assert found.size == (2.0, 2.0, 2.0) and found.volume == pytest.approx(2.0)
