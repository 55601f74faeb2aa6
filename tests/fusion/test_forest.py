from __future__ import annotations

import numpy as np
import torch

from molgraph.data.dataset import ABSENT, Input
from molgraph.data.packed import Packed
from molgraph.fusion.forest import Growers
from molgraph.rooms.molecule.forest import Forest
from molgraph.rooms.molecule.prepare import prepare


class Counting(Forest):
    def features(self, parts: Packed) -> np.ndarray:
        self.seen = getattr(self, "seen", 0) + len(parts)
        return super().features(parts)


def test_features_of_all_inputs_stand_side_by_side_and_each_part_is_computed_once() -> None:
    parts = prepare(["CCO", "c1ccccc1O", "CC(=O)N"], Forest.needs).parts
    first, second = Counting(parts.schema), Counting(parts.schema)
    drug, solvent = [2, 0, 0, 2, ABSENT], [1, 1, ABSENT, 1, 1]
    inputs = {"drug": Input(parts, torch.tensor(drug)), "solvent": Input(parts, torch.tensor(solvent))}
    found = Growers({"drug": first, "solvent": second}).features_of(inputs)
    assert (first.seen, second.seen) == (2, 1)
    alone = Forest(parts.schema).features(parts)
    blank = np.full(alone.shape[1], np.nan, dtype=np.float32)
    expected = [
        np.concatenate([blank if at == ABSENT else alone[at] for at in pair])
        for pair in zip(drug, solvent, strict=True)
    ]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.stack(expected))


def test_rows_that_all_lack_an_input() -> None:
    parts = prepare(["CCO"], Forest.needs).parts
    inputs = {"drug": Input(parts, torch.tensor([0])), "solvent": Input(parts, torch.tensor([ABSENT]))}
    growers = Growers({name: Forest(parts.schema) for name in inputs})
    found = growers.features_of(inputs)
    width = found.shape[1] // 2
    assert np.isfinite(found[:, :width]).all() and np.isnan(found[:, width:]).all()
