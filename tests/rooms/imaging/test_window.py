from __future__ import annotations

import numpy as np
import pytest
import torch

from molgraph.rooms.imaging.patches import LEVELS
from molgraph.rooms.imaging.window import slide, windows


@pytest.mark.parametrize("shape", [(40, 33, 16), (16, 16, 16), (9, 20, 50)])
def test_what_is_local_does_not_depend_on_windows(shape: tuple[int, int, int]) -> None:
    voxels = torch.randint(0, 256, (1, *shape), dtype=torch.uint8)
    found = slide(lambda window: window[0, 0] ** 2, voxels, 16)
    assert found.shape == shape
    assert torch.allclose(found, (voxels[0].float() / LEVELS) ** 2, atol=1e-6)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_windows_cover_every_voxel_and_stay_inside(overlap: float) -> None:
    seen = np.zeros((37, 16, 50), dtype=int)
    for z, y, x in windows(seen.shape, 16, overlap):
        assert z + 16 <= 37 and y + 16 <= 16 and x + 16 <= 50
        seen[z : z + 16, y : y + 16, x : x + 16] += 1
    assert seen.min() == 1
    assert len(windows(seen.shape, 16, 0.5)) > len(windows(seen.shape, 16, 0.0))


def test_the_middle_of_a_window_counts_most() -> None:
    def edges_lie(window: torch.Tensor) -> torch.Tensor:
        wrong = torch.ones(16, 16, 16)
        wrong[3:-3, 3:-3, 3:-3] = 0.0
        return wrong

    found = slide(edges_lie, torch.zeros(1, 48, 48, 48, dtype=torch.uint8), 16, overlap=0.5)
    assert float(found[8:-8, 8:-8, 8:-8].max()) < 0.2  # though each voxel there is at some window's edge
