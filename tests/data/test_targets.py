from __future__ import annotations

import torch

from molgraph.data.targets import Targets


def ragged() -> Targets:
    values = torch.arange(12, dtype=torch.float32).reshape(6, 2)
    whole = Targets.of(("a", "b"), values)
    return Targets(whole.names, whole.values, whole.observed, whole.bound, whole.weight, torch.tensor([0, 1, 4, 6]))


def test_rows_that_own_several_values() -> None:
    targets = ragged()
    assert len(targets) == 3
    taken = targets.take(torch.tensor([2, 0, 2]))
    assert taken.offsets is not None and taken.offsets.tolist() == [0, 2, 3, 5]
    assert taken.values[:, 0].tolist() == [8, 10, 0, 8, 10]
    assert taken.observed.shape == taken.bound.shape == taken.weight.shape == (5, 2)


def test_columns_and_devices_keep_who_owns_what() -> None:
    targets = ragged()
    column = targets.column("b")
    assert column.names == ("b",) and column.values.shape == (6, 1) and len(column) == 3
    moved = targets.to("cpu")
    assert moved.offsets is not None and moved.offsets.tolist() == [0, 1, 4, 6]


def test_one_value_per_row_is_as_before() -> None:
    targets = Targets.of(("a",), torch.tensor([[1.0], [float("nan")], [3.0]]))
    taken = targets.take(torch.tensor([2, 1]))
    assert len(targets) == 3 and taken.offsets is None
    assert taken.values[:, 0].tolist() == [3, 0] and taken.observed[:, 0].tolist() == [True, False]
