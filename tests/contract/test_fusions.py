"""What every registered fusion of networks promises, over two inputs of real molecules."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from molgraph import registry
from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError, DataError
from molgraph.fusion.fusion import Fusion
from molgraph.kinds.number import Number
from molgraph.model.model import Model
from molgraph.rooms.molecule.encoders.gat import GAT
from molgraph.rooms.molecule.encoders.gin import GIN
from molgraph.rooms.molecule.prepare import prepare

NAMES = [n for n in registry.own_models() if n.startswith("fusion/") and registry.model(n).family == "network"]
DRUGS = ["CC(=O)Oc1ccccc1C(=O)O", "C", "CN1CCC[C@H]1c1cccnc1", "[Na+]", "CCO"]
SOLVENTS = ["CS(C)=O", "O", "ClC(Cl)Cl", "c1ccncc1"]
DRUG = [0, 0, 1, 2, 3, 4, 4, 2]
SOLVENT = [0, 1, 2, 3, 3, 2, 0, 0]
WITH_GAPS = ([0, ABSENT, 1, 2, 3, 4, ABSENT, 2], [0, 1, ABSENT, 3, ABSENT, 2, 0, 0])


@pytest.fixture(scope="module")
def parts() -> tuple[Packed, Packed]:
    return tuple(prepare(texts, ("graph", "descriptors"), standardise=False).parts for texts in (DRUGS, SOLVENTS))  # type: ignore[return-value]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def dataset(parts: tuple[Packed, Packed], drug: list[int] = DRUG, solvent: list[int] = SOLVENT) -> Dataset:
    inputs = {"drug": Input(parts[0], torch.tensor(drug)), "solvent": Input(parts[1], torch.tensor(solvent))}
    return Dataset(inputs, Targets.none(len(drug)), np.arange(len(drug)), tuple(map(str, drug)))


def made(name: str, parts: tuple[Packed, Packed], seed: int = 0, **settings: Any) -> Model:
    """Return a small model in float64, adapted to all rows, in evaluation mode."""
    torch.manual_seed(seed)
    encoders = {
        "drug": GIN(parts[0].schema, hidden=8, depth=2, descriptors=True),
        "solvent": GAT(parts[1].schema, hidden=12, depth=2),
    }
    fusion = registry.model(name)(encoders, **settings)
    fusion.adapt(dataset(parts))
    return Model(fusion, Number(("a", "b")), hidden=16).double().eval()


def predicted(model: Model, data: Dataset) -> Tensor:
    with torch.no_grad():
        return model(data.batch(torch.arange(len(data))))


def test_shapes(name: str, parts: tuple[Packed, Packed]) -> None:
    model = made(name, parts)
    features = model.encoder(dataset(parts).batch(torch.arange(len(DRUG))))
    assert features.values.shape == (len(DRUG), model.encoder.dim)
    assert features.offsets is None and features.index.tolist() == list(range(len(DRUG)))
    assert predicted(model, dataset(parts)).shape == (len(DRUG), 2)


@pytest.mark.parametrize("rows", [(DRUG, SOLVENT), WITH_GAPS], ids=["complete", "gaps"])
def test_a_row_alone_is_predicted_as_in_a_batch(
    name: str, parts: tuple[Packed, Packed], rows: tuple[list[int], list[int]]
) -> None:
    model, data = made(name, parts), dataset(parts, *rows)
    together = predicted(model, data)
    alone = torch.cat([predicted(model, data.subset(np.array([i]))) for i in range(len(data))])
    torch.testing.assert_close(alone, together, rtol=1e-9, atol=1e-12)
    assert len(torch.unique(together[:, 0])) == len(data), "different rows have different predictions"


def test_the_order_of_rows_does_not_matter(name: str, parts: tuple[Packed, Packed]) -> None:
    model, data = made(name, parts), dataset(parts, *WITH_GAPS)
    order = np.random.default_rng(0).permutation(len(data))
    torch.testing.assert_close(
        predicted(model, data.subset(order)), predicted(model, data)[order], rtol=1e-9, atol=1e-12
    )


def test_gradient_reaches_every_parameter(name: str, parts: tuple[Packed, Packed]) -> None:
    model = made(name, parts).train()
    raw = model(dataset(parts, *WITH_GAPS).batch(torch.arange(len(DRUG))))
    (raw * torch.linspace(-1, 2, raw.numel(), dtype=raw.dtype).view_as(raw)).sum().backward()
    dead = [
        k for k, p in model.named_parameters() if p.grad is None or not bool(p.grad.isfinite().all() and p.grad.any())
    ]
    assert dead == []


def test_saved_weights_give_bit_equal_predictions(name: str, parts: tuple[Packed, Packed]) -> None:
    model, other, data = made(name, parts), made(name, parts, seed=1), dataset(parts, *WITH_GAPS)
    assert not torch.equal(predicted(other, data), predicted(model, data))
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(predicted(other, data), predicted(model, data))


def test_both_inputs_count(name: str, parts: tuple[Packed, Packed]) -> None:
    model = made(name, parts)
    other = predicted(model, dataset(parts, solvent=[1, 2, 3, 0, 0, 1, 3, 1]))
    assert not torch.isclose(other, predicted(model, dataset(parts))).any()


def test_a_row_without_any_input_is_refused(name: str, parts: tuple[Packed, Packed]) -> None:
    with pytest.raises(DataError, match="row 1 of the batch has no input"):
        predicted(made(name, parts), dataset(parts, [0, ABSENT], [ABSENT, ABSENT]))


def test_a_batch_in_which_no_row_has_one_of_the_inputs(name: str, parts: tuple[Packed, Packed]) -> None:
    model = made(name, parts)
    data = dataset(parts, [0, 1, 2], [ABSENT] * 3)
    mixed = predicted(model, dataset(parts, [0, 1, 2, 3], [ABSENT] * 3 + [0]))
    torch.testing.assert_close(predicted(model, data), mixed[:3], rtol=1e-9, atol=1e-12)
    model.train()(data.batch(torch.arange(3))).sum().backward()


def test_the_signature_is_the_schema_of_its_settings(name: str) -> None:
    _, given, *tunable = inspect.signature(registry.model(name).__init__).parameters.values()
    assert given.name == "encoders" and given.default is given.empty
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in tunable)
    assert set(registry.model(name).space) <= {p.name for p in tunable}


def test_every_corner_of_the_search_space_can_be_built(name: str, parts: tuple[Packed, Packed]) -> None:
    for key, values in registry.model(name).space.items():
        for value in values if isinstance(values, list) else (values["low"], values["high"]):
            assert made(name, parts, **{key: value}).encoder.dim > 0


WRONG = [("hidden", 0), ("rank", 0), ("heads", 3), ("heads", 0), ("modality_dropout", 1.0), ("modality_dropout", -0.1)]


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [(name, key, value) for name in NAMES for key, value in WRONG if key in registry.settings(registry.model(name))],
)
def test_values_out_of_range_are_refused(name: str, parts: tuple[Packed, Packed], key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=key):
        made(name, parts, **{key: value})


def test_it_is_a_fusion(name: str, parts: tuple[Packed, Packed]) -> None:
    fusion = made(name, parts).encoder
    assert isinstance(fusion, Fusion) and fusion.pooled
    assert fusion.schemas == {"drug": parts[0].schema, "solvent": parts[1].schema}
    with pytest.raises(ConfigError, match="two inputs"):
        registry.model(name)({"drug": GIN(parts[0].schema)})
    with pytest.raises(ConfigError, match=r"cannot be called 'a\.b'"):
        registry.model(name)({"a.b": GIN(parts[0].schema), "solvent": GAT(parts[1].schema)})
