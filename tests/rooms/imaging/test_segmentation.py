from __future__ import annotations

import pytest
import torch

from molgraph.data.targets import Targets
from molgraph.rooms.imaging.segmentation import overlap_loss


def masks(values: list[list[float]], seen: list[list[bool]] | None = None) -> Targets:
    flat = torch.tensor([float(v) for row in values for v in row])[:, None]
    lengths = torch.tensor([0, *(len(row) for row in values)])
    observed = (
        torch.tensor([s for row in seen for s in row])[:, None] if seen else torch.ones_like(flat, dtype=torch.bool)
    )
    return Targets(
        ("mask",), flat, observed, torch.zeros(flat.shape, dtype=torch.int8), torch.ones_like(flat), lengths.cumsum(0)
    )


def test_the_loss_by_hand() -> None:
    truth = masks([[1, 1, 0, 0], [0, 0]])
    raw = torch.tensor([[0.0]] * 6)  # every voxel has a chance of one half
    loss, weight = overlap_loss(raw, truth)
    entropy = torch.log(torch.tensor(2.0))
    overlap = (2 * 1.0 + 1) / (2.0 + 2.0 + 1)  # one half of two voxels; four halves; two marked
    assert loss[:, 0].tolist() == pytest.approx([float(entropy) + 1 - overlap, float(entropy)])
    assert weight.tolist() == [[1.0], [1.0]]


def test_right_is_better_than_wrong() -> None:
    truth = masks([[1, 1, 0, 0]])
    right, wrong = (overlap_loss(sign * torch.tensor([[9.0], [9], [-9], [-9]]), truth)[0].item() for sign in (1, -1))
    assert right < 0.01 < 9 < wrong


def test_voxels_outside_of_a_scan_do_not_count() -> None:
    raw = torch.randn(6, 1, requires_grad=True)
    whole = masks([[1, 0, 1, 1, 0, 0]], [[True, True, True, False, False, False]])
    loss, _ = overlap_loss(raw, whole)
    assert loss.item() == pytest.approx(overlap_loss(raw[:3], masks([[1, 0, 1]]))[0].item())
    loss.sum().backward()
    assert raw.grad is not None and raw.grad[3:].abs().sum() == 0 and raw.grad[:3].abs().min() > 0
    loss, weight = overlap_loss(raw, masks([[1, 1, 1], [0, 0, 0]], [[False] * 3, [True] * 3]))
    assert weight.tolist() == [[0.0], [1.0]] and loss.isfinite().all()


def test_rows_do_not_see_each_other() -> None:
    raw = torch.randn(7, 1)
    together, _ = overlap_loss(raw, masks([[1, 0, 1, 1], [0, 1, 0]]))
    alone = [
        overlap_loss(raw[:4], masks([[1, 0, 1, 1]]))[0].item(),
        overlap_loss(raw[4:], masks([[0, 1, 0]]))[0].item(),
    ]
    assert together[:, 0].tolist() == pytest.approx(alone)
