"""What every kind of task promises, alone and joined with others."""

from __future__ import annotations

import json
import math

import pytest
import torch

from molgraph.data.targets import ABOVE, BELOW, EXACT, Targets
from molgraph.kinds import Kind, make, restore

VALUES = torch.tensor(
    [[5.5, 1.0, 2.0], [7.25, 0.0, 0.0], [math.nan, 1.0, 1.0], [312.437, math.nan, 2.0], [6.0, 0.0, math.nan]]
)
BOUND = torch.tensor([[EXACT], [BELOW], [EXACT], [ABOVE], [EXACT]], dtype=torch.int8) * torch.tensor([[1, 0, 0]])
NAMES = ("x", "y", "k")
KINDS = {"x": "regression", "y": "binary", "k": "multiclass"}
CASES = [(kinds, balance, focal) for kinds in (("x",), ("y",), ("k",), NAMES, ("k", "x")) for balance, focal in
         ((False, 0.0), (True, 2.0))]  # fmt: skip


def targets(names: tuple[str, ...]) -> Targets:
    return Targets.of(NAMES, VALUES, BOUND.to(torch.int8)).columns([NAMES.index(name) for name in names])


@pytest.fixture(params=CASES, ids=str)
def adapted(request: pytest.FixtureRequest) -> tuple[Kind, Targets]:
    names, balance, focal = request.param
    task = make({n: KINDS[n] for n in names}, {"k": ("a", "b", "c")}, balance=balance, focal=focal)
    given = targets(task.names)
    return task.adapt(given), given


def raw_of(task: Kind, rows: int = 5, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, task.outputs, generator=torch.Generator().manual_seed(seed))


def test_what_was_not_measured_moves_neither_loss_nor_gradient(adapted: tuple[Kind, Targets]) -> None:
    task, given = adapted
    sums = []
    for filler in (0.0, 1.0, 2.0):
        values = torch.where(given.observed, given.values, torch.full((), filler))
        if filler == 2.0 and {task.of(n).answer for n in task.names} == {"regression"}:
            values = torch.where(given.observed, given.values, torch.full((), 1e6))
        raw = raw_of(task).requires_grad_()
        poisoned = Targets(given.names, values, given.observed, given.bound, given.weight)
        loss, weight = task.loss(raw, poisoned)
        assert loss.shape == weight.shape == given.values.shape
        assert (weight[~given.observed] == 0).all()
        total = (loss * weight).sum()
        total.backward()
        sums.append((float(total.detach()), raw.grad.tolist()))
    assert sums[0] == sums[1] == sums[2]
    assert sums[0][0] > 0


def test_a_weight_of_zero_is_a_row_left_out(adapted: tuple[Kind, Targets]) -> None:
    task, given = adapted
    weight = given.weight.clone()
    weight[0] = 0
    silenced = Targets(given.names, given.values, given.observed, given.bound, weight)
    raw = raw_of(task)
    whole, part = task.loss(raw, silenced), task.loss(raw[1:], given.take(torch.arange(1, 5)))
    assert float((whole[0] * whole[1]).sum()) == pytest.approx(float((part[0] * part[1]).sum()), rel=1e-6)


def test_rows_do_not_see_each_other(adapted: tuple[Kind, Targets]) -> None:
    task, given = adapted
    raw = raw_of(task)
    torch.testing.assert_close(task.predict(raw)[2:3], task.predict(raw[2:3]))
    torch.testing.assert_close(task.loss(raw, given)[0][2:3], task.loss(raw[2:3], given.take(torch.tensor([2])))[0])


def test_estimates_are_exact_numbers_or_probabilities_and_have_their_names(adapted: tuple[Kind, Targets]) -> None:
    task, _ = adapted
    found = task.predict(raw_of(task).to(torch.bfloat16))
    numbers = any(not task.of(name).answers for name in task.names)
    assert found.dtype == (torch.float64 if numbers else torch.float32)
    assert found.shape == (5, len(task.columns))
    blocks = [task.block(name) for name in task.names]
    assert sorted(i for b in blocks for i in range(b.start, b.stop)) == list(range(len(task.columns)))
    for name, where in zip(task.names, blocks, strict=True):
        if task.of(name).class_names:
            torch.testing.assert_close(found[:, where].sum(1).float(), torch.ones(5))
        if task.of(name).answers:
            assert bool(((found[:, where] >= 0) & (found[:, where] <= 1)).all())


def test_it_survives_json(adapted: tuple[Kind, Targets]) -> None:
    task, given = adapted
    again = restore(json.loads(json.dumps(task.state(), allow_nan=False)))
    assert again == task
    assert torch.equal(again.predict(raw_of(task)), task.predict(raw_of(task)))
    mine, theirs = task.loss(raw_of(task), given), again.loss(raw_of(task), given)
    assert torch.equal(mine[0], theirs[0]) and torch.equal(mine[1], theirs[1])


def test_adapting_leaves_the_task_as_it_was(adapted: tuple[Kind, Targets]) -> None:
    task, given = adapted
    before = task.state()
    task.adapt(given)
    assert task.state() == before
    assert task.adapt(given) == task


def test_units_round_trip() -> None:
    given = targets(("x",))
    task = make({"x": "regression"}).adapt(given)
    raw = (given.values - task.mean[0]) / task.std[0]
    torch.testing.assert_close(task.predict(raw)[given.observed], given.values[given.observed], rtol=1e-6, atol=1e-6)
