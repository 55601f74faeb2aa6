from __future__ import annotations

import numpy as np
import pytest
import torch

from molgraph.data.dataset import Dataset, Input
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.rooms.molecule.encoders.dmpnn import DMPNN
from molgraph.rooms.molecule.encoders.encoder import share_out, training_parts
from molgraph.rooms.molecule.prepare import prepare

PARTS = prepare(["CCO", "CC(C)(C)C", "C", "c1ccccc1O"], ("graph", "descriptors")).parts


def train(index: list[int]) -> Dataset:
    n = len(index)
    return Dataset({"m": Input(PARTS, torch.tensor(index))}, Targets.none(n), np.arange(n), ("",) * n)


def test_each_training_molecule_teaches_once() -> None:
    parts = training_parts(train([3, 0, 3, 0, -1]), "descriptors")
    assert torch.equal(parts.values["descriptors"], PARTS.values["descriptors"][[0, 3]])
    assert list(parts.values) == ["descriptors"]


def test_descriptors_are_scaled_by_the_training_molecules_alone() -> None:
    encoder = DMPNN(PARTS.schema, hidden=4, descriptors=True)
    encoder.adapt(train([0, 3]))
    whole = encoder(train([0, 3]).batch(torch.arange(2))).whole
    assert whole is not None
    moves = PARTS.values["descriptors"][0] != PARTS.values["descriptors"][3]
    torch.testing.assert_close(whole.abs(), moves.float().expand(2, -1), atol=1e-3, rtol=0)  # two values: both 1 off


def test_what_was_learnt_is_saved() -> None:
    encoder = DMPNN(PARTS.schema, hidden=4, descriptors=True)
    assert {"descriptors.mean", "descriptors.rate"} <= set(encoder.state_dict())
    assert not any("descriptors" in key for key in DMPNN(PARTS.schema, hidden=4).state_dict())


def test_share_out() -> None:
    assert share_out(128, "heads", 4) == 32
    for heads in (0, 3, -4):
        with pytest.raises(ConfigError, match=f"hidden = 128 cannot be shared out to heads = {heads}"):
            share_out(128, "heads", heads)
