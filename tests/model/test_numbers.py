"""What encoders of numbers promise, on real molecules and proteins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from molgraph import registry
from molgraph.data.cells import Cells
from molgraph.data.dataset import Dataset, Input
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError, DataError
from molgraph.kinds.number import Number
from molgraph.model.model import Model

TEXTS = {
    "molecule/feedforward": ["CC(=O)Oc1ccccc1C(=O)O", "C", "CN1CCC[C@H]1c1cccnc1", "O=C1NC(=O)C(c2ccccc2)(c2ccccc2)N1"],
    "protein/feedforward": ["MKTAYIAKQR", "GSHMLEDPV", "ACDEFGHIKLMNPQRSTVWY", "MKKLLPTAAAGLLLLAAQPAMA"],
}


def dataset(parts):
    n = len(parts)
    return Dataset({"x": Input(parts, torch.arange(n))}, Targets.none(n), np.arange(1, n + 1), ("",) * n)


def made(name, parts, seed=0, **settings):
    torch.manual_seed(seed)
    encoder = registry.model(name)(parts.schema, hidden=8, **settings)
    encoder.adapt(dataset(parts))
    return Model(encoder, Number(("y",)), hidden=8).eval()


def predicted(model, parts):
    with torch.no_grad():
        return model(dataset(parts).batch(torch.arange(len(parts))))


@pytest.fixture(params=TEXTS)
def name(request):
    return request.param


@pytest.fixture
def parts(name):
    kind = registry.model(name)
    return registry.room(name).reading.prepare(Cells.of(TEXTS[name]), kind.asks({"descriptors": True})).parts


def test_a_row_alone_is_predicted_as_in_a_batch(name, parts):
    model = made(name, parts)
    together = predicted(model, parts)
    alone = torch.cat([predicted(model, parts.gather(torch.tensor([i]))) for i in range(len(parts))])
    torch.testing.assert_close(alone, together, rtol=1e-5, atol=1e-6)
    assert len(torch.unique(together)) == len(parts)


def test_gradient_reaches_every_parameter_and_weights_survive(name, parts):
    model = made(name, parts).train()
    (
        model(dataset(parts).batch(torch.arange(len(parts)))) * torch.arange(1, len(parts) + 1).unsqueeze(1)
    ).sum().backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in model.parameters())
    other = made(name, parts.gather(torch.tensor([0, 1])), seed=1)
    assert not torch.equal(predicted(other, parts), predicted(model.eval(), parts))
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(predicted(other, parts), predicted(model, parts))


def test_counts_are_not_scaled_and_numbers_are(parts, name):
    encoder = made(name, parts).encoder
    for feature, scale in encoder.scales.items():
        learnt = bool(scale.mean.any())
        assert learnt is parts.values[feature].is_floating_point()


def test_settings_and_widths_are_checked(name, parts):
    for bad in ({"depth": -1}, {"dropout": 1.0}, {"hidden": 0}):
        with pytest.raises(ConfigError, match="at least"):
            registry.model(name)(parts.schema, **bad)
    model = made(name, parts)
    feature = model.encoder.names[0]
    parts.values[feature] = parts.values[feature][:, 1:]
    with pytest.raises(DataError, match="numbers, in training it had"):
        predicted(model, parts)


def test_without_descriptors_only_counts_are_asked_for():
    kind = registry.model("molecule/feedforward")
    assert kind.asks({"descriptors": False}) == ("ecfp",) and kind.asks({"descriptors": True}) == (
        "ecfp",
        "descriptors",
    )
