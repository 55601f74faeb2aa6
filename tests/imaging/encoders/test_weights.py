"""Initial weights out of a file: taken by name, colour added up, nothing unsafe, nothing silent."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from molgraph.errors import DataError
from molgraph.imaging.encoders.weights import start_from


def network(channels: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("head", ["", "module.encoder.network."])
def test_weights_are_taken_by_name(suffix: str, head: str, tmp_path: Path) -> None:
    mine, theirs = network(), network()
    given = {head + name: tensor for name, tensor in theirs.state_dict().items()} | {"fc.weight": torch.zeros(3)}
    path = tmp_path / f"w{suffix}"
    save_file(given, path) if suffix == ".safetensors" else torch.save({"state_dict": given}, path)
    assert start_from(mine, str(path)) == []
    assert all(torch.equal(mine.state_dict()[k], v) for k, v in theirs.state_dict().items())


def test_colour_becomes_grey(tmp_path: Path) -> None:
    mine, theirs = network(1), network(3)
    save_file(dict(theirs.state_dict()), tmp_path / "w.safetensors")
    assert start_from(mine, str(tmp_path / "w.safetensors")) == []
    grey = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(mine(grey), theirs(grey.repeat(1, 3, 1, 1)))


def test_what_fits_nowhere_is_refused(tmp_path: Path) -> None:
    save_file({"other": torch.zeros(2)}, tmp_path / "other.safetensors")
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"x": print}, protocol=2))
    (tmp_path / "cut.safetensors").write_bytes(b"123")
    told = {
        "other.safetensors": "only 0 of the 4",
        "evil.pt": "safely",
        "cut.safetensors": "safely",
        "gone.pt": "no such",
    }
    for name, words in told.items():
        with pytest.raises(DataError, match=words):
            start_from(network(), str(tmp_path / name))
