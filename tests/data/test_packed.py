from __future__ import annotations

import torch

from molgraph.data.packed import Packed, pack
from molgraph.rooms.molecule.prepare import prepare


def molecules() -> Packed:
    return prepare(["CCO", "C", "c1ccccc1O"], ("graph",)).parts


def test_gathered_parts_own_their_rows_in_the_order_asked_for() -> None:
    parts = molecules()
    some = parts.gather(torch.tensor([2, 0]))
    assert some.offsets["atom"].tolist() == [0, 7, 10] and some.offsets["bond"].tolist() == [0, 7, 9]
    assert torch.equal(some.values["atom"], torch.cat([parts.values["atom"][4:], parts.values["atom"][:3]]))


def test_all_parts_in_order_are_these_very_parts() -> None:
    parts = molecules()
    assert parts.gather(torch.arange(3)) is parts
    assert parts.to("cpu") is parts
    for ids in ([0, 2, 1], [0, 1], [0, 1, 1]):
        assert parts.gather(torch.tensor(ids)) is not parts
    assert parts.gather(torch.tensor([0, 1, 1])).offsets["atom"].tolist() == [0, 3, 4, 5]
    assert parts.to("meta") is not parts and parts.to("meta").device.type == "meta"


def test_rows_of_a_level_apart_are_parts_that_share_its_values() -> None:
    parts = molecules()
    atoms = parts.apart("atom")
    assert len(atoms) == 11 and set(atoms.level.values()) == {"atom"} and set(atoms.offsets) == {"atom"}
    assert atoms.values["atom"] is parts.values["atom"]
    assert torch.equal(atoms.gather(torch.tensor([4, 0])).values["atom"], parts.values["atom"][[4, 0]])


def test_parts_that_share_rows_have_their_own_once_gathered():
    values = {"x": torch.tensor([1.0, 2.0, 3.0, 4.0])}
    parts = Packed(values, {"x": "visit"}, {"visit": torch.tensor([[0, 1], [0, 3], [3, 4], [2, 2]])}, {}, 4)
    every = parts.gather(torch.arange(4))
    assert every.values["x"].tolist() == [1.0, 1.0, 2.0, 3.0, 4.0] and every.offsets["visit"].tolist() == [
        0,
        1,
        4,
        5,
        5,
    ]
    both = Packed.cat([parts, parts.gather(torch.tensor([1]))])
    assert both.values["x"].tolist() == [1.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0] and len(both) == 5


def test_parts_of_which_nothing_is_asked_are_put_together_too():
    nothing = pack({}, {}, {}, 3)
    assert len(Packed.cat([nothing, nothing])) == 6 and nothing.device.type == "cpu"
