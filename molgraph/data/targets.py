"""What is to be predicted: named columns of numbers, with what was measured, how exactly, and its weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph.data.packed import real, spans

EXACT, BELOW, ABOVE = 0, -1, 1  # `=5`, `<5` (the truth is below 5), `>5` (the truth is above 5)


@dataclass(frozen=True)
class Targets:
    """Hold the target columns of N rows, or of all that the rows own (voxels, hours), end to end.

    Shapes: `values` float64 [N, T] (0 where not observed; masks float32); `observed` bool [N, T]; `bound` int8
    [N, T] of EXACT, BELOW, ABOVE; `weight` float32 [N, T]. With `offsets` int64 [N + 1] row n owns offsets[n] to
    offsets[n + 1] of them. Values near 1e7 that differ by 0.01 are hardly told apart in float32, so they stay float64
    until a task has brought them to mean 0 and standard deviation 1.
    """

    names: tuple[str, ...]
    values: Tensor
    observed: Tensor
    bound: Tensor
    weight: Tensor
    offsets: Tensor | None = None

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    @classmethod
    def of(cls, names: Sequence[str], values: Tensor, bound: Tensor | None = None) -> Targets:
        """Build targets from values [N, T] in which NaN means "not measured"."""
        observed = ~torch.isnan(values)
        return cls(
            tuple(names),
            torch.where(observed, values, torch.zeros_like(values)).to(torch.float64),
            observed,
            torch.zeros(values.shape, dtype=torch.int8) if bound is None else bound,
            torch.ones(values.shape, dtype=torch.float32),
        )

    @classmethod
    def none(cls, count: int) -> Targets:
        """Return the targets of rows that are only to be predicted: no column."""
        return cls.of((), torch.zeros(count, 0))

    def take(self, rows: Tensor) -> Targets:
        """Return the targets of `rows` (int64 [B]), in that order."""
        own, offsets = (rows, None) if self.offsets is None else spans(self.offsets, rows)
        return self._each(self.names, lambda tensor: tensor.index_select(0, own), offsets)

    def column(self, name: str) -> Targets:
        """Return one column as targets of its own."""
        return self.columns([self.names.index(name)])

    def arrays(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int8]]:
        """Return values, observed and bound of one column, each [N], as numpy arrays."""
        at = self.names.index(name)
        return self.values[:, at].numpy(), self.observed[:, at].numpy(), self.bound[:, at].numpy()

    def columns(self, which: Sequence[int]) -> Targets:
        """Return the columns at these positions."""
        at = torch.as_tensor(list(which), device=self.values.device)
        names = tuple(self.names[i] for i in which)
        return self._each(names, lambda tensor: tensor.index_select(1, at), self.offsets)

    def to(self, device: torch.device | str) -> Targets:
        """Return the same targets on a device."""
        offsets = None if self.offsets is None else self.offsets.to(device)
        exact = real(device)
        return self._each(
            self.names, lambda each: each.to(device, exact if each.dtype == torch.float64 else each.dtype), offsets
        )

    def _each(self, names: tuple[str, ...], turn: Callable[[Tensor], Tensor], offsets: Tensor | None) -> Targets:
        turned = (turn(tensor) for tensor in (self.values, self.observed, self.bound, self.weight))
        values, observed, bound, weight = turned
        return Targets(names, values, observed, bound, weight, offsets)
