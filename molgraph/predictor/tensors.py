"""Read tensors that a stranger may have written: the right kind and finite, or an error that names the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from molgraph.data.files import atomic
from molgraph.errors import CheckpointError, ResourceError

Tensors = dict[str, Tensor]


def read(path: Path, kinds: Mapping[str, torch.dtype]) -> Tensors:
    """Read a safetensors file that holds tensors of these names and kinds and no others, every number finite.

    The library lets no header name more than the file holds, so nothing is allocated that is not there.

    Raises: CheckpointError where it is missing, damaged or holds anything else; ResourceError where there is no
    permission to read it.
    """
    if not path.is_file():  # a pipe or a device would be waited for
        raise CheckpointError(f"{path}: missing. Copy the whole model folder, or train again.")
    try:
        found = load_file(path)
    except PermissionError as error:
        raise ResourceError(f"{path}: no permission to read; ask its owner or copy it.") from error
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: cannot be read: {' '.join(str(error).split())[:300]}") from error
    odd = sorted(set(found) ^ set(kinds))
    if odd:
        what = "is not there" if odd[0] in kinds else "belongs to no such model"
        raise CheckpointError(f"{path}: is damaged: '{odd[0][:80]}' {what}. Copy the folder again, or train again.")
    for name, values in found.items():
        if values.dtype != kinds[name]:
            raise CheckpointError(f"{path}: is damaged: '{name}' is of kind {values.dtype}, not {kinds[name]}.")
        if not bool(torch.isfinite(values).all()):
            raise CheckpointError(f"{path}: is damaged: '{name}' holds numbers that are not finite. Train again.")
    return found


def of(module: nn.Module, path: Path) -> Tensors:
    """Read the weights of a module.

    Raises: CheckpointError where they are missing, damaged or of another shape.
    """
    mine = module.state_dict()
    found = read(path, {name: values.dtype for name, values in mine.items()})
    for name, values in found.items():
        if values.shape != mine[name].shape:
            raise CheckpointError(
                f"{path}: the weights cannot be read: '{name}' is {list(values.shape)}, and the model's is "
                f"{list(mine[name].shape)}. Copy the whole folder again, or train again."
            )
    return found


def write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors to a safetensors file, whole or not at all."""
    with atomic(path) as file:
        file.write(save({name: values.detach().cpu().contiguous() for name, values in tensors.items()}))
