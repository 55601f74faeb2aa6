"""What every registered encoder of molecular graphs promises, on real molecules."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from molgraph import registry
from molgraph.data.dataset import Dataset, Input
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.kinds.number import Number
from molgraph.model.model import Model
from molgraph.rooms.molecule.prepare import prepare

OTHERS = (
    "molecule/feedforward",
    *(f"molecule/smiles_{kind}" for kind in ("cnn", "rnn", "lstm", "gru")),
)
# numbers: see tests/model/test_numbers.py; strings: see test_strings.py
NAMES = [n for n in registry.own_models() if n.startswith("molecule/") and registry.model(n).family == "network"]
NAMES = [name for name in NAMES if name not in OTHERS]
MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C",  # one atom, no bond
    "CN1CCC[C@H]1c1cccnc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "FC(F)(F)c1ccc(/C=C/C2CC2)cc1S(N)(=O)=O",
    "O=C1NC(=O)C(c2ccccc2)(c2ccccc2)N1",
    "[Na+]",
    "C1CC2CCC1CC2",
    "CCO",
]
TINY: dict[str, Any] = {"hidden": 16, "depth": 3}


@pytest.fixture(scope="module")
def parts() -> Packed:
    return prepare(MOLECULES, ("graph", "descriptors"), standardise=False).parts


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def dataset(parts: Packed, index: list[int] | None = None) -> Dataset:
    at = torch.arange(len(parts)) if index is None else torch.tensor(index)
    n = len(at)
    return Dataset({"molecule": Input(parts, at)}, Targets.none(n), np.arange(1, n + 1), tuple(map(str, range(n))))


def made(name: str, parts: Packed, seed: int = 0, outputs: int = 2, **settings: Any) -> Model:
    """Return a small model in float64, adapted to all parts, in evaluation mode."""
    torch.manual_seed(seed)
    encoder = registry.model(name)(parts.schema, **TINY, **settings)
    encoder.adapt(dataset(parts))
    return Model(encoder, Number(tuple("ab"[:outputs])), hidden=16).double().eval()


def predicted(model: Model, parts: Packed) -> Tensor:
    with torch.no_grad():
        return model(dataset(parts).batch(torch.arange(len(parts))))


def renumbered(parts: Packed, seed: int) -> Packed:
    """Return the same graphs with atoms and bonds in another order and each bond's ends possibly swapped."""
    draw = torch.Generator().manual_seed(seed)
    values = {name: value.clone() for name, value in parts.values.items()}
    for part in range(len(parts)):
        atoms = slice(*parts.offsets["atom"][part : part + 2].tolist())
        bonds = slice(*parts.offsets["bond"][part : part + 2].tolist())
        order = torch.randperm(atoms.stop - atoms.start, generator=draw)
        other = torch.randperm(bonds.stop - bonds.start, generator=draw)
        values["atom"][atoms] = parts.values["atom"][atoms][order]
        values["bond"][bonds] = parts.values["bond"][bonds][other]
        ends = torch.argsort(order)[parts.values["ends"][bonds].long()][other]
        swap = torch.rand(len(ends), generator=draw) < 0.5
        values["ends"][bonds] = torch.where(swap.unsqueeze(1), ends.flip(1), ends).int()
    return replace(parts, values=values)


@pytest.mark.parametrize("descriptors", [False, True])
def test_shapes(name: str, parts: Packed, descriptors: bool) -> None:
    model = made(name, parts, descriptors=descriptors)
    encoder = model.encoder
    features = encoder(dataset(parts).batch(torch.arange(len(parts))))
    assert encoder.dim == TINY["hidden"]
    if encoder.pooled:
        assert features.offsets is None and features.values.shape == (len(parts), encoder.dim)
    else:
        assert torch.equal(features.offsets, parts.offsets["atom"])
        assert features.values.shape == (len(parts.values["atom"]), encoder.dim)
    assert (features.whole is None) is not descriptors
    assert encoder.needs == (("graph", "descriptors") if descriptors else ("graph",))
    assert encoder.extra == (parts.schema["descriptors"][0] if descriptors else 0)
    assert predicted(model, parts).shape == (len(parts), 2)


@pytest.mark.parametrize("descriptors", [False, True])
def test_a_row_alone_is_predicted_as_in_a_batch(name: str, parts: Packed, descriptors: bool) -> None:
    model = made(name, parts, descriptors=descriptors)
    together = predicted(model, parts)
    alone = torch.cat([predicted(model, parts.gather(torch.tensor([i]))) for i in range(len(parts))])
    torch.testing.assert_close(alone, together, rtol=1e-10, atol=1e-12)
    assert len(torch.unique(together[:, 0])) == len(parts), "different molecules have different predictions"


