"""Grades in an order: probabilities that add up, the loss of the grade, through the rows of a user."""

from __future__ import annotations

import pytest
import torch

from molgraph.data.targets import Targets
from molgraph.errors import DataError
from molgraph.kinds import Grade, make, restore
from molgraph.kinds.read import parse_targets


def task() -> Grade:
    made = make({"grade": "ordinal"}, {"grade": ("0", "1", "2", "3")})
    assert isinstance(made, Grade)
    adapted = made.adapt(Targets.of(("grade",), torch.tensor([[0.0], [1.0], [2.0], [3.0], [3.0]])))
    assert isinstance(adapted, Grade)
    return adapted


def test_probabilities_add_up_and_passing_falls_with_the_grade() -> None:
    raw = 4 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    shares = task().predict(raw)
    assert shares.shape == (50, 4) and (shares >= 0).all()
    torch.testing.assert_close(shares.sum(1), torch.ones(50))
    passed = 1 - shares.cumsum(1)
    assert (passed.diff(dim=1) <= 1e-6).all()
    torch.testing.assert_close(passed[:, 0], torch.sigmoid(raw[:, 0]))
    torch.testing.assert_close(passed[:, 1], torch.sigmoid(raw[:, 0]) * torch.sigmoid(raw[:, 1]))


def test_the_loss_is_the_log_probability_of_the_grade() -> None:
    made, truth = task(), torch.tensor([[0.0], [3.0], [1.0]])
    raw = torch.randn(3, 3, generator=torch.Generator().manual_seed(1), requires_grad=True)
    loss, _ = made.loss(raw, Targets.of(("grade",), truth))
    torch.testing.assert_close(loss[:, 0], -made.predict(raw).gather(1, truth.long())[:, 0].log())
    loss.sum().backward()
    assert raw.grad is not None and raw.grad[0, 1:].abs().max() < 1e-6, "grade 0 says nothing of passing grade 1"


def test_it_is_used_as_classes_are() -> None:
    made = task()
    assert (
        made.of("grade").answer == "multiclass"
        and made.of("grade").word == "ordinal"
        and made.outputs == 3
        and len(made.columns) == 4
    )
    assert made.vocabulary == {"grade": ("0", "1", "2", "3")} and made.block("grade") == slice(0, 4)
    assert restore(made.state()) == made


def test_it_learns_an_order() -> None:
    """A straight line suffices for any number of grades, where separate classes need a weight each."""
    x = torch.linspace(-2, 2, 200)[:, None]
    truth = torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0])).float()
    made, targets = task(), Targets.of(("grade",), truth)
    layer = torch.nn.Linear(1, 3)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        made.loss(layer(x), targets)[0].mean().backward()
        optimiser.step()
    assert (made.predict(layer(x)).argmax(1) == truth[:, 0]).float().mean() > 0.95


def test_grades_are_numbers() -> None:
    import pandas as pd

    read = parse_targets(pd.DataFrame({"g": ["10", "2", "", "1"]}), ["g"], kinds={"g": "ordinal"})
    assert read.classes["g"] == ("1", "2", "10") and read.values[:2, 0].tolist() == [2.0, 1.0]
    with pytest.raises(DataError, match="order is not known"):
        parse_targets(pd.DataFrame({"g": ["mild", "severe"]}), ["g"], kinds={"g": "ordinal"})
