"""Targets of different kinds on one network."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from molgraph.data.targets import Targets
from molgraph.errors import ConfigError, did_you_mean
from molgraph.kinds.kind import Kind


@dataclass(frozen=True)
class Joint(Kind):
    """Train several kinds side by side; each reads its own target columns and its own outputs.

    `names` keeps the user's order; losses come back in that order.
    """

    tasks: tuple[Kind, ...] = ()

    word: ClassVar[str] = "joint"

    @property
    def outputs(self) -> int:
        return sum(t.outputs for t in self.tasks)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for t in self.tasks for column in t.columns)

    @property
    def parts(self) -> tuple[Kind, ...]:
        return self.tasks

    def _part(self, name: str) -> Kind:
        found = next((part for part in self.tasks if name in part.names), None)
        if found is None:
            raise ConfigError(f"unknown target '{name}'{did_you_mean(name, self.names)}")
        return found

    def of(self, name: str) -> Kind:
        return self._part(name).of(name)

    def block(self, name: str) -> slice:
        mine, start = self._part(name), 0
        for part in self.tasks:
            if part is mine:
                break
            start += sum(part.widths)
        where = mine.block(name)
        return slice(start + where.start, start + where.stop)

    def reads(self, name: str) -> tuple[str, ...]:
        return self._part(name).reads(name)

    @property
    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        return {name: words for part in self.tasks for name, words in part.vocabulary.items()}

    def check(self) -> None:
        if sorted(name for part in self.tasks for name in part.names) != sorted(set(self.names)):
            raise ValueError("the targets of the parts are not those of the whole")

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
        return {"kind": self.word, "names": list(self.names), "tasks": [t.state() for t in self.tasks]}

    def _of(self, task: Kind, targets: Targets) -> Targets:
        return targets.columns([targets.names.index(column) for column in task.reading])
