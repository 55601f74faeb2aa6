"""Numbers come back as they were, wherever they lie and however little they differ."""

import numpy as np
import pytest
import torch

from molgraph.data.targets import Targets
from molgraph.errors import DataError
from molgraph.kinds import make

PLACES = [(0.0, 1.0), (1e7, 0.01), (1e12, 1.0), (-1e9, 2.0), (0.0, 1e-12), (0.0, 1e30), (5.0, 1e-7)]


def targets_at(offset: float, unit: float) -> Targets:
    values = offset + unit * torch.randn(50, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return Targets.of(("y",), values)


@pytest.mark.parametrize(("offset", "unit"), PLACES)
@pytest.mark.parametrize("variance", [False, True])
def test_a_value_becomes_deviations_and_comes_back(offset, unit, variance):
    given = targets_at(offset, unit)
    task = make({"y": "regression"}, variance=variance).adapt(given)
    scaled = task.scaled(given.values)
    assert scaled.dtype == torch.float32
    assert abs(float(scaled.mean())) < 1e-4
    assert float(scaled.std(unbiased=False)) == pytest.approx(1, abs=1e-4)
    raw = torch.cat([scaled, torch.zeros_like(scaled)], 1) if variance else scaled
    back = task.predict(raw)[:, :1]
    assert float((back - given.values).abs().max()) <= 1e-6 * unit + abs(offset) * 1e-15


def test_the_loss_is_that_of_the_deviations_wherever_they_lie():
    raw = torch.linspace(-1, 1, 50)[:, None]
    for offset, unit in PLACES:
        given = targets_at(offset, unit)
        loss, _ = make({"y": "regression"}).adapt(given).loss(raw, given)
        z = (given.values - given.values.mean()) / given.values.std(unbiased=False)
        torch.testing.assert_close(loss.double(), (raw - z).square(), atol=1e-3, rtol=1e-3)


def test_that_all_values_are_equal_is_said_only_where_they_are():
    near = Targets.of(("y",), torch.tensor([[1e8], [1e8 + 0.5]], dtype=torch.float64))
    assert make({"y": "regression"}).adapt(near).of("y").scale == (1e8 + 0.25, 0.25)
    tiny = Targets.of(("y",), torch.tensor([[1e-200], [3e-200]], dtype=torch.float64))
    assert make({"y": "regression"}).adapt(tiny).of("y").scale == (2e-200, pytest.approx(1e-200))
    tenths = Targets.of(("y",), torch.tensor([[0.1]] * 3, dtype=torch.float64))  # their mean is not 0.1
    with pytest.raises(DataError, match=r"all 3 training rows have the value 0\.1;"):
        make({"y": "regression"}).adapt(tenths)
    with pytest.raises(DataError, match=r"have the value 100000000\.5;"):
        make({"y": "regression"}).adapt(Targets.of(("y",), torch.full((2, 1), 1e8 + 0.5, dtype=torch.float64)))


def test_a_task_that_has_learnt_nothing_scales_nothing():
    assert make({"y": "binary"}).of("y").scale == make({"y": "regression"}).of("y").scale == (0.0, 1.0)
    assert np.isfinite(make({"y": "regression"}).adapt(targets_at(1e7, 0.01)).of("y").scale).all()
