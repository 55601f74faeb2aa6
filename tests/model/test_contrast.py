"""The loss over pairs of views: as its paper has it, lower where the two views agree, blind to pictures of the same."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from molgraph.model.contrast import nt_xent


def told(*scans: float) -> torch.Tensor:
    return torch.tensor(scans * 2)


def raw_of(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, 8, generator=torch.Generator().manual_seed(seed))


def test_it_is_equation_1_of_the_paper() -> None:
    raw, tau = raw_of(6), 0.5
    loss = nt_xent(raw, told(0, 1, 2), tau)
    assert loss.shape == (6,)
    for i in range(6):
        alike = [math.exp(float(F.cosine_similarity(raw[i], raw[k], dim=0)) / tau) for k in range(6)]
        other = alike[(i + 3) % 6]
        assert float(loss[i]) == pytest.approx(
            -math.log(other / sum(a for k, a in enumerate(alike) if k != i)), rel=1e-5
        )


def test_views_that_agree_and_differ_from_others_cost_least() -> None:
    corners = torch.eye(8)[:4]
    right, wrong = torch.cat([corners, corners]), torch.cat([corners, corners.roll(1, 0)])
    given = told(0, 1, 2, 3)
    assert float(nt_xent(right, given, 0.5).max()) < float(nt_xent(wrong, given, 0.5).min())
    everything_alike = torch.ones(8, 8)
    assert nt_xent(everything_alike, given, 0.5).mean().item() == pytest.approx(math.log(7), rel=1e-5)


def test_pictures_of_the_same_are_not_told_apart() -> None:
    raw = raw_of(6).requires_grad_()
    loss = nt_xent(raw, told(0, 0, 1), 0.5)
    alone = nt_xent(raw[[0, 2, 3, 5]], told(0, 1), 0.5)
    torch.testing.assert_close(loss[0], alone[0], msg="row 1, of the same patient, is no other to row 0")
    one_patient = nt_xent(raw, told(0, 0, 0), 0.5)
    one_patient.sum().backward()
    assert raw.grad is not None
    assert not one_patient.any() and not raw.grad.any(), "where there is no other, there is nothing to learn"


def test_half_precision_is_computed_in_full() -> None:
    raw = raw_of(4).to(torch.bfloat16)
    assert nt_xent(raw, told(0, 1), 0.5).dtype == torch.float32
    assert torch.equal(nt_xent(raw, told(0, 1), 0.5), nt_xent(raw.float(), told(0, 1), 0.5))
