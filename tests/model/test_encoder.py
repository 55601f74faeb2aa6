"""What a model asks of an encoder, also of one that somebody else wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from molgraph.data.dataset import Batch, Input
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError, DataError
from molgraph.fit.device import choose
from molgraph.fit.infer import estimate
from molgraph.fit.steps import plain
from molgraph.fit.steps.mixup import Mixup
from molgraph.fusion.concat import Concat
from molgraph.kinds.number import Number
from molgraph.model.encoder import Encoder, Features
from molgraph.model.model import Model
from molgraph.predictor.ready import unlabelled
from molgraph.rooms.molecule.prepare import prepare

PARTS = prepare(["CCO", "C", "c1ccccc1O"], ("graph",)).parts
ATOMS = PARTS.offsets["atom"]
ME = f"{__name__}.Foreign"
Change = Callable[[Features], Any]


class Foreign(Encoder):
    """Embed the first code of each atom, then do to the features whatever a test wants."""

    def __init__(self, schema: Any, change: Change = lambda features: features, dim: Any = 4, extra: Any = 0) -> None:
        super().__init__(schema)
        self.change, self.extra = change, extra
        if dim is not None:
            self.dim = dim
        self.layer, self.seen = nn.Linear(1, 4), list[int]()

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        self.seen.append(len(parts))
        values = self.layer(parts.values["atom"][:, :1].float())
        return self.change(Features(values, parts.offsets["atom"], index))  # type: ignore[no-any-return]


def batch(index: list[int]) -> Batch:
    return Batch({"molecule": PARTS}, {"molecule": torch.tensor(index, dtype=torch.int64)}, Targets.none(len(index)))


def model(change: Change = lambda features: features, **widths: Any) -> Model:
    torch.manual_seed(0)
    return Model(Foreign({}, change, **widths), Number(("a",)), hidden=4)


def per_part(features: Features) -> Tensor:
    return torch.stack([some.mean(0) for some in features.values.split(features.offsets.diff().tolist())])


WRONG: dict[str, tuple[Change, str]] = {
    "one row for each row of the batch": (
        lambda f: Features(per_part(f)[f.index], None, f.index),
        r"values of shape \[4, 4\].*instead of \[3, dim = 4\]: one row for each of the 3 parts",
    ),
    "atoms without offsets": (lambda f: replace(f, offsets=None), "or offsets that say which rows a part owns"),
    "another width": (lambda f: replace(f, values=f.values[:, :2]), r"values of shape \[11, 2\].*\[M, dim = 4\]"),
    "a vector": (lambda f: replace(f, values=f.values[:, 0]), r"values of shape \[11\]"),
    "whole numbers": (lambda f: replace(f, values=f.values.long()), "torch.int64, instead of"),
    "offsets of other parts": (lambda f: replace(f, offsets=f.offsets[:-1]), r"offsets of shape \[3\].*int64 \[4\]"),
    "offsets of another type": (lambda f: replace(f, offsets=f.offsets.int()), "torch.int32, instead of int64"),
    "sizes for offsets": (
        lambda f: replace(f, offsets=torch.cat([f.offsets.diff(), f.offsets[-1:]])),
        "offsets that do not rise from 0 to the 11 rows",
    ),
    "offsets that leave rows out": (
        lambda f: replace(f, offsets=f.offsets.clamp(max=9)),
        "do not rise from 0 to the 11",
    ),
    "an index of parts": (lambda f: replace(f, index=torch.arange(3)), r"an index of shape \[3\].*int64 \[4\]"),
    "rows in their own order": (lambda f: replace(f, index=torch.arange(4) % 3), "another index than the batch's"),
    "a whole that nobody announced": (lambda f: replace(f, whole=torch.zeros(3, 2)), r"`whole` of shape \[3, 2\]"),
    "a tensor": (lambda f: f.values, "returns Tensor, not molgraph.model.encoder.Features"),
    "nothing": (lambda f: None, "returns NoneType, not"),
}


@pytest.mark.parametrize("name", WRONG)
def test_features_of_the_wrong_shape_are_refused_by_the_encoders_name(name: str) -> None:
    change, says = WRONG[name]
    with pytest.raises(ConfigError, match=f"the encoder {ME} returns .*{says}|the encoder {ME} {says}"):
        model(change)(batch([2, 0, 0, 1]))


def test_a_whole_that_was_announced_must_come() -> None:
    with pytest.raises(ConfigError, match=rf"{ME} returns `whole` of shape None instead of \[3, extra = 2\]"):
        model(extra=2)(batch([0, 1, 2]))
    good = model(lambda f: replace(f, whole=torch.ones(3, 2)), extra=2)
    assert good(batch([2, 0, 0, 1])).shape == (4, 1)


def test_features_as_promised_pass_whole_or_in_rows() -> None:
    for change in (lambda f: f, lambda f: Features(per_part(f), None, f.index.clone())):
        raw = model(change)(batch([2, 0, 0, 1]))
        assert raw.shape == (4, 1) and torch.equal(raw[1], raw[2]) and not torch.equal(raw[0], raw[1])


def test_inside_a_fusion_too() -> None:
    good, bad = Foreign({}), Foreign({}, lambda f: replace(f, offsets=None))
    both = Batch(
        {"a": PARTS, "b": PARTS}, {"a": torch.tensor([0, 1, -1]), "b": torch.tensor([2, 2, 0])}, Targets.none(3)
    )
    whole = Model(Concat({"a": good, "b": Foreign({})}), Number(("a",)), hidden=4)
    assert whole(both).shape == (3, 1)
    with pytest.raises(ConfigError, match=f"the encoder {ME} returns values of shape"):
        Model(Concat({"a": good, "b": bad}), Number(("a",)), hidden=4)(both)


def test_a_batch_without_rows_or_parts_reaches_no_encoder() -> None:
    made = model(lambda f: replace(f, whole=torch.ones(len(f.offsets) - 1, 2)), extra=2)
    empty = batch([])
    raw = made(empty)
    raw.sum().backward()
    assert raw.shape == (0, 1) and made.encoder.seen == []
    optimiser = torch.optim.SGD(made.parameters(), lr=0.1)
    for step in (plain, Mixup(alpha=0.5)):
        assert [float(x) for x in step(made, empty, optimiser, choose("cpu"), 1.0)] == [0.0, 0.0]
    with pytest.raises(DataError, match="row 0 of the batch has no input"):
        made(
            Batch(
                {"m": PARTS.gather(torch.tensor([], dtype=torch.int64))}, {"m": torch.tensor([-1, -1])}, Targets.none(2)
            )
        )
    assert made.encoder.seen == []


def test_no_rows_have_no_estimates() -> None:
    made = model()
    none = unlabelled({"molecule": Input(PARTS, torch.tensor([], dtype=torch.int64))}, 0)
    assert len(estimate(made, none)) == 0 and made.encoder.seen == []


class Dumb(Encoder):
    dim = 3


class Plain(nn.Module):
    dim = 3


@pytest.mark.parametrize(
    ("encoder", "says"),
    [
        (Foreign({}, dim=None), f"the encoder {ME} has no `dim`: set self.dim, the width of its features"),
        (Foreign({}, dim=0), f"{ME} has dim = 0 for its `dim`"),
        (Foreign({}, dim=4.0), f"{ME} has dim = 4.0"),
        (Foreign({}, extra=None), f"{ME} has no `extra`"),
        (Foreign({}, extra=-1), f"{ME} has extra = -1"),
        (Dumb({}), "Dumb has no `forward`: write it; it returns Features"),
        (Plain(), r"Plain is no molgraph.model.encoder.Encoder: derive it"),
    ],
)
def test_what_an_encoder_lacks_is_named_with_its_class(encoder: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Model(encoder, Number(("a",)))
