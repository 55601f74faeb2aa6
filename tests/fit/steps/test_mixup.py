"""Steps on mixtures of rows: reproducible, the plain step where nothing is mixed, refused for voxels."""

from __future__ import annotations

import pytest
import torch
from tiny import data, model, settings

from molgraph.errors import ConfigError
from molgraph.fit import fit
from molgraph.fit.device import choose
from molgraph.fit.steps import mixup, plain
from molgraph.fit.steps.mixup import Mixup


def test_mixing_is_reproducible_and_learns() -> None:
    train = data()
    found = [[e.train_loss for e in fit(model(train), train, data(20, 1), settings(mixup=m))] for m in (0.4, 0.4, 0.0)]
    assert found[0] == found[1] != found[2]
    assert found[0][-1] < 0.8 * found[0][0]


def test_a_mixture_of_one_row_alone_is_the_plain_step(monkeypatch: pytest.MonkeyPatch) -> None:
    train = data(16)
    batch = train.batch(torch.arange(16))
    monkeypatch.setattr(mixup.Beta, "sample", lambda self: torch.tensor(1.0))
    weights = []
    for step in (plain, Mixup(alpha=0.4)):
        made = model(train, dropout=0.0).train()
        step(made, batch, torch.optim.SGD(made.parameters(), lr=0.1), choose("cpu"), 1.0)
        weights.append(torch.cat([p.detach().flatten() for p in made.parameters()]))
    torch.testing.assert_close(weights[0], weights[1])


def test_the_loss_is_of_both_rows_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    train = data(2)
    batch = train.batch(torch.arange(2))
    monkeypatch.setattr(mixup.Beta, "sample", lambda self: torch.tensor(0.25))
    monkeypatch.setattr(torch, "randperm", lambda n: torch.tensor([1, 0]))
    made = model(train, dropout=0.0).train()
    vectors = made.vectors(made.features(batch)).detach()
    raw = made.head(0.25 * vectors + 0.75 * vectors[[1, 0]])
    mine, theirs = (made.task.loss(raw, batch.targets.take(torch.tensor(rows)))[0] for rows in ([0, 1], [1, 0]))
    loss, weight = Mixup(alpha=1.0)(made, batch, torch.optim.SGD(made.parameters(), lr=0.0), choose("cpu"), 0.0)
    torch.testing.assert_close(loss, (0.25 * mine + 0.75 * theirs).sum().detach())
    assert float(weight) == 2.0
    assert not made.mixture(batch, torch.tensor([1, 0]), 0.25).per_unit, "a mixture's loss is of two rows"


def test_voxels_are_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    train = data(4)
    made = model(train)
    monkeypatch.setattr(type(made.encoder), "dense", True)
    with pytest.raises(ConfigError, match="mixup"):
        Mixup(alpha=0.4)(made, train.batch(torch.arange(4)), torch.optim.SGD(made.parameters()), choose("cpu"), 1.0)
