"""Frozen weights stay to the bit; levels learn the slower the lower they lie; both go on where they were stopped."""

from __future__ import annotations

from typing import Any

import pytest
import tiny
import torch
from torch import nn

from molgraph import config
from molgraph.errors import ConfigError
from molgraph.fit import fit
from molgraph.fit.parameters import frozen, groups, held
from molgraph.kinds import make
from molgraph.model.encoder import Features
from molgraph.model.model import Model


class Deep(tiny.Tiny):
    """Pass numbers through two layers, the lower with a batch norm."""

    order = ("low", "layer")

    def __init__(self, schema: Any) -> None:
        super().__init__(schema, dropout=0.2)
        self.low = nn.Sequential(nn.Linear(tiny.WIDTH, tiny.WIDTH), nn.BatchNorm1d(tiny.WIDTH))

    def forward(self, batch: Any) -> Features:
        parts, index = batch.single()
        return Features(self.layer(self.low(parts.values["numbers"])), None, index)


def deep(train: Any) -> Model:
    torch.manual_seed(0)
    return Model(Deep({"numbers": [tiny.WIDTH]}), make({"y": "regression"}).adapt(train.targets), depth=1, hidden=8)


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize(
    ("patterns", "stay"),
    [
        (["encoder"], ["encoder.layer", "encoder.low"]),
        (["low"], ["encoder.low"]),
        (["encoder.low"], ["encoder.low"]),
        (["l*.0"], ["encoder.layer.0", "encoder.low.0"]),
        (["layer.0.weight"], ["encoder.layer.0.weight"]),
    ],
)
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_what_is_frozen_stays_to_the_bit_and_all_else_moves(patterns: list[str], stay: list[str], ema: float) -> None:
    train, valid = tiny.data(), tiny.data(20, seed=1)
    model = deep(train)
    before = weights(model)
    list(fit(model, train, valid, tiny.settings(epochs=2, freeze=patterns, weight_decay=0.1, ema=ema)))
    for name, value in weights(model).items():
        still = any(name == part or name.startswith(f"{part}.") for part in stay)
        assert torch.equal(value, before[name]) is still, name
    assert all(weight.requires_grad for weight in model.parameters()), "the model is left as it came"


def test_one_level_learns_at_a_share_of_the_rate_of_the_one_above() -> None:
    train = tiny.data()
    model = deep(train)
    found = groups(model, tiny.settings(layer_decay=0.5))
    names = {id(weight): name for name, weight in model.named_parameters()}
    scales = {names[id(weight)]: group["scale"] for group in found for weight in group["params"]}
    assert scales == {
        **{name: 1.0 for name in scales if name.startswith(("head.", "pool."))},
        **{f"encoder.layer.0.{kind}": 0.5 for kind in ("weight", "bias")},
        **{f"encoder.low.{at}.{kind}": 0.25 for at in (0, 1) for kind in ("weight", "bias")},
    }
    assert len(scales) == len(list(model.parameters()))


def test_a_first_step_moves_each_level_by_its_share() -> None:
    """AdamW's first step is the learning rate in the direction of the sign, however steep the slope."""
    train = tiny.data()
    model = deep(train)
    before = weights(model)
    (epoch,) = fit(model, train, train.subset(torch.arange(0)), tiny.settings(epochs=1, batch_size=97, layer_decay=0.1))
    moved = {name: float((value - before[name]).abs().max()) for name, value in weights(model).items()}
    assert moved["head.0.weight"] == pytest.approx(epoch.lr, rel=1e-3)
    assert moved["encoder.layer.0.weight"] == pytest.approx(0.1 * epoch.lr, rel=1e-3)
    assert moved["encoder.low.1.weight"] == pytest.approx(0.01 * epoch.lr, rel=1e-2)


def test_without_either_the_training_is_the_one_it_was() -> None:
    train = tiny.data()
    assert [group["scale"] for group in groups(deep(train), tiny.settings())] == [1.0]
    assert held(deep(train), []) == []


def test_stopped_and_resumed_is_bit_equal_to_whole() -> None:
    train, valid, given = tiny.data(), tiny.data(20, seed=1), {"freeze": ["low.0"], "layer_decay": 0.7, "ema": 0.9}
    whole = deep(train)
    list(fit(whole, train, valid, tiny.settings(**given)))
    half = deep(train)
    for epoch in fit(half, train, valid, tiny.settings(**given)):
        state = epoch.state()
        if epoch.number == 2:
            break
    again = deep(train)
    assert [epoch.number for epoch in fit(again, train, valid, tiny.settings(**given), state=state)] == [3, 4, 5, 6]
    found, wanted = weights(again), weights(whole)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_a_pattern_of_nothing_names_the_parts() -> None:
    with pytest.raises(ConfigError, match=r"train.freeze: the encoder has no part 'layres'; did you mean 'layers'"):
        frozen(["layers.0.weight", "embed.weight"], ["layres"])
    assert frozen(["layers.0.weight", "layers.10.weight"], ["layers.0"]) == ["layers.0.weight"]


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match=r"train.layer_decay = .* is out of range: above 0 and at most 1"):
        config.settings({"train": {"layer_decay": share}})


def test_a_method_to_beat_begins_from_drawn_weights() -> None:
    run = config.settings({"init": "base", "train": {"freeze": "encoder", "layer_decay": 0.8, "epochs": 3}})
    assert run.train.freeze == ["encoder"]
    again = run.scratch()
    assert (again.init, again.train.freeze, again.train.layer_decay, again.train.epochs) == ("", [], 1.0, 3)
