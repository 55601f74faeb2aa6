"""Everything needed to go on with a training: tensors and a few numbers, kept as safetensors, never as a pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from molgraph.data.files import atomic
from molgraph.errors import CheckpointError

Tensors = dict[str, Tensor]


@dataclass
class State:
    """Hold a training after `epoch` epochs: weights, optimiser moments, moving average, best weights so far."""

    epoch: int
    best_epoch: int
    best_loss: float
    weights: Tensors
    moments: Tensors
    average: Tensors
    best: Tensors

    def save(self, path: Path, **meta: Any) -> None:
        """Write the state (and JSON values that identify the run) to one file, atomically."""
        groups = {"weights": self.weights, "moments": self.moments, "average": self.average, "best": self.best}
        tensors = {f"{group}/{k}": v.contiguous() for group, values in groups.items() for k, v in values.items()}
        numbers = {"epoch": self.epoch, "best_epoch": self.best_epoch, "best_loss": self.best_loss, **meta}
        with atomic(path) as file:
            file.write(save(tensors, {"state": json.dumps(numbers)}))


def load(path: Path) -> tuple[State, dict[str, Any]]:
    """Read a state and the values that identify its run.

    Raises: CheckpointError where the file is damaged.
    """
    groups: dict[str, Tensors] = {"weights": {}, "moments": {}, "average": {}, "best": {}}
    try:
        if not path.is_file():
            raise ValueError("not a file")
        with safe_open(path, "pt") as file:
            meta = dict(json.loads((file.metadata() or {})["state"]))
            for key in file.keys():  # noqa: SIM118 - safe_open is no mapping
                group, _, name = key.partition("/")
                groups[group][name] = file.get_tensor(key)
        state = State(meta.pop("epoch"), meta.pop("best_epoch"), meta.pop("best_loss"), **groups)
        _check(state)
    except (SafetensorError, KeyError, TypeError, ValueError, OSError, RecursionError) as error:
        raise CheckpointError(f"{path}: the checkpoint is damaged ({error}). Delete it to start again.") from error
    return state, meta


def _check(state: State) -> None:
    """Raise ValueError where the numbers are none, or a tensor holds one that is not finite."""
    if not all(type(each) is int for each in (state.epoch, state.best_epoch)):
        raise ValueError("its epochs are no numbers")
    if not 0 <= state.best_epoch <= state.epoch or not isinstance(state.best_loss, int | float):
        raise ValueError("its epochs and losses do not fit")
    for tensors in (state.weights, state.moments, state.average, state.best):
        for name, values in tensors.items():
            if not bool(torch.isfinite(values).all()):
                raise ValueError(f"'{name}' holds numbers that are not finite")


def copy(tensors: Tensors) -> Tensors:
    """Return detached copies on the CPU."""
    return {k: v.detach().to("cpu", copy=True) for k, v in tensors.items()}


def moments(optimiser: torch.optim.Optimizer, model: nn.Module) -> Tensors:
    """Return the optimiser's tensors by parameter name."""
    return {
        f"{name}/{kind}": value
        for name, parameter in model.named_parameters()
        for kind, value in optimiser.state.get(parameter, {}).items()
    }


def set_moments(optimiser: torch.optim.Optimizer, model: nn.Module, saved: Tensors) -> None:
    """Give the optimiser the tensors that `moments` returned."""
    fused = optimiser.defaults.get("fused")  # it counts its steps where the parameter is, another on the CPU

    def placed(kind: str, value: Tensor, parameter: Tensor) -> Tensor:
        if kind == "step":
            return value.to(parameter.device if fused else value.device, copy=True)
        return torch.empty_like(parameter).copy_(value)  # laid out as the parameter is: a fused step reads by address

    for name, parameter in model.named_parameters():
        mine = {k.rpartition("/")[2]: v for k, v in saved.items() if k.rpartition("/")[0] == name}
        if mine:
            optimiser.state[parameter] = {k: placed(k, v, parameter) for k, v in mine.items()}
