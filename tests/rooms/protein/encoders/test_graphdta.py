"""GraphDTA's protein side, checked against the layers of the paper written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from molgraph.data.dataset import Dataset, Input
from molgraph.data.targets import Targets
from molgraph.rooms.protein import residues
from molgraph.rooms.protein.encoders.graphdta import PAD, GraphDTA
from molgraph.rooms.protein.prepare import prepare
from molgraph.rooms.protein.residues import LETTERS


def test_it_is_the_published_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residues, "LEAST", 1)
    sequences = ["MKTAYIAKQRQISFVKSHFSRQ" * 3, "GIVEQCCTSICSLYQLENYCN", "M"]
    parts = prepare(sequences, ("residues",)).parts
    torch.manual_seed(0)
    encoder = GraphDTA(parts.schema, length=40).double()
    torch.nn.init.normal_(encoder.shift)
    data = Dataset({"it": Input(parts, torch.arange(3))}, Targets.none(3), np.arange(3), ("",) * 3)
    codes = torch.full((3, 40), PAD)
    for row, sequence in zip(codes, sequences, strict=True):
        cut = sequence[:40]
        row[: len(cut)] = torch.tensor([LETTERS.index(letter) for letter in cut])
    embedded = F.embedding(codes, torch.cat([encoder.embed(), encoder.padding]))  # [P, 40, 128]
    convolved = F.conv1d(embedded, encoder.places.weight, encoder.shift)  # places are channels
    assert convolved.shape == (3, 32, 121)
    torch.testing.assert_close(
        encoder(data.batch(torch.arange(3))).values, encoder.out(convolved.flatten(1)), rtol=1e-10, atol=1e-11
    )
