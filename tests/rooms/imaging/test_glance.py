"""Two small pictures and a sentence: the slice where a model looked, the place, how much of the scan it is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from molgraph.rooms.imaging.glance import SMALL, glance
from molgraph.rooms.imaging.scan import Scan


def scan(*shape: int, affine: bool = False) -> Scan:
    voxels = np.random.default_rng(0).uniform(0, 255, (1, *shape)).astype(np.float32)
    return Scan(voxels, np.eye(4) if affine else None, (1.0, 1.0, 1.0), "MR", 8)


def spot(shape: tuple[int, ...], *at: int) -> np.ndarray:
    heat = np.zeros(shape, np.float32)
    heat[at] = 1.0
    return heat


def opened(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture))).astype(int)


def test_a_picture_is_enlarged_and_the_place_is_coloured_in_one_only() -> None:
    (plain, over), said = glance([scan(1, 24, 32)], [spot((1, 24, 32), 0, 3, 30)], "a.png")
    assert said.startswith("Most at the upper right of the picture; ") and "on 0.1 % of it" in said
    plain, over = opened(plain), opened(over)
    assert plain.shape == over.shape == (24 * 6, 32 * 6, 3) and (plain[..., 0] == plain[..., 2]).all()
    changed = (plain != over).any(axis=2)
    assert changed[18:24, 180:186].all() and changed.sum() == 36
    assert over[20, 182, 0] > over[20, 182, 2] + 100, "yellow"


@pytest.mark.parametrize(("affine", "words"), [(False, "lower left"), (True, "upper right")])
def test_of_a_volume_the_slice_with_the_most_is_shown_as_one_looks_at_it(affine: bool, words: str) -> None:
    (plain, over), said = glance([scan(9, 400, 300, affine=affine)], [spot((9, 400, 300), 6, 390, 5)], "v.nii")
    assert said.startswith(f"Most at the {words} of slice 7 of 9; ")
    assert opened(plain).shape == (SMALL, 144, 3) and (opened(plain) != opened(over)).any()


def test_of_several_scans_the_one_with_the_most() -> None:
    heats = [spot((1, 9, 9), 0, 4, 4) * 0.5, spot((1, 9, 9), 0, 4, 4)]
    _, said = glance([scan(1, 9, 9), scan(1, 9, 9)], heats, "two")
    assert said.startswith("Most at the centre of scan 2 of 2, the picture; half of all")


def test_nothing_may_speak_for_an_estimate() -> None:
    (plain, over), said = glance([scan(3, 9, 9)], [np.zeros((3, 9, 9), np.float32)], "none")
    assert plain == over and said == "Nothing in it speaks for the estimate."
