from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from molgraph.rooms.imaging.blobs import blobs, lungs
from molgraph.rooms.imaging.geometry import to_world


@pytest.fixture
def scan() -> np.ndarray:
    """Return a body with one lung, in it a ball of 5 mm radius and a vessel of 2 mm, on voxels of 1 mm."""
    z, y, x = np.mgrid[:40, :60, :60].astype(np.float32)
    seen = np.where(np.hypot(y - 30, x - 30) < 28, 0.9, 0.0)
    seen = np.where(np.hypot(y - 30, x - 30) < 22, 0.3, seen)
    seen = np.where(np.sqrt((z - 20) ** 2 + (y - 22) ** 2 + (x - 25) ** 2) < 5, 0.9, seen)
    seen = np.where(np.hypot(y - 40, x - 38) < 2, 0.9, seen)
    return ndimage.gaussian_filter(seen, 0.7).astype(np.float32)


def test_a_ball_is_found_before_a_vessel(scan: np.ndarray) -> None:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[:3, 3] = 10, 20, 30
    best = blobs(scan, affine)[0]
    assert best.centre == pytest.approx(to_world(affine, [25, 22, 20]), abs=1.0)
    assert best.size[0] == pytest.approx(10.0, abs=1.6)


def test_the_lung_is_what_is_dark_inside(scan: np.ndarray) -> None:
    inside = lungs(scan, np.ones(3))
    assert inside[20, 22, 25] and inside[20, 30, 30] and inside[20, 40, 38]  # ball, lung, vessel
    assert not inside[20, 30, 4] and not inside[20, 1, 1]  # chest wall, air around
    assert lungs(np.ones((5, 5, 5), np.float32), np.ones(3)).all()
