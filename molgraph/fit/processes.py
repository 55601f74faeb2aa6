"""Several processes under torchrun: who am I, and sums over all of them. One process needs nothing of this."""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn


def join() -> None:
    """Join the group that torchrun's environment names; do nothing outside of torchrun."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def leave() -> None:
    """Leave the group."""
    if dist.is_initialized():
        dist.destroy_process_group()


def wait() -> None:
    """Wait until every process is here."""
    if dist.is_initialized():
        dist.barrier()


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def total(value: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes."""
    if world() > 1:
        value = value.clone()
        dist.all_reduce(value)
    return value


def same_start(model: nn.Module) -> None:
    """Give every process the weights and buffers of process 0."""
    if world() > 1:
        for tensor in model.state_dict().values():
            dist.broadcast(tensor, 0)


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Sum gradients over all processes, as one flat message."""
    if world() == 1:
        return
    known = [p for p in parameters if p.requires_grad]
    for p in known:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    flat = torch.cat([p.grad.flatten() for p in known if p.grad is not None])
    dist.all_reduce(flat)
    for p, part in zip(known, flat.split([p.numel() for p in known]), strict=True):
        p.grad = part.view_as(p)
