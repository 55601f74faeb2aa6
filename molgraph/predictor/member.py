"""One trained member of a predictor, whatever is inside: a network or trees, used alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph import registry
from molgraph.config import RunSettings, check
from molgraph.data.dataset import Dataset
from molgraph.data.packed import Schema
from molgraph.errors import ConfigError
from molgraph.fit import Epoch
from molgraph.fit.sampler import mix
from molgraph.fit.state import State
from molgraph.task import Task


class Member(Protocol):
    """Train, estimate, save and load; `estimate` means the same for every member (see `Task.columns`).

    `ready` says whether it can estimate: a training that was interrupted may have left it as it was drawn.
    """

    task: Task

    @property
    def ready(self) -> bool: ...

    def train(
        self, train: Dataset, valid: Dataset, run: RunSettings, *, seed: int, state: State | None = None
    ) -> Iterator[Epoch]:
        """Train and yield after each epoch (trees: after each target)."""
        ...

    def estimate(self, data: Dataset) -> NDArray[np.float32]:
        """Return estimates float32 [N, len(task.columns)]."""
        ...

    def save(self, folder: Path, number: int) -> None:
        """Write the member's weights under its number."""
        ...

    def load(self, folder: Path, number: int) -> None:
        """Read the weights back."""
        ...

    @property
    def size(self) -> str:
        """Say how large the member is, for a person."""
        ...


def needs(run: RunSettings) -> tuple[str, ...]:
    """Return the features that the run's model reads, with its settings checked.

    Raises: ConfigError for an unknown model or setting.
    """
    made = registry.model(run.model)
    known = registry.settings(made)
    check("encoder", run.encoder, known, f"model '{run.model}'")
    chosen = {name: p.default for name, p in known.items()} | run.encoder
    extra = ("descriptors",) if chosen.get("descriptors") else ()
    return tuple(dict.fromkeys((*made.needs, *extra)))


def make(run: RunSettings, schema: Schema, task: Task, seed: int, train: Dataset | None = None) -> Member:
    """Return an untrained member; `train` (training rows) is given when it is to be trained, not when it is loaded.

    Weights are drawn from `seed`; the caller's random numbers stay untouched.

    Raises: ConfigError where the model refuses a setting.
    """
    from molgraph.predictor.network import Network
    from molgraph.predictor.trees import Trees

    kinds: dict[str, Any] = {"network": Network, "trees": Trees}
    made = registry.model(run.model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix(seed, 0))
        try:
            inside = made(schema, **run.encoder)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"model '{run.model}' refuses its settings {run.encoder}: {error}.") from error
        member: Member = kinds[made.family](inside, run, task, train)
    return member
