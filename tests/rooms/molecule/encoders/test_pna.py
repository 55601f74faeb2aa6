from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.nn.aggr import DegreeScalerAggregation

from molgraph.data.dataset import Dataset, Input
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.rooms.molecule.encoders.pna import PNA
from molgraph.rooms.molecule.prepare import prepare

PARTS = prepare(["CCO", "CC(C)(C)C", "C"], ("graph",)).parts


def test_the_mean_degree_is_that_of_the_training_molecules() -> None:
    rows = torch.tensor([0, 0, 0])  # ethanol alone, three times: degrees 1, 2, 1
    train = Dataset({"m": Input(PARTS, rows)}, Targets.none(3), np.arange(3), ("a", "b", "c"))
    encoder = PNA(PARTS.schema)
    encoder.adapt(train)
    scalers = [m for m in encoder.modules() if isinstance(m, DegreeScalerAggregation)]
    assert len(scalers) == 4
    for scaler in scalers:
        assert float(scaler.avg_deg_lin) == pytest.approx(4 / 3)
        assert float(scaler.avg_deg_log) == pytest.approx((2 * np.log(2) + np.log(3)) / 3)
    assert sum("avg_deg" in name for name in encoder.state_dict()) == 8


def test_towers_must_divide_hidden() -> None:
    with pytest.raises(ConfigError, match="hidden = 30 cannot be shared out to towers = 4"):
        PNA(PARTS.schema, hidden=30, towers=4)
