"""Initial weights out of a local file."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from molgraph.data.stream import read_errors
from molgraph.errors import ConfigError, DataError

log = logging.getLogger("molgraph")
COUNTS = "num_batches_tracked"  # of batch norms; older files have none, and nothing is computed from it
SAFE = ".safetensors"
WRAPPERS = ("state_dict", "model", "model_state_dict")  # what others wrap the weights of a checkpoint in
HEADS = ("module.", "model.", "encoder.", "network.", "backbone.", "features.")


def start_from(network: nn.Module, path: str) -> list[str]:
    """Take the weights of a file for a network by name and shape; return the names of those that it lacks.

    It may lack the first layer alone, which is another one for other channels or pictures of another size: a warning
    says so. The first convolution of a network for colour becomes one for grey by adding its three weights.

    Raises: DataError where the file cannot be read or holds no weight of this network; ConfigError where other layers
    than the first do not fit.
    """
    wanted, given = network.state_dict(), {_plain(name): tensor for name, tensor in _read(path).items()}
    found = {name: _fitted(given[name], tensor) for name, tensor in wanted.items() if name in given}
    fits = {name: tensor for name, tensor in found.items() if tensor is not None}
    if not fits:
        raise DataError(
            f"{path}: none of the {len(wanted)} weights of this network are in it; the file has "
            f"{', '.join(list(given)[:3])}, ..., the network {', '.join(list(wanted)[:3])}, ..."
        )
    lacking = [name for name in wanted if name not in fits and not name.endswith(COUNTS)]
    told = "; ".join(_why(name, given, wanted) for name in lacking[:5]) + "; ..." * (len(lacking) > 5)
    if not all(name in given and _sees(given[name], wanted[name], wanted) for name in lacking):
        raise ConfigError(
            f"encoder.weights: {len(lacking)} of the {len(wanted)} weights of this network do not fit {path}: {told}. "
            "Give the model and the settings (hidden, depth, dims, ...) that the weights were trained with."
        )
    if lacking:
        log.warning("%s: the first layer is drawn anew, as it does not fit: %s", path, told)
    network.load_state_dict({**wanted, **fits})
    return lacking


def _sees(given: Tensor, mine: Tensor, wanted: Mapping[str, Tensor]) -> bool:
    """Tell whether a weight is that of a convolution of the picture itself, of other channels or another size."""
    channels = next(iter(wanted.values())).shape[1]
    return given.ndim == mine.ndim > 2 and len(given) == len(mine) and mine.shape[1] == channels


def _why(name: str, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    sizes = ["x".join(map(str, held[name].shape)) for held in (given, wanted) if name in held]
    return f"{name} is {sizes[0]} there and {sizes[1]} here" if name in given else f"{name} is not there"


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
