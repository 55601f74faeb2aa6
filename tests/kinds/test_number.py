"""The likelihood of a normal distribution, its bounds, and its promises as a task."""

import json

import numpy as np
import pytest
import torch
from scipy import stats

from molgraph.data.targets import ABOVE, BELOW, EXACT, Targets
from molgraph.kinds import Joint, Normal, make, restore

VALUES = torch.tensor([[5.0, 1.0], [7.5, 2.0], [6.0, float("nan")], [9.0, 4.0]])
BOUND = torch.tensor([[EXACT, EXACT], [BELOW, EXACT], [ABOVE, EXACT], [EXACT, ABOVE]], dtype=torch.int8)


@pytest.fixture
def given():
    return Targets.of(("x", "y"), VALUES, BOUND)


@pytest.fixture
def task(given):
    return make({"x": "regression", "y": "regression"}, variance=True).adapt(given)


def test_estimates_are_mean_and_deviation_of_each_target(task, given):
    assert task.columns == ("x", "x_sd", "y", "y_sd") and task.outputs == 4
    assert (task.block("x"), task.block("y")) == (slice(0, 2), slice(2, 4))
    assert task.of("y").spreads and not make({"y": "regression"}).of("y").spreads
    raw = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    found = task.predict(raw)
    torch.testing.assert_close(found[:, 2], raw[:, 1].double() * task.std[1] + task.mean[1])
    assert (found[:, [1, 3]] > 0).all()


def test_the_loss_is_the_negative_log_likelihood_also_of_bounds(task, given):
    raw = torch.randn(4, 4, generator=torch.Generator().manual_seed(1))
    loss, weight = task.loss(raw, given)
    found = task.predict(raw).double().numpy()
    for row, column, value, bound in ((0, 0, 5.0, EXACT), (1, 0, 7.5, BELOW), (2, 0, 6.0, ABOVE), (3, 1, 4.0, ABOVE)):
        normal = stats.norm(found[row, 2 * column], found[row, 2 * column + 1])
        likelihood = {EXACT: normal.logpdf(value), BELOW: normal.logcdf(value), ABOVE: normal.logsf(value)}[bound]
        scale = np.log(task.std[column]) if bound == EXACT else 0.0  # densities are per standard deviation
        assert float(loss[row, column]) == pytest.approx(-likelihood - scale, rel=1e-4)
    assert weight[2, 1] == 0


def test_gradients_are_finite_far_off(task, given):
    raw = torch.full((4, 4), -60.0, requires_grad=True)
    loss, weight = task.loss(raw, given)
    (loss * weight).sum().backward()
    assert torch.isfinite(raw.grad).all() and torch.isfinite(loss[weight > 0]).all()


def test_it_learns_the_deviation_of_the_noise():
    random = torch.Generator().manual_seed(0)
    level = torch.arange(2000) % 2
    values = torch.randn(2000, 1, generator=random) * torch.where(level == 1, 2.0, 0.5)[:, None] + 3
    data = Targets.of(("x",), values)
    task = make({"x": "regression"}, variance=True).adapt(data)
    raw = torch.zeros(2, 2, requires_grad=True)
    optimiser = torch.optim.Adam([raw], lr=0.05)
    for _ in range(400):
        optimiser.zero_grad()
        loss, weight = task.loss(raw[level], data)
        (loss * weight).mean().backward()
        optimiser.step()
    mean, sd = task.predict(raw.detach()).T
    assert mean.tolist() == pytest.approx([3, 3], abs=0.2)
    assert sd.tolist() == pytest.approx([0.5, 2.0], rel=0.1)


def test_beside_a_task_of_another_kind_and_through_json(given):
    joint = make({"x": "regression", "y": "binary"}, variance=True)
    assert isinstance(joint, Joint) and joint.columns == ("x", "x_sd", "y")
    assert (joint.block("x"), joint.block("y")) == (slice(0, 2), slice(2, 3))
    task = make({"x": "regression", "y": "regression"}, variance=True).adapt(given)
    again = restore(json.loads(json.dumps(task.state())))
    assert again == task and isinstance(again, Normal)


@pytest.mark.parametrize("mean", [True, "1", None, float("inf")])
def test_a_mean_that_is_no_number_is_refused(task, mean):
    raw = json.loads(json.dumps(task.state()))
    raw["mean"][0] = mean
    with pytest.raises((TypeError, ValueError)):
        restore(raw)
