"""Initial weights out of a file: taken by name, colour added up, nothing unsafe, nothing silent."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from molgraph.errors import ConfigError, DataError
from molgraph.rooms.imaging.encoders.cnn import CNN
from molgraph.rooms.imaging.encoders.weights import start_from


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


@pytest.mark.parametrize("change", ["wider", "fewer"])
def test_weights_of_another_network_are_refused_by_name(change: str, tmp_path: Path) -> None:
    given = dict(network().state_dict())
    if change == "wider":
        given["2.weight"] = torch.zeros(8, 4, 3, 3)
    else:
        del given["2.weight"]
    save_file(given, tmp_path / "w.safetensors")
    mine = network()
    before = {name: tensor.clone() for name, tensor in mine.state_dict().items()}
    told = {"wider": "2.weight is 8x4x3x3 there and 2x4x3x3 here", "fewer": "2.weight is not there"}[change]
    with pytest.raises(ConfigError, match=told):
        start_from(mine, str(tmp_path / "w.safetensors"))
    assert all(torch.equal(mine.state_dict()[name], tensor) for name, tensor in before.items())


def test_another_first_layer_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    theirs = network(3)
    save_file(dict(theirs.state_dict()), tmp_path / "w.safetensors")
    mine = network(2)
    assert start_from(mine, str(tmp_path / "w.safetensors")) == ["0.weight"]
    assert "0.weight is 4x3x3x3 there and 4x2x3x3 here" in caplog.text
    assert torch.equal(mine.state_dict()["2.weight"], theirs.state_dict()["2.weight"])


def test_weights_of_other_channels_start_a_network_of_two_sequences(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    grey, two = (CNN({}, hidden=8, depth=2, size=8, channels=channels).network for channels in (1, 2))
    save_file({name: tensor.contiguous() for name, tensor in grey.state_dict().items()}, tmp_path / "w.safetensors")
    assert start_from(two, str(tmp_path / "w.safetensors")) == ["0.first.weight", "0.skip.weight"]
    assert "first layer is drawn anew" in caplog.text
    for other in (CNN({}, hidden=16, depth=2, size=8), CNN({}, hidden=8, depth=3, size=8)):
        with pytest.raises(ConfigError, match="do not fit"):
            start_from(other.network, str(tmp_path / "w.safetensors"))


def test_what_fits_nowhere_is_refused(tmp_path: Path) -> None:
    save_file({"other": torch.zeros(2)}, tmp_path / "other.safetensors")
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"x": print}, protocol=2))
    (tmp_path / "cut.safetensors").write_bytes(b"123")
    told = {
        "other.safetensors": "none of the 4",
        "evil.pt": "safely",
        "cut.safetensors": "safely",
        "gone.pt": "no such",
    }
    for name, words in told.items():
        with pytest.raises(DataError, match=words):
            start_from(network(), str(tmp_path / name))
