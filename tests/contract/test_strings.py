"""What every encoder of proteins, and of molecules as strings, promises, on real sequences and SMILES."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from molgraph import registry
from molgraph.data.cells import Cells
from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.kinds.number import Number
from molgraph.model.model import Model
from molgraph.rooms.protein import residues

NAMES = [
    name
    for name in registry.own_models()
    if name.startswith(("protein/", "molecule/smiles_")) and registry.model(name).family == "network"
]
PROTEINS = [
    "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG",  # ubiquitin
    "M",
    "GIVEQCCTSICSLYQLENYCN",  # insulin, chain A
    "FVNQHLCGSHLVEALYLVCGERGFFYTPKT",  # and chain B
    "YGGFMTSEKSQTPLVTLFKNAIIKNAYKKGE",  # beta-endorphin
    "BZJXUO",
    "HSQGTFTSDYSKYLDSRRAQDFVQWLMNT",  # glucagon
]
MOLECULES = ["CC(=O)Oc1ccccc1C(=O)O", "C", "CN1CCC[C@H]1c1cccnc1", "[Na+]", "C1CC2CCC1CC2", "CCO", "c1cc[se]c1"]
TINY: dict[str, dict[str, Any]] = {
    "cnn": {"embedding": 6, "filters": 4, "depth": 3, "kernel": 5},
    "graphdta": {"length": 30, "embedding": 12, "filters": 4, "kernel": 5, "hidden": 8},
    "transformer": {"hidden": 8, "depth": 2, "heads": 2, "window": 4, "stride": 1},
    "embedding": {"hidden": 8},
    "feedforward": {"hidden": 8},
    "recurrent": {"embedding": 6, "hidden": 5, "depth": 2},
}


def tiny(name: str) -> dict[str, Any]:
    kind = name.rpartition("/")[2].removeprefix("smiles_")
    return TINY.get(kind, TINY["recurrent"])


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def parts(name: str, monkeypatch: pytest.MonkeyPatch) -> Packed:
    monkeypatch.setattr(residues, "LEAST", 1)
    room, needs = registry.room(name), registry.model(name).needs
    texts = MOLECULES if room.name == "molecule" else PROTEINS
    if needs == ("embedding",):
        random = np.random.default_rng(0)
        texts = [" ".join(map(str, random.normal(size=12))) for _ in texts]
    parts: Packed = room.reading.prepare(Cells.of(texts), needs, standardise=False).parts
    assert len(parts) == len(texts)
    return parts


def dataset(parts: Packed, index: list[int] | None = None) -> Dataset:
    at = torch.arange(len(parts)) if index is None else torch.tensor(index)
    n = len(at)
    return Dataset({"it": Input(parts, at)}, Targets.none(n), np.arange(1, n + 1), tuple(map(str, range(n))))


def made(name: str, parts: Packed, seed: int = 0, **settings: Any) -> Model:
    """Return a small model in float64, adapted to all parts, in evaluation mode, pooled as the encoder wants it."""
    torch.manual_seed(seed)
    encoder = registry.model(name)(parts.schema, **(tiny(name) | settings))
    encoder.adapt(dataset(parts))
    return Model(encoder, Number(("a", "b")), pooling=encoder.pooling, hidden=16).double().eval()


def predicted(model: Model, parts: Packed, index: list[int] | None = None) -> Tensor:
    data = dataset(parts, index)
    with torch.no_grad():
        return model(data.batch(torch.arange(len(data))))


def test_shapes(name: str, parts: Packed) -> None:
    model = made(name, parts)
    encoder = model.encoder
    features = encoder(dataset(parts).batch(torch.arange(len(parts))))
    if encoder.pooled:
        assert features.offsets is None and features.values.shape == (len(parts), encoder.dim)
    else:
        assert torch.equal(features.offsets, parts.offsets[encoder.level])
        assert features.values.shape == (len(parts.values[encoder.letters]), encoder.dim)
    assert features.whole is None and encoder.extra == 0
    assert predicted(model, parts).shape == (len(parts), 2)


@pytest.mark.parametrize("stride", [2, 3])
def test_words_are_shorter(name: str, parts: Packed, stride: int) -> None:
    if "stride" not in registry.settings(registry.model(name)):
        return
    model = made(name, parts, stride=stride)
    features = model.encoder(dataset(parts).batch(torch.arange(len(parts))))
    lengths = parts.offsets[model.encoder.level].diff()
    assert torch.equal(features.offsets.diff(), (lengths + stride - 1) // stride)
    alone = torch.cat([predicted(model, parts.gather(torch.tensor([i]))) for i in range(len(parts))])
    torch.testing.assert_close(alone, predicted(model, parts), rtol=1e-10, atol=1e-12)


def test_a_row_alone_is_predicted_as_in_a_batch(name: str, parts: Packed) -> None:
    model = made(name, parts)
    together = predicted(model, parts)
    alone = torch.cat([predicted(model, parts.gather(torch.tensor([i]))) for i in range(len(parts))])
    torch.testing.assert_close(alone, together, rtol=1e-10, atol=1e-12)
    assert len(torch.unique(together[:, 0])) == len(parts), "different strings have different predictions"


def test_gradient_reaches_every_parameter(name: str, parts: Packed) -> None:
    model = made(name, parts).train()
    raw = model(dataset(parts).batch(torch.arange(len(parts))))
    (raw * torch.linspace(-1, 2, raw.numel(), dtype=raw.dtype).view_as(raw)).sum().backward()
    dead = [
        k for k, p in model.named_parameters() if p.grad is None or not bool(p.grad.isfinite().all() and p.grad.any())
    ]
    assert dead == []


def test_training_and_prediction_compute_the_same(name: str, parts: Packed) -> None:
    """With gradients a recurrent network takes another way than without, and must arrive at the same place."""
    model = made(name, parts)
    with_gradient = model(dataset(parts).batch(torch.arange(len(parts)))).detach()
    torch.testing.assert_close(with_gradient, predicted(model, parts), rtol=1e-10, atol=1e-12)


def test_saved_weights_give_bit_equal_predictions(name: str, parts: Packed) -> None:
    model = made(name, parts)
    other = made(name, parts.gather(torch.tensor([0, 4])), seed=1)
    assert not torch.equal(predicted(other, parts), predicted(model, parts))
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(predicted(other, parts), predicted(model, parts))


def test_it_trains_on_one_string_of_one_letter(name: str, parts: Packed) -> None:
    dropout = {} if name == "protein/graphdta" else {"dropout": 0.1}
    model = made(name, parts, **dropout).train()
    raw = model(dataset(parts.gather(torch.tensor([1]))).batch(torch.tensor([0])))
    raw.sum().backward()
    assert raw.isfinite().all()


def test_a_string_of_many_rows_is_encoded_once(name: str, parts: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(name, parts)
    seen = []
    forward = model.encoder.forward
    monkeypatch.setattr(model.encoder, "forward", lambda b: seen.append(len(b.single()[0])) or forward(b))
    rows = [4, 0, 4, 4, 6, 0]
    raw = predicted(model, parts, rows)
    assert seen == [3]
    assert torch.equal(raw[0], raw[2]) and torch.equal(raw[0], raw[3]) and torch.equal(raw[1], raw[5])
    torch.testing.assert_close(raw, predicted(model, parts)[rows], rtol=1e-10, atol=1e-12)


def test_a_batch_in_which_nobody_has_it(name: str, parts: Packed) -> None:
    encoder = made(name, parts).encoder
    features = encoder(dataset(parts, [ABSENT, ABSENT]).batch(torch.arange(2)))
    assert features.values.shape == (0, encoder.dim) and features.index.tolist() == [ABSENT, ABSENT]


def test_it_adapts_where_some_rows_lack_it(name: str, parts: Packed) -> None:
    encoder = registry.model(name)(parts.schema, **tiny(name))
    encoder.adapt(dataset(parts, [0, ABSENT, 2]))
    assert encoder.double()(dataset(parts).batch(torch.arange(2))).values.isfinite().all()


def test_predictions_repeat_to_the_bit(name: str, parts: Packed) -> None:
    model = made(name, parts)
    assert torch.equal(predicted(model, parts), predicted(model, parts))


def test_the_signature_is_the_schema_of_its_settings(name: str) -> None:
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


def test_values_out_of_range_are_refused(name: str, parts: Packed) -> None:
    kind = registry.model(name)
    for key in registry.settings(kind):
        wrong = {"dropout": 1.0, "bidirectional": None, "file": None}.get(key, -1)
        if wrong is not None:
            with pytest.raises(ConfigError, match=key):
                kind(parts.schema, **{key: wrong})
