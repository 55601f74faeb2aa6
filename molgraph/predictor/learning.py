"""Training a learner with patience, and one alone in a folder, resumably."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from molgraph.config import FitSettings
from molgraph.data.dataset import Dataset
from molgraph.errors import CheckpointError
from molgraph.fit import Epoch, fit
from molgraph.fit.state import State
from molgraph.model.learner import Learner
from molgraph.predictor import checkpoint


def learn(
    learner: Learner,
    train: Dataset,
    valid: Dataset,
    settings: FitSettings,
    *,
    seed: int,
    state: State | None = None,
    until: int | None = None,
) -> Iterator[Epoch]:
    """Train, and stop early after `patience` epochs without a better validation loss; `until` as in `fit`.

    Raises: CheckpointError where the state is that of another model.
    """
    mine = {name: values.shape for name, values in learner.state_dict().items()}
    for given in (state.weights, state.best) if state is not None else ():
        if {name: values.shape for name, values in given.items()} != mine:
            raise CheckpointError("the checkpoint is damaged: it is that of another model. Delete it to start again.")
    if state is not None and state.epoch - state.best_epoch >= settings.patience:  # it died after its last epoch
        learner.load_state_dict(state.best)
        return
    for epoch in fit(learner, train, valid, settings, seed=seed, state=state, until=until):
        if epoch.stale >= settings.patience:
            epoch.stop()
        yield epoch


@dataclass
class Learning:
    """Train one learner from the last checkpoint of a folder on; `digest` names settings and rows.

    `ready` says whether its weights are more than drawn.
    """

    learner: Learner
    settings: FitSettings
    seed: int
    ready: bool = False
    history: checkpoint.History = field(default_factory=list)

    def epochs(self, train: Dataset, valid: Dataset, folder: Path, digest: str) -> Generator[Epoch]:
        """Train and yield after each epoch.

        Raises: ConfigError where the checkpoint belongs to another run; CheckpointError where it is damaged.
        """
        _, state, self.history = checkpoint.resume(folder, digest)
        self.ready = state is not None
        for epoch in learn(self.learner, train, valid, self.settings, seed=self.seed, state=state):
            self.ready = True
            checkpoint.note(self.history, 0, epoch)
            checkpoint.keep(folder, digest, 0, epoch, self.history)
            yield epoch
