from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from molgraph.data.dataset import ABSENT, Batch, Dataset, Input
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.fusion.concat import Concat
from molgraph.fusion.fusion import Fusion
from molgraph.fusion.gated import Gated
from molgraph.fusion.kept import Encoded, Kept
from molgraph.model.encoder import Encoder, Features

ROWS = 6


class Counting(Encoder):
    """Give the one value of each part through a linear layer, and count how often that happens."""

    def __init__(self, *, dim: int = 3, pooled: bool = True) -> None:
        super().__init__({})
        self.dim, self.calls, self.rows = dim, 0, 0
        self.linear = nn.Linear(1, dim)
        self.register_buffer("shift", torch.zeros(1))

    pooled = True

    def adapt(self, train: Dataset) -> None:
        ((self.adapted_to, _),) = train.inputs.items()

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        self.calls += 1
        self.rows += len(parts)
        return Features(self.linear(parts.values["value"] + self.shift), None, index)


def parts(count: int) -> Packed:
    return Packed({"value": torch.arange(1.0, count + 1).unsqueeze(1)}, {"value": "part"}, {}, {"value": [1]}, count)


def screen(molecules: int = ROWS) -> Dataset:
    """Return a screen of different molecules against one protein."""
    inputs = {
        "drug": Input(parts(molecules), torch.arange(molecules)),
        "target": Input(parts(1), torch.zeros(molecules, dtype=torch.int64)),
    }
    return Dataset(inputs, Targets.none(molecules), np.arange(molecules), ("",) * molecules)


def fusion(**settings: float) -> tuple[Fusion, Counting, Counting]:
    torch.manual_seed(0)
    drug, target = Counting(), Counting(dim=2)
    return Concat({"drug": drug, "target": target}, **settings), drug, target


def run(model: Fusion, data: Dataset, size: int = 2) -> Tensor:
    return torch.cat([model(data.batch(rows)).values for rows in torch.arange(len(data)).split(size)])


def test_one_protein_is_encoded_once_for_a_whole_screen() -> None:
    model, drug, target = fusion()
    data = screen()
    with torch.no_grad():
        kept = run(model.eval(), data)
    assert (target.calls, target.rows) == (1, 1)
    assert (drug.calls, drug.rows) == (3, 6)
    fresh = run(model, data)  # with gradients nothing is kept
    assert target.calls == 4
    assert torch.equal(kept, fresh)


def test_each_part_of_a_panel_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, drug, target = fusion()
    pairs = torch.cartesian_prod(torch.arange(5), torch.arange(4))[torch.randperm(20)]
    inputs = {"drug": Input(parts(5), pairs[:, 0]), "target": Input(parts(4), pairs[:, 1])}
    data = Dataset(inputs, Targets.none(20), np.arange(20), ("",) * 20)
    fresh = run(model.eval(), data, 3).detach()
    drug.rows = target.rows = 0
    with torch.no_grad():
        torch.testing.assert_close(run(model, data, 3), fresh)
        assert (drug.rows, target.rows) == (5, 4)
        monkeypatch.setattr("molgraph.fusion.kept.MOST", 7)  # two parts of three numbers fit, and a batch more
        torch.testing.assert_close(run(model, data.subset(torch.arange(20)), 3), fresh)
        other = Dataset({n: Input(parts(len(i.parts)), i.index) for n, i in inputs.items()}, *_rest(20))
        torch.testing.assert_close(run(model, other, 3), fresh)
    assert drug.rows > 10


def _rest(count: int) -> tuple[Targets, object, tuple[str, ...]]:
    return Targets.none(count), np.arange(count), ("",) * count


def test_what_was_kept_is_not_served_after_the_weights_changed() -> None:
    model, _, target = fusion()
    data = screen()
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)

    def served() -> Tensor:
        with torch.no_grad():
            return run(model.eval(), data, ROWS)

    def true() -> Tensor:
        return run(model.eval(), data, ROWS).detach()

    def step() -> None:
        run(model, data).square().sum().backward()
        optimiser.step()

    changes = [
        step,
        lambda: model.load_state_dict({k: v + 1 for k, v in model.state_dict().items()}),
        lambda: target.linear.weight.data.mul_(3),
        lambda: model.load_state_dict({k: v * 2 for k, v in model.state_dict().items()}, assign=True),
        lambda: target.shift.add_(1),
    ]
    for change in changes:
        before, calls = served(), target.calls
        assert torch.equal(served(), before) and target.calls == calls
        change()
        assert not torch.equal(served()[:, 3:5], before[:, 3:5])
        assert torch.equal(served(), true())


