"""Targets of different kinds on one network."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from molgraph.data.targets import Targets
from molgraph.kinds.kind import Kind


@dataclass(frozen=True)
class Joint:
    """Train several tasks side by side; each reads its own target columns and its own outputs.

    `names` keeps the user's order; losses come back in that order.
    """

    names: tuple[str, ...]
    tasks: tuple[Kind, ...]

    @property
    def outputs(self) -> int:
        return sum(t.outputs for t in self.tasks)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for t in self.tasks for column in t.columns)

    def kind(self, name: str) -> str:
        return next(t.kind(name) for t in self.tasks if name in t.names)

    def adapt(self, train: Targets) -> Joint:
        return dataclasses.replace(self, tasks=tuple(t.adapt(self._of(t, train)) for t in self.tasks))

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        parts = zip(self.tasks, raw.split([t.outputs for t in self.tasks], dim=1), strict=True)
        losses, weights = zip(*(t.loss(out, self._of(t, targets)) for t, out in parts), strict=True)
        order = [name for t in self.tasks for name in t.names]
        back = torch.tensor([order.index(name) for name in self.names], device=raw.device)
        return torch.cat(losses, 1).index_select(1, back), torch.cat(weights, 1).index_select(1, back)

    def predict(self, raw: Tensor) -> Tensor:
        outs = raw.split([t.outputs for t in self.tasks], dim=1)
        return torch.cat([t.predict(out) for t, out in zip(self.tasks, outs, strict=True)], 1)

    def state(self) -> dict[str, Any]:
        return {"kind": "joint", "names": list(self.names), "tasks": [t.state() for t in self.tasks]}

    def _of(self, task: Kind, targets: Targets) -> Targets:
        return targets.columns([self.names.index(name) for name in task.names])
