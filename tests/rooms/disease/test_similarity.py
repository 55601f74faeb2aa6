"""Gower's similarity of records, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from molgraph.data.packed import PART, Packed, pack
from molgraph.rooms.disease.prepare import RECORD
from molgraph.rooms.disease.similarity import Nearest, alike, diverse

NAN = float("nan")


def parts(*rows: list[float]) -> Packed:
    return pack({RECORD: (PART, torch.tensor(rows).reshape(len(rows), -1))}, {}, {}, len(rows))


KNOWN = parts([0.0, 1.0], [10.0, 0.0], [5.0, NAN])


def test_it_is_the_mean_over_what_is_known_of_both() -> None:
    near = Nearest(KNOWN)
    span = near.span[0]
    assert span == pytest.approx(10.0, rel=0.03)  # between the 1st and the 99th percentile
    asked = parts([2.0, 1.0], [NAN, 0.0], [NAN, NAN], [1e6, 1.0])
    expected = np.array(
        [
            [(1 - 2 / span + 1) / 2, (1 - 8 / span + 0) / 2, 1 - 3 / span],
            [0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0],
            [0.5, 0.0, 0.0],
        ]
    )
    assert near.similarity(asked) == pytest.approx(expected, abs=1e-6)
    position, similarity = near.nearest(asked)
    assert position.tolist() == [0, 1, 0, 0]
    assert similarity == pytest.approx(expected.max(1), abs=1e-6)


def test_a_record_is_not_its_own_neighbour() -> None:
    near = Nearest(KNOWN)
    whole = near.similarity(KNOWN)
    np.fill_diagonal(whole, 0)
    assert near.leave_one_out() == pytest.approx(whole.max(1))
    assert Nearest(parts([1.0, 2.0])).leave_one_out().tolist() == [0.0]


def test_what_is_the_same_in_all_training_records_tells_nothing_apart() -> None:
    near = Nearest(parts([3.0, 0.0], [3.0, 1.0]))
    assert near.similarity(parts([99.0, 0.0]))[0].tolist() == [1.0, 0.5]


def test_nobody_known() -> None:
    position, similarity = Nearest(parts([1.0]).gather(torch.zeros(0, dtype=torch.int64))).nearest(parts([1.0]))
    assert position.tolist() == [-1] and similarity.tolist() == [0.0]


def test_the_most_different_are_picked() -> None:
    assert diverse(parts([0.0], [1.0], [10.0], [4.0]), 3) == [0, 2, 3]


def test_equal_records_are_one_group() -> None:
    groups = alike(["age = 1", "age = 2", "age = 1"])
    assert groups[0] == groups[2] != groups[1]
