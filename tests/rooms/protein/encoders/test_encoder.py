from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from molgraph.data.dataset import Dataset, Input
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.rooms.protein import residues
from molgraph.rooms.protein.encoders.cnn import CNN
from molgraph.rooms.protein.encoders.encoder import Residues
from molgraph.rooms.protein.prepare import prepare
from molgraph.rooms.protein.residues import LETTERS


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let encoders see proteins shorter than any."""
    monkeypatch.setattr(residues, "LEAST", 1)


def dataset(parts: Packed) -> Dataset:
    n = len(parts)
    given = Input(parts, torch.arange(n))
    return Dataset({"protein": given}, Targets.none(n), np.arange(1, n + 1), ("",) * n)


def features(encoder: CNN, sequence: str) -> torch.Tensor:
    data = dataset(prepare([sequence], encoder.needs).parts)
    return encoder(data.batch(torch.tensor([0]))).values.detach()


def test_ambiguous_letters_are_means() -> None:
    rows = dict(zip(LETTERS, Residues(4)().detach(), strict=True))
    torch.testing.assert_close(rows["B"], (rows["D"] + rows["N"]) / 2)
    torch.testing.assert_close(rows["X"], torch.stack([rows[a] for a in LETTERS[:20]]).mean(0))
    assert torch.equal(rows["U"], rows["C"]) and torch.equal(rows["O"], rows["K"])


def test_what_is_cut_is_said_and_cut(caplog: pytest.LogCaptureFixture) -> None:
    parts = prepare(["MKTAYIAKQR", "MKTAY", "MKT"], ("residues",)).parts
    torch.manual_seed(0)
    encoder = CNN(parts.schema, embedding=4, filters=2, depth=1, kernel=3, max_length=5)
    with caplog.at_level(logging.WARNING):
        encoder.adapt(dataset(parts))
    assert "protein: 1 of 3 training strings are longer than max_length = 5 and are cut there" in caplog.text
    assert torch.equal(features(encoder, "MKTAYIAKQR"), features(encoder, "MKTAY"))
    encoder.max_length = 0
    assert features(encoder, "MKTAYIAKQR").shape == (10, 2)


def test_nothing_is_said_where_nothing_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    parts = prepare(["MKTAY"], ("residues",)).parts
    for most in (0, 5):
        CNN(parts.schema, max_length=most).adapt(dataset(parts))
    assert caplog.text == ""


def test_a_residue_sees_its_neighbours_only() -> None:
    """Three layers of kernel 8 reach 9 residues back and 12 ahead."""
    torch.manual_seed(0)
    parts = prepare(["ACDE"], ("residues",)).parts
    encoder = CNN(parts.schema)
    base, other = "ACDEFGHIKLMNPQRSTVWY" * 3, list("ACDEFGHIKLMNPQRSTVWY" * 3)
    other[30] = "W"
    changed = (features(encoder, base) - features(encoder, "".join(other))).abs().amax(1).nonzero().squeeze(1).tolist()
    assert min(changed) >= 30 - 12 and max(changed) <= 30 + 9 and 30 in changed
