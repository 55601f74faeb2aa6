"""Initial weights out of a local file."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from molgraph.data.stream import read_errors
from molgraph.errors import DataError

SAFE = ".safetensors"
WRAPPERS = ("state_dict", "model", "model_state_dict")  # what others wrap the weights of a checkpoint in
HEADS = ("module.", "model.", "encoder.", "network.", "backbone.", "features.")


def start_from(network: nn.Module, path: str) -> list[str]:
    """Take the weights of a file that fit a network by name and shape; return the names of those that it lacks.

    The first convolution of a network for colour becomes one for grey by adding its three weights.

    Raises: DataError where the file cannot be read or fewer than half of the network's weights are in it.
    """
    wanted, given = network.state_dict(), {_plain(name): tensor for name, tensor in _read(path).items()}
    found = {name: _fitted(given[name], tensor) for name, tensor in wanted.items() if name in given}
    fits = {name: tensor for name, tensor in found.items() if tensor is not None}
    if 2 * len(fits) < len(wanted):
        raise DataError(
            f"{path}: only {len(fits)} of the {len(wanted)} weights of this network are in it; the file has "
            f"{', '.join(list(given)[:3])}, ..., the network {', '.join(list(wanted)[:3])}, ..."
        )
    network.load_state_dict({**wanted, **fits})
    return sorted(set(wanted) - set(fits))


def _read(path: str) -> dict[str, Tensor]:
    with read_errors(path), Path(path).open("rb"):
        pass
    try:
        if path.endswith(SAFE):
            return dict(load_file(path))
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise DataError(
            f"{path}: holds no weights that can be read safely ({why}); save a plain state_dict."
        ) from error
    for name in WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    if not isinstance(found, dict):
        raise DataError(f"{path}: holds a {type(found).__name__}, not the weights of a network by name.")
    return {str(name): tensor for name, tensor in found.items() if isinstance(tensor, Tensor)}


def _plain(name: str) -> str:
    """Return a weight's name without what wrapped the network.

    >>> _plain("module.encoder.network.layer1.0.conv1.weight")
    'layer1.0.conv1.weight'
    """
    while name.startswith(HEADS):
        name = name.partition(".")[2]
    return name


def _fitted(given: Tensor, wanted: Tensor) -> Tensor | None:
    if given.shape == wanted.shape:
        return given.to(wanted.dtype)
    summed = (*given.shape[:1], 1, *given.shape[2:])
    if given.ndim > 2 and summed == wanted.shape:
        return given.sum(1, keepdim=True).to(wanted.dtype)
    return None
