from __future__ import annotations

import pytest
import torch
from torch import Tensor

from molgraph.data.dataset import ABSENT, Batch
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.fusion import cross
from molgraph.fusion.cross import Cross
from molgraph.model.encoder import Encoder, Features
from molgraph.rooms.molecule.encoders.attentivefp import AttentiveFP
from molgraph.rooms.molecule.encoders.gin import GIN
from molgraph.rooms.molecule.prepare import prepare

PAIRS = [(0, 0), (0, 1), (1, 0), (2, 2), (ABSENT, 0), (3, 1), (1, ABSENT), (3, 2), (2, 0)]


class Rows(Encoder):
    """Give the rows of each part as they are."""

    def __init__(self, dim: int) -> None:
        super().__init__({})
        self.dim = dim

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        return Features(parts.values["row"], parts.offsets["row"], index)


def ragged(lengths: list[int], dim: int, seed: int) -> Packed:
    values = torch.randn(sum(lengths), dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return Packed({"row": values}, {"row": "row"}, {"row": offsets}, {"row": [dim]}, len(lengths))


DRUGS, TARGETS = ragged([3, 1, 5, 0], 4, 0), ragged([7, 2, 11], 6, 1)  # the last drug has no atom


def batch() -> Batch:
    drug, target = torch.tensor(PAIRS).unbind(1)
    return Batch({"drug": DRUGS, "target": TARGETS}, {"drug": drug, "target": target}, Targets.none(len(PAIRS)))


def made(seed: int = 0) -> Cross:
    torch.manual_seed(seed)
    return Cross({"drug": Rows(4), "target": Rows(6)}, hidden=6, heads=2).double()


def elu(x: Tensor) -> Tensor:
    return torch.where(x > 0, x + 1, x.exp())


def by_hand(model: Cross, drug: Tensor, target: Tensor) -> Tensor:
    """Attend in one pair, head by head."""
    sums: tuple[list[Tensor], list[Tensor]] = ([], [])
    for head in range(2):
        cut = slice(3 * head, 3 * head + 3)
        scores = elu(model.keys[0](drug))[:, cut] @ elu(model.keys[1](target))[:, cut].T
        sums[0].append((scores / scores.sum(0)).mean(1) @ model.values[0](drug)[:, cut])
        sums[1].append((scores / scores.sum(1, keepdim=True)).mean(0) @ model.values[1](target)[:, cut])
    return torch.cat([*sums[0], *sums[1]])


@pytest.mark.parametrize("cells", [1, 400, cross.CELLS])
def test_rows_in_chunks_are_as_each_pair_by_hand(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross, "CELLS", cells)
    model = made().eval()
    values = model(batch()).values
    found = values[:, 10:-2]  # after the pooled 4 + 6, before the mask
    for (d, t), row in zip(PAIRS, found, strict=True):
        if ABSENT in (d, t) or d == 3:
            assert not row.any()
            continue
        drug, target = (p.gather(torch.tensor([i])).values["row"] for p, i in ((DRUGS, d), (TARGETS, t)))
        torch.testing.assert_close(row, by_hand(model, drug, target), rtol=1e-10, atol=1e-12)


def test_gradients_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for cells in (1, cross.CELLS):
        monkeypatch.setattr(cross, "CELLS", cells)
        model = made().train()
        model(batch()).values.square().sum().backward()
        found.append([p.grad for p in (*model.keys.parameters(), *model.values.parameters())])
    for one, other in zip(*found, strict=True):
        assert one is not None and one.any()
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_which_side_is_longer_does_not_matter() -> None:
    torch.manual_seed(0)
    one = Cross({"drug": Rows(4), "target": Rows(6)}, hidden=6, heads=2).double().eval()
    other = Cross({"target": Rows(6), "drug": Rows(4)}, hidden=6, heads=2).double().eval()
    for mine, theirs in ((one.keys, other.keys), (one.values, other.values)):
        for a in (0, 1):
            theirs[1 - a].load_state_dict(mine[a].state_dict())
    drug, target = one(batch()).values[:, 10:-2].split(6, 1)
    torch.testing.assert_close(other(batch()).values[:, 10:-2], torch.cat([target, drug], 1), rtol=1e-10, atol=1e-12)


def test_a_chunk_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross, "CELLS", 60)
    parts = torch.tensor([0] * 9 + [2] * 4)
    of, sizes = cross._runs(parts, TARGETS.offsets["row"], heads=2)
    assert (of, sizes) == ([0, 0, 0, 2, 2], [4, 4, 1, 2, 2])  # 60 / (2 x 7) and 60 / (2 x 11)


def test_it_joins_two_inputs_that_leave_elements() -> None:
    schema = prepare(["CCO"], ("graph",)).parts.schema
    gin = GIN(schema, hidden=8)
    with pytest.raises(ConfigError, match="leaves no elements to attend to"):
        Cross({"drug": gin, "solvent": AttentiveFP(schema, hidden=8)})
    with pytest.raises(ConfigError, match="joins two inputs, not 3"):
        Cross({"a": gin, "b": GIN(schema, hidden=8), "c": GIN(schema, hidden=8)})
