"""The loss over pairs of views: as its paper has it, lower where the two views agree, blind to pictures of the same."""

from __future__ import annotations

import json
import math

import pytest
import torch
import torch.nn.functional as F

from molgraph.data.targets import Targets
from molgraph.kinds import Contrast, restore


def told(*scans: float) -> Targets:
    return Targets.of(("scan",), torch.tensor(scans * 2).unsqueeze(1))


def raw_of(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, 8, generator=torch.Generator().manual_seed(seed))


def test_it_is_equation_1_of_the_paper() -> None:
    raw, tau = raw_of(6), 0.5
    loss, weight = Contrast(temperature=tau).loss(raw, told(0, 1, 2))
    assert loss.shape == weight.shape == (6, 1) and bool((weight == 1).all())
    for i in range(6):
        alike = [math.exp(float(F.cosine_similarity(raw[i], raw[k], dim=0)) / tau) for k in range(6)]
        other = alike[(i + 3) % 6]
        assert float(loss[i]) == pytest.approx(
            -math.log(other / sum(a for k, a in enumerate(alike) if k != i)), rel=1e-5
        )


def test_views_that_agree_and_differ_from_others_cost_least() -> None:
    corners = torch.eye(8)[:4]
    right, wrong = torch.cat([corners, corners]), torch.cat([corners, corners.roll(1, 0)])
    task, given = Contrast(), told(0, 1, 2, 3)
    assert float(task.loss(right, given)[0].max()) < float(task.loss(wrong, given)[0].min())
    everything_alike = torch.ones(8, 8)
    assert task.loss(everything_alike, given)[0].mean().item() == pytest.approx(math.log(7), rel=1e-5)


def test_pictures_of_the_same_are_not_told_apart() -> None:
    raw = raw_of(6).requires_grad_()
    loss, _ = Contrast().loss(raw, told(0, 0, 1))
    alone = Contrast().loss(raw[[0, 2, 3, 5]], told(0, 1))[0]
    torch.testing.assert_close(loss[0], alone[0], msg="row 1, of the same patient, is no other to row 0")
    one_patient, _ = Contrast().loss(raw, told(0, 0, 0))
    one_patient.sum().backward()
    assert raw.grad is not None
    assert not one_patient.any() and not raw.grad.any(), "where there is no other, there is nothing to learn"


def test_it_survives_json_and_half_precision() -> None:
    task = Contrast(temperature=0.2)
    assert restore(json.loads(json.dumps(task.state()))) == task
    assert task.predict(raw_of(2).to(torch.bfloat16)).dtype == torch.float32
    assert task.loss(raw_of(4).to(torch.bfloat16), told(0, 1))[0].dtype == torch.float32
