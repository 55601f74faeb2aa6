"""A ceiling for the memory of tensors that are made while a stranger's model is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

ROOM = 64 * 2**20  # bytes in any case, and then
RATIO = 4  # times the bytes of the weights: they are drawn, and some of them twice
SIZED = (
    "empty", "zeros", "ones", "full", "rand", "randn", "randint", "normal", "eye", "arange", "linspace", "new_empty",
    "new_zeros", "new_ones", "new_full",
)  # fmt: skip
LARGEST = 8  # bytes of a number


class Ceiling(TorchDispatchMode):
    """Raise MemoryError before more tensors are made than the weights of a model can account for."""

    def __init__(self, weights: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.left = ROOM + RATIO * weights

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        call: Callable[..., Any] = func
        if func.overloadpacket.__name__ in SIZED:
            self.left -= LARGEST * _count(func.overloadpacket.__name__, args)
            if self.left < 0:
                raise MemoryError("it would take more memory than its weights can account for")
        return call(*args, **(kwargs or {}))


def _count(name: str, args: Sequence[Any]) -> int:
    """Return about how many numbers a call makes."""
    sizes = [each for each in args if isinstance(each, list | tuple | torch.Size)]
    if sizes:
        return prod(int(n) for n in sizes[0])
    numbers = [int(each) for each in args if isinstance(each, int | float)]
    if name == "eye":
        return numbers[0] * numbers[-1] if numbers else 0
    return max(map(abs, numbers), default=0)
