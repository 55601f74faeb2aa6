from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from molgraph.data.dataset import Batch
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError, DataError
from molgraph.kinds.number import Number
from molgraph.model.encoder import Encoder, Features
from molgraph.model.model import Model
from molgraph.rooms.molecule.encoders.attentivefp import AttentiveFP
from molgraph.rooms.molecule.encoders.dmpnn import DMPNN
from molgraph.rooms.molecule.prepare import prepare

PARTS = prepare(["CCO", "C", "c1ccccc1O"], ("graph", "descriptors")).parts


def batch(index: list[int]) -> Batch:
    return Batch({"molecule": PARTS}, {"molecule": torch.tensor(index)}, Targets.none(len(index)))


def test_rows_take_the_outputs_of_their_parts() -> None:
    model = Model(DMPNN(PARTS.schema, hidden=8), Number(("a", "b", "c")), hidden=5)
    raw = model(batch([2, 0, 0, 1, 2]))
    assert raw.shape == (5, 3)
    assert torch.equal(raw[0], raw[4]) and torch.equal(raw[1], raw[2])
    assert not torch.equal(raw[0], raw[1])


def test_a_row_without_input_is_refused() -> None:
    with pytest.raises(DataError, match="row 1 of the batch has no input"):
        Model(DMPNN(PARTS.schema, hidden=8), Number(("a",)))(batch([0, -1, 2]))


@pytest.mark.parametrize("pooling", ["mean", "sum", "max", "attention", "last"])
def test_every_pooling_serves(pooling: str) -> None:
    model = Model(DMPNN(PARTS.schema, hidden=8), Number(("a",)), pooling=pooling)
    raw = model(batch([0, 1, 2]))
    raw.sum().backward()
    assert raw.isfinite().all()
    assert all(p.grad is not None for p in model.parameters())


def test_pooling_none_refuses_features_of_atoms() -> None:
    with pytest.raises(ConfigError, match="choose mean, sum, max, attention, gated or last"):
        Model(DMPNN(PARTS.schema, hidden=8), Number(("a",)), pooling="none")(batch([0]))


def test_an_encoder_that_pools_needs_no_pooling() -> None:
    model = Model(AttentiveFP(PARTS.schema, hidden=8), Number(("a",)), pooling="attention")
    assert list(model.pool.parameters()) == []
    assert model(batch([0, 1, 2])).shape == (3, 1)


def test_descriptors_join_after_pooling() -> None:
    encoder = DMPNN(PARTS.schema, hidden=8, descriptors=True)
    model = Model(encoder, Number(("a",)))
    first = model.head[0]
    assert isinstance(first, nn.Linear) and first.in_features == 8 + PARTS.schema["descriptors"][0]
    features = encoder(batch([0, 1, 2]))
    pooled = model.pool(features.values, features.offsets)
    by_hand = model.head(torch.cat([pooled, features.whole], 1))
    torch.testing.assert_close(model(batch([2, 0, 1])), by_hand[[2, 0, 1]])


def test_the_head_is_as_asked() -> None:
    model = Model(DMPNN(PARTS.schema, hidden=8), Number(("a",)), depth=3, hidden=7, dropout=0.25)
    widths = [(m.in_features, m.out_features) for m in model.head if isinstance(m, nn.Linear)]
    assert widths == [(8, 7), (7, 7), (7, 7), (7, 1)]
    assert [m.p for m in model.head if isinstance(m, nn.Dropout)] == [0.25] * 3


def test_the_head_estimates_in_float32_whatever_autocast_says_and_learns_as_it_says() -> None:
    head = Model(DMPNN(PARTS.schema, hidden=8), Number(("a",))).head
    vectors = torch.randn(1000, 8)
    exact = nn.Sequential.forward(head, vectors)
    assert torch.equal(head(vectors), exact) and torch.equal(head.eval()(vectors), exact)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(head(vectors), exact)
        rounded = head(vectors.bfloat16())
        assert head.train()(vectors).dtype == torch.bfloat16
    assert rounded.dtype == torch.float32 and len(rounded.unique()) > 950
    assert head.double().eval()(vectors.double()).dtype == torch.float64


def test_an_encoder_of_any_kind_of_part_serves() -> None:
    class Constant(Encoder):
        pooled = True

        def __init__(self) -> None:
            super().__init__({})
            self.dim = 2

        def forward(self, batch: Batch) -> Features:
            parts, index = batch.single()
            return Features(torch.arange(2.0 * len(parts)).view(-1, 2), None, index)

    model = Model(Constant(), SimpleNamespace(outputs=2), depth=0)  # type: ignore[arg-type]
    with torch.no_grad():
        model.head[0].weight.copy_(torch.eye(2))
        model.head[0].bias.zero_()
    assert model(batch([1, 0])).tolist() == [[2.0, 3.0], [0.0, 1.0]]


def test_an_encoder_is_pooled_its_own_way_unless_told() -> None:
    class Largest(DMPNN):
        pooling = "max"

    encoder = Largest(PARTS.schema, hidden=8)
    assert Model(encoder, Number(("a",))).pool.kind == "max"
    assert Model(encoder, Number(("a",)), pooling="sum").pool.kind == "sum"
    assert Model(DMPNN(PARTS.schema, hidden=8), Number(("a",))).pool.kind == "mean"