@pytest.mark.parametrize("descriptors", [False, True])
def test_gradient_reaches_every_parameter(name: str, parts: Packed, descriptors: bool) -> None:
    model = made(name, parts, descriptors=descriptors).train()
    raw = model(dataset(parts).batch(torch.arange(len(parts))))
    (raw * torch.linspace(-1, 2, raw.numel(), dtype=raw.dtype).view_as(raw)).sum().backward()
    dead = [
        k for k, p in model.named_parameters() if p.grad is None or not bool(p.grad.isfinite().all() and p.grad.any())
    ]
    assert dead == []


def test_saved_weights_give_bit_equal_predictions(name: str, parts: Packed) -> None:
    model = made(name, parts, descriptors=True)
    other = made(name, parts.gather(torch.tensor([0, 4])), seed=1, descriptors=True)
    assert not torch.equal(predicted(other, parts), predicted(model, parts))
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(predicted(other, parts), predicted(model, parts))


def test_the_order_of_atoms_and_bonds_does_not_matter(name: str, parts: Packed) -> None:
    model = made(name, parts)
    for seed in range(3):
        torch.testing.assert_close(
            predicted(model, renumbered(parts, seed)), predicted(model, parts), rtol=1e-9, atol=1e-11
        )


def test_a_batch_without_bonds_trains(name: str, parts: Packed) -> None:
    single = parts.gather(torch.tensor([1, 6]))
    assert len(single.values["bond"]) == 0
    model = made(name, parts).train()
    raw = model(dataset(single).batch(torch.arange(2)))
    raw.sum().backward()
    assert raw.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    torch.testing.assert_close(predicted(model.eval(), single), predicted(model, parts)[[1, 6]], rtol=1e-10, atol=1e-12)


def test_it_trains_on_one_molecule_of_one_atom(name: str, parts: Packed) -> None:
    model = made(name, parts, dropout=0.1).train()
    assert model(dataset(parts.gather(torch.tensor([1]))).batch(torch.tensor([0]))).isfinite().all()


def test_it_adapts_to_training_rows_without_a_bond(name: str, parts: Packed) -> None:
    encoder = registry.model(name)(parts.schema, **TINY)
    encoder.adapt(dataset(parts, [1, 6]))
    model = Model(encoder, Number(("a",)))
    assert model(dataset(parts).batch(torch.arange(len(parts)))).isfinite().all()


def test_a_molecule_of_many_rows_is_encoded_once(name: str, parts: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(name, parts)
    seen = []
    encode = model.encoder.encode
    monkeypatch.setattr(model.encoder, "encode", lambda atom, *rest: seen.append(len(atom)) or encode(atom, *rest))
    rows = [4, 0, 4, 4, 8, 0]
    with torch.no_grad():
        raw = model(dataset(parts, rows).batch(torch.arange(len(rows))))
    sizes = parts.offsets["atom"].diff()
    assert seen == [int(sizes[[0, 4, 8]].sum())]
    assert torch.equal(raw[0], raw[2])
    assert torch.equal(raw[0], raw[3])
    assert torch.equal(raw[1], raw[5])
    torch.testing.assert_close(raw, predicted(model, parts)[rows], rtol=1e-10, atol=1e-12)


def test_predictions_repeat_to_the_bit(name: str, parts: Packed) -> None:
    model = made(name, parts)
    assert torch.equal(predicted(model, parts), predicted(model, parts))


def test_the_signature_is_the_schema_of_its_settings(name: str, parts: Packed) -> None:
    made = registry.model(name)
    _, given, *tunable = inspect.signature(made.__init__).parameters.values()
    assert given.name == "schema" and given.default is given.empty
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in tunable)
    assert set(made.space) <= {p.name for p in tunable}


def test_every_corner_of_the_search_space_can_be_built(name: str, parts: Packed) -> None:
    made = registry.model(name)
    for key, values in made.space.items():
        for value in values if isinstance(values, list) else (values["low"], values["high"]):
            assert made(parts.schema, **{key: value}).dim > 0


@pytest.mark.parametrize(
    "wrong", [{"hidden": 0}, {"hidden": -4}, {"depth": 0}, {"dropout": 1.0}, {"dropout": -0.1}], ids=str
)
def test_values_out_of_range_are_refused(name: str, parts: Packed, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        registry.model(name)(parts.schema, **wrong)


def test_descriptors_that_were_not_prepared_are_refused(name: str, parts: Packed) -> None:
    graphs = parts.only(("atom", "bond", "ends"))
    with pytest.raises(ConfigError, match="descriptors"):
        registry.model(name)(graphs.schema, descriptors=True)
