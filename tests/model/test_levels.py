"""The levels of encoders: every weight once, from the input up."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from molgraph import registry
from molgraph.fusion.concat import Concat
from molgraph.model.encoder import Encoder
from molgraph.rooms.molecule.encoders.dmpnn import DMPNN
from molgraph.rooms.molecule.encoders.gin import GIN
from molgraph.rooms.molecule.prepare import prepare
from molgraph.rooms.protein.encoders.cnn import CNN
from molgraph.rooms.protein.prepare import prepare as proteins

GRAPHS = prepare(["CCO", "c1ccccc1O"], ("graph",)).parts.schema
READ: dict[str, tuple[Any, list[str]]] = {"molecule": (prepare, ["CCO", "C"]), "protein": (proteins, ["MKTAY", "MK"])}


def names(encoder: Encoder) -> list[list[str]]:
    """Return the parts at each level."""
    return [sorted({name.rpartition(".")[0] for name in level}) for level in encoder.levels()]


def test_an_encoder_says_its_order() -> None:
    assert [sorted({n.split(".")[0] for n in level}) for level in DMPNN(GRAPHS, hidden=8).levels()] == [
        ["W_i_atom", "W_i_bond"], ["W_h"], ["W_o", "W_o_atom"],
    ]  # fmt: skip
    levels = GIN(GRAPHS, hidden=8, depth=3).levels()
    assert [sorted({".".join(n.split(".")[: 1 + (n[0] in "ln")]) for n in level}) for level in levels] == [
        ["atom", "bond"], ["layers.0", "norms.0"], ["layers.1", "norms.1"], ["layers.2", "norms.2"],
    ]  # fmt: skip


def test_a_sequence_is_climbed_step_by_step_and_a_norm_goes_with_what_it_follows() -> None:
    class Stacked(Encoder):
        def __init__(self) -> None:
            super().__init__({})
            block = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.ReLU())
            self.network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.GroupNorm(1, 2), nn.ReLU(), block)

    assert names(Stacked()) == [["network.0", "network.1"], ["network.3.0", "network.3.1"]]


def test_encoders_of_a_fusion_stand_side_by_side_their_tops_level() -> None:
    protein = proteins(["MKTAY"], CNN.needs).parts.schema
    levels = Concat({"a": GIN(GRAPHS, hidden=8, depth=2), "b": CNN(protein)}).levels()
    assert {name.split(".")[0] for name in levels[-1]} == {"absent"}
    assert {name.split(".")[1] for name in levels[-2]} == {"a", "b"}


@pytest.mark.parametrize(
    "name",
    [n for n in registry.own_models() if n.partition("/")[0] in READ and registry.model(n).family == "network"],
)
def test_every_weight_of_an_encoder_has_one_level(name: str) -> None:
    made, (read, texts) = registry.model(name), READ[name.partition("/")[0]]
    needs = made.asks({key: p.default for key, p in registry.settings(made).items()})
    if any(need.startswith("embedding") for need in needs):
        pytest.skip("needs a file of vectors")
    encoder = made(read(texts, needs).parts.schema)
    levels = encoder.levels()
    assert all(levels) and len(levels) > 1
    assert sorted(n for level in levels for n in level) == sorted(n for n, _ in encoder.named_parameters())
