"""The network of records: unknown cells enter as the mean with a mark, and cost nobody else anything."""

from __future__ import annotations

import pytest
import torch

from molgraph.data.dataset import Dataset, Input
from molgraph.data.packed import PART, pack
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.rooms.disease.encoders.feedforward import FeedForward
from molgraph.rooms.disease.prepare import RECORD

NAN = float("nan")


def dataset(rows: list[list[float]]) -> Dataset:
    values = torch.tensor(rows)
    parts = pack({RECORD: (PART, values)}, {}, {RECORD: [values.shape[1]]}, len(rows))
    index = torch.arange(len(rows))
    return Dataset({"input": Input(parts, index)}, Targets.none(len(rows)), index.numpy() + 1, ("",) * len(rows))


def test_scales_are_those_of_what_is_known() -> None:
    encoder = FeedForward({RECORD: [2]})
    encoder.adapt(dataset([[1.0, NAN], [3.0, 5.0], [NAN, 5.0]]))
    assert encoder.scale.mean.tolist() == [2.0, 5.0]
    assert encoder.scale.rate.tolist() == [1.0, 0.0]  # the second says 5 in every row in which it says anything


def test_unknown_is_told_from_the_mean() -> None:
    encoder = FeedForward({RECORD: [2]}, dropout=0.0).eval()
    encoder.adapt(dataset([[1.0, 0.0], [3.0, 4.0]]))
    values = encoder(dataset([[2.0, 2.0], [NAN, 2.0], [NAN, NAN]]).batch(torch.arange(3))).values
    assert values.shape == (3, 64) and bool(values.isfinite().all())
    assert not torch.allclose(values[0], values[1])
    alone = encoder(dataset([[2.0, 2.0]]).batch(torch.arange(1))).values
    assert torch.allclose(alone[0], values[0], atol=1e-6)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="hidden = 0 is out of range"):
        FeedForward({RECORD: [2]}, hidden=0)
