"""A network as a member of a predictor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.fit import Epoch, embed, estimate
from molgraph.fit.device import choose
from molgraph.fit.state import State
from molgraph.kinds import Kind
from molgraph.model.encoder import Encoder
from molgraph.model.model import Model
from molgraph.predictor import tensors
from molgraph.predictor.learning import learn


class Network:
    """Hold an encoder with its head."""

    def __init__(self, encoder: Encoder, run: RunSettings, task: Kind, train: Dataset | None) -> None:
        self.task, self.ready = task, False
        if train is not None:
            encoder.adapt(train)
        head = run.head
        self.model = Model(
            encoder, task, pooling=head.pooling, depth=head.depth, hidden=head.hidden, dropout=head.dropout
        )
        self.place = choose(run.train.device if train is not None else "auto", run.train.precision)

    def train(
        self,
        train: Dataset,
        valid: Dataset,
        run: RunSettings,
        *,
        seed: int,
        state: State | None = None,
        lengths: Sequence[int] = (),
    ) -> Iterator[Epoch]:
        """Train; stop early after `train.patience` epochs without a better validation loss, or after the last of
        `lengths`."""
        self.ready = state is not None
        until = lengths[-1] if lengths else None
        for epoch in learn(self.model, train, valid, run.train, seed=seed, state=state, until=until):
            self.ready = True
            yield epoch

    def estimate(self, data: Dataset) -> NDArray[np.float64]:
        """Return estimates float64 [N, len(task.columns)]."""
        return estimate(self.model, data, self.place).numpy()

    def embed(self, data: Dataset) -> NDArray[np.float32]:
        """Return the vector of every row, float32 [N, D]."""
        return embed(self.model, data, self.place).numpy()

    def save(self, folder: Path, number: int) -> None:
        """Write `weights-<number>.safetensors`."""
        tensors.write(_file(folder, number), self.model.state_dict())

    def load(self, folder: Path, number: int) -> None:
        """Read `weights-<number>.safetensors`.

        Raises: CheckpointError where it is missing, damaged or of another shape.
        """
        self.model.load_state_dict(tensors.of(self.model, _file(folder, number)))
        self.ready = True

    def fits(self, folder: Path, number: int) -> None:
        """Raise CheckpointError where weights are missing, damaged or of another shape."""
        tensors.of(self.model, _file(folder, number))

    def start_from(self, other: Network) -> list[str]:
        """Take over every weight of another network that fits; return the names of those that do not."""
        mine, given = self.model.state_dict(), other.model.state_dict()
        fits = {k: v for k, v in given.items() if k in mine and mine[k].shape == v.shape}
        self.model.load_state_dict({**mine, **fits})
        return sorted(set(mine) - set(fits))

    @property
    def size(self) -> str:
        return f"{sum(p.numel() for p in self.model.parameters()):,} weights"


def _file(folder: Path, number: int) -> Path:
    return folder / f"weights-{number}.safetensors"
