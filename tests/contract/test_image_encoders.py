"""Every network on pictures keeps to the contract of encoders, in two and in three dimensions."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch.func import functional_call, grad, vmap

from molgraph import registry
from molgraph.data.dataset import Dataset, Input
from molgraph.data.packed import Packed, pack
from molgraph.data.targets import Targets
from molgraph.kinds import Number
from molgraph.model.model import Model
from molgraph.model.spatial import Spatial
from molgraph.rooms.imaging.encoders import encoder
from molgraph.rooms.imaging.view import LARGEST

NETWORKS = [n for n in registry.own_models() if n.startswith("imaging/") and issubclass(registry.model(n), Spatial)]
BAGS = (1, 3, 2, 1)  # slices (or volumes) of each part


def settings(dims: int, channels: int = 1, **more: Any) -> dict[str, Any]:
    return {"size": 8 if dims == 3 else 16, "dims": dims, "channels": channels, **more}


def parts_of(name: str, given: dict[str, Any]) -> Packed:
    (feature,) = registry.model(name).asks(
        {k: p.default for k, p in registry.settings(registry.model(name)).items()} | given
    )
    shape = [int(n) for n in feature.split("/")[1].split("x")]
    values = torch.randint(0, 256, (sum(BAGS), *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return pack({feature: (feature, values)}, {feature: torch.tensor(BAGS)}, {feature: [*shape, LARGEST]}, len(BAGS))


def data_of(parts: Packed) -> Dataset:
    rows = torch.arange(len(parts))
    targets = Targets.of(("a", "b"), torch.zeros(len(parts), 2))
    return Dataset({"input": Input(parts, rows)}, targets, rows.numpy() + 1, ("",) * len(parts))


def made(name: str, parts: Packed, given: dict[str, Any], seed: int = 0) -> Model:
    torch.manual_seed(seed)
    encoder = registry.model(name)(parts.schema, **given)
    encoder.adapt(data_of(parts))
    task = Number(("a", "b"), (0.0, 0.0), (1.0, 1.0))
    return Model(encoder, task, hidden=8).double().eval()


def predicted(model: Model, parts: Packed) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(data_of(parts).batch(torch.arange(len(parts))))
    return found


@pytest.fixture(params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("dims", "channels"), [(2, 1), (2, 3), (3, 2)])
def test_a_row_alone_is_predicted_as_in_a_batch(name: str, dims: int, channels: int) -> None:
    if dims == 3 and name in ("imaging/resnet34", "imaging/resnet50"):
        pytest.skip("built as resnet18 is, only deeper")
    given = settings(dims, channels)
    parts = parts_of(name, given)
    model = made(name, parts, given)
    features = model.encoder(data_of(parts).batch(torch.arange(len(parts))))
    assert features.values.shape == (sum(BAGS), model.encoder.dim)
    assert torch.equal(features.offsets, parts.offsets[model.encoder.view.name])
    together = predicted(model, parts)
    alone = torch.cat([predicted(model, parts.gather(torch.tensor([i]))) for i in range(len(parts))])
    torch.testing.assert_close(alone, together, rtol=1e-9, atol=1e-11)
    assert len(torch.unique(together[:, 0])) == len(parts)


def test_gradient_reaches_every_parameter(name: str) -> None:
    given = settings(2)
    parts = parts_of(name, given)
    model = made(name, parts, given).train()
    raw = model(data_of(parts).batch(torch.arange(len(parts))))
    (raw * torch.linspace(-1, 2, raw.numel(), dtype=raw.dtype).view_as(raw)).sum().backward()
    dead = [
        k for k, p in model.named_parameters() if p.grad is None or not bool(p.grad.isfinite().all() and p.grad.any())
    ]
    assert dead == []


def test_saved_weights_give_bit_equal_predictions(name: str) -> None:
    given = settings(2, harmonise="histogram")
    parts = parts_of(name, given)
    model, other = made(name, parts, given), made(name, parts.gather(torch.tensor([0, 1])), given, seed=1)
    assert not torch.equal(predicted(other, parts), predicted(model, parts))
    other.load_state_dict(load(save({k: v.contiguous() for k, v in model.state_dict().items()})))  # as `Network.save`
    assert torch.equal(predicted(other, parts), predicted(model, parts))


def test_the_signature_is_the_schema_of_its_settings(name: str) -> None:
    kind = registry.model(name)
    tunable = [p for p in inspect.signature(kind.__init__).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert set(kind.space) <= {p.name for p in tunable}
    assert all(p.default is not p.empty for p in tunable)


def test_a_batch_without_pictures_passes(name: str) -> None:
    given = settings(2)
    parts = parts_of(name, given)
    model = made(name, parts, given)
    none = parts.gather(torch.zeros(0, dtype=torch.int64))
    assert model.encoder(data_of(none).batch(torch.zeros(0, dtype=torch.int64))).values.shape == (0, model.encoder.dim)


@pytest.mark.parametrize(("name", "dims"), [("imaging/cnn", 2), ("imaging/cnn", 3), ("imaging/resnet_gn", 2)])
def test_gradients_per_sample_go_through(name: str, dims: int) -> None:
    given = settings(dims) | ({"dropout": 0.0} if name == "imaging/cnn" else {})
    parts = parts_of(name, given)
    model = made(name, parts, given).train()
    encoder = model.encoder
    pictures, network = encoder.pictures(parts), encoder.network
    weights = {k: p.detach() for k, p in network.named_parameters()}

    def loss(weights: dict[str, torch.Tensor], picture: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = functional_call(network, weights, (picture.unsqueeze(0),))
        return maps.square().mean()

    each = vmap(grad(loss), in_dims=(None, 0))(weights, pictures)
    for at in (0, 4):
        alone = grad(loss)(weights, pictures[at])
        for key, value in alone.items():
            torch.testing.assert_close(each[key][at], value, rtol=1e-7, atol=1e-10)


def test_many_slices_are_predicted_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(2)
    parts = parts_of("imaging/cnn", given)
    model, seen = made("imaging/cnn", parts, given), []
    model.encoder.network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    together = predicted(model, parts)
    monkeypatch.setattr(encoder, "AT_ONCE", 3 * 16 * 16)
    torch.testing.assert_close(predicted(model, parts), together, rtol=1e-9, atol=1e-11)
    assert seen == [7, 3, 3, 1]