def test_what_is_kept_on_a_card_of_a_store_off_it_is_taken_on_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = screen().batch(torch.tensor([0, 2, 3])).to("meta")  # as a card that is not there
    store, ids = batch.origin["drug"]
    assert batch.parts["drug"].device.type == "meta" and store.device.type == ids.device.type == "cpu"
    taken = []
    take = Encoded.take
    monkeypatch.setattr(Encoded, "take", lambda self, at: taken.append(at.device.type) or take(self, at))

    def encode(at: Tensor) -> Encoded:
        made = torch.empty(len(at), 3, device="meta")
        return Encoded(made[:0], None, made)

    kept = Kept(store, [])
    assert kept.of(ids, encode).parts.device.type == "meta"
    assert taken == ["meta"]


def test_what_was_kept_is_not_served_in_another_precision() -> None:
    model, _, target = fusion()
    data = screen()
    with torch.no_grad():
        run(model.eval(), data)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = run(model, data, ROWS)
            assert torch.equal(run(model, data, ROWS), rounded)
        assert target.calls == 2
        full = run(model, data, ROWS)
    assert not torch.equal(full[:, 3:5], rounded[:, 3:5])


def test_training_drops_what_was_kept() -> None:
    model, _, target = fusion()
    with torch.no_grad():
        run(model.eval(), screen())
        model.eval()
        assert model._kept
        run(model.train(), screen())
    assert not model._kept and target.calls == 1 + 3


def test_what_is_kept_is_no_weight() -> None:
    model, _, _ = fusion()
    names = set(model.state_dict())
    with torch.no_grad():
        run(model.eval(), screen())
    assert set(model.state_dict()) == names


def test_an_absent_input_is_its_learnt_vector_and_a_zero_in_the_mask() -> None:
    model, drug, target = fusion()
    with torch.no_grad():
        model.absent["target"].copy_(torch.tensor([5.0, 7.0]))
        batch = Batch(
            {"drug": parts(2), "target": parts(1)},
            {"drug": torch.tensor([1, 0]), "target": torch.tensor([ABSENT, 0])},
            Targets.none(2),
        )
        values = model.eval()(batch).values
        drugs, targets = drug.linear(torch.tensor([[2.0], [1.0]])), target.linear(torch.ones(1, 1))
    assert torch.equal(values[0], torch.cat([drugs[0], torch.tensor([5.0, 7.0, 1.0, 0.0])]))
    assert torch.equal(values[1], torch.cat([drugs[1], targets[0], torch.tensor([1.0, 1.0])]))


def test_modality_dropout_hides_inputs_of_rows_and_never_all() -> None:
    model, _, _ = fusion(modality_dropout=0.3)
    data = screen(4000)
    torch.manual_seed(0)
    seen = model.train()(data.batch(torch.arange(4000))).values[:, -2:]
    assert bool((seen.sum(1) >= 1).all())
    both_hidden = 0.3**2  # in those rows, the one that was drawn to stay
    expected = 0.3 - both_hidden / 2
    assert (1 - seen.mean(0)).tolist() == pytest.approx([expected, expected], abs=0.02)
    lone = Dataset(
        {"drug": data.inputs["drug"], "target": Input(parts(1), torch.full((4000,), ABSENT))},
        data.targets,
        data.rows,
        data.ids,
    )
    assert bool((model(lone.batch(torch.arange(4000))).values[:, -2:] == torch.tensor([1.0, 0.0])).all())
    assert bool((model.eval()(data.batch(torch.arange(4000))).values[:, -2:] == 1).all())


def test_each_encoder_adapts_to_its_own_input() -> None:
    model, drug, target = fusion()
    model.adapt(screen())
    assert (drug.adapted_to, target.adapted_to) == ("drug", "target")


def test_three_inputs_are_gated_by_shares_that_add_up_to_one() -> None:
    torch.manual_seed(0)
    names = ("image", "text", "record")
    model = Gated({name: Counting() for name in names}, hidden=4).eval()
    inputs = {name: Input(parts(3), torch.tensor([0, 1, 2])) for name in names}
    data = Dataset(inputs, Targets.none(3), np.arange(3), ("",) * 3)
    assert model(data.batch(torch.arange(3))).values.shape == (3, 4)
    with torch.no_grad():
        for linear in model.values:
            linear.weight.zero_()
            linear.bias.fill_(0.5)
        torch.testing.assert_close(
            model(data.batch(torch.arange(3))).values, torch.full((3, 4), np.tanh(0.5), dtype=torch.float32)
        )
