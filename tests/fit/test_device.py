"""Datasets on a device: what they share moves once, all of them or none; `meta` stands for a card that is not there."""

from __future__ import annotations

import pytest
import tiny
import torch

from molgraph.data.dataset import Dataset, move, nbytes
from molgraph.fit import device
from molgraph.fit.device import RESIDENT_SHARE, Place


def folds() -> tuple[Dataset, Dataset]:
    data = tiny.data(100)
    return data.subset(range(80)), data.subset(range(80, 90))


def size(data: Dataset) -> int:
    """Return the bytes of what a row has of its own: index, value, weight, whether it was observed, which bound."""
    return len(data) * (8 + 8 + 4 + 1 + 1)


def test_folds_of_one_table_share_their_parts_on_a_device_too() -> None:
    train, valid = folds()
    there = move([train, valid], "meta")
    assert there[0].inputs["x"].parts is there[1].inputs["x"].parts
    for before, after in zip((train, valid), there, strict=True):
        assert (len(after), after.ids) == (len(before), before.ids)
        given = after.inputs["x"]
        assert {given.parts.device.type, given.index.device.type, after.device.type} == {"meta"}
        assert before.device.type == before.inputs["x"].parts.device.type == "cpu"


def test_what_is_there_already_stays() -> None:
    train, valid = folds()
    assert move([train, valid], "cpu")[1].inputs["x"].parts is train.inputs["x"].parts


def test_shared_parts_count_once_and_targets_and_indices_count() -> None:
    train, valid = folds()
    parts = train.inputs["x"].parts.nbytes
    assert parts == 100 * tiny.WIDTH * 4
    assert nbytes([train]) == parts + size(train)
    assert nbytes([train, valid]) == parts + size(train) + size(valid)
    assert nbytes([train, tiny.data(100)]) == 2 * parts + size(train) + 100 * 22


@pytest.mark.parametrize("fits", [True, False])
def test_all_datasets_are_resident_or_none(monkeypatch: pytest.MonkeyPatch, fits: bool) -> None:
    train, valid = folds()
    free = nbytes([train, valid]) / RESIDENT_SHARE - (0 if fits else 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda at: (free, free))
    monkeypatch.setattr(device, "move", lambda data, at: move(data, "meta" if at.type == "cuda" else at))
    found = Place(torch.device("cuda"), bfloat16=False).resident(train, valid)
    assert [each.device.type for each in found] == ["meta" if fits else "cpu"] * 2
    assert fits or (found[0] is train and found[1] is valid)


def test_on_a_cpu_datasets_stay_as_they_are() -> None:
    train, valid = folds()
    found = Place(torch.device("cpu"), bfloat16=False).resident(train, valid)
    assert found[0] is train and found[1] is valid
