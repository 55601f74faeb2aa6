"""Every row of a batch comes twice, with parts of its own."""

from __future__ import annotations

import numpy as np
import torch

from molgraph.data.dataset import Input
from molgraph.data.packed import pack
from molgraph.data.targets import Targets
from molgraph.data.twice import Twice


def twice() -> Twice:
    parts = pack({"value": ("item", torch.arange(6.0))}, {"item": torch.tensor([1, 3, 2])}, {"value": [1]}, 3)
    targets = Targets.of(("of",), torch.tensor([[7.0], [8.0], [9.0], [7.0]]))
    return Twice({"input": Input(parts, torch.tensor([0, 1, 2, 0]))}, targets, np.arange(4), ("",) * 4)


def test_all_rows_come_and_then_all_again() -> None:
    batch = twice().batch(torch.tensor([2, 0, 3]))
    parts, index = batch.single()
    assert len(batch) == 6 and batch.targets.values[:, 0].tolist() == [9, 7, 7, 9, 7, 7]
    assert len(parts) == 4, "the two parts of the batch, twice"
    owned = [parts.values["value"][parts.offsets["item"][at] : parts.offsets["item"][at + 1]].tolist() for at in index]
    assert owned == [[4, 5], [0], [0]] * 2
    assert not set(index[:3].tolist()) & set(index[3:].tolist()), "the second view is another part"


def test_some_of_the_rows_come_twice_too() -> None:
    some = twice().subset([1])
    assert isinstance(some, Twice) and len(some) == 1
    assert some.batch(torch.tensor([0])).targets.values[:, 0].tolist() == [8, 8]
