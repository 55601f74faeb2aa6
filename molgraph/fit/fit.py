"""The training loop: a generator of epochs, so that pruning and progress are lines in the caller's `for`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from molgraph.config import FitSettings
from molgraph.data.dataset import Dataset
from molgraph.errors import DivergedError
from molgraph.fit import parameters, processes
from molgraph.fit.device import Place, choose, memory_errors
from molgraph.fit.infer import mean_loss
from molgraph.fit.sampler import SAMPLERS, Sampler, bounds, mix
from molgraph.fit.state import State, copy, moments, set_moments
from molgraph.fit.steps import Step, named
from molgraph.model.learner import Learner

FLOOR = 0.01  # the cosine ends at this share of the learning rate; the warm-up begins at WARM
WARM = 0.1


@dataclass
class Epoch:
    """Tell how one epoch went; losses are in the learner's own scale.

    `stale` counts the epochs since the best one; `best` is that one (of trees: how many rounds are kept). `state()`
    is everything needed to resume, valid until the next epoch begins. `stop()` ends the training after this epoch,
    in all processes together.
    """

    number: int
    of: int
    train_loss: float
    valid_loss: float | None
    lr: float
    seconds: float
    rows: int
    stale: int
    state: Callable[[], State] = field(repr=False)
    best: int = 0
    stopped: bool = False

    @property
    def improved(self) -> bool:
        return self.stale == 0

    def stop(self) -> None:
        """End the training after this epoch."""
        self.stopped = True


def fit(
    learner: Learner,
    train: Dataset,
    valid: Dataset,
    settings: FitSettings,
    *,
    seed: int = 0,
    state: State | None = None,
    step: Step | None = None,
    sampler: Sampler | None = None,
    until: int | None = None,
) -> Iterator[Epoch]:
    """Train a learner and yield after every epoch; when the generator ends, it holds the best weights.

    The best epoch is the one of lowest loss on `valid` (the last one where `valid` measures nothing). The random
    numbers of an epoch depend on (seed, epoch) alone, so going on from a saved state gives the same weights as
    never having stopped. Step and sampler are those that the settings name, unless they are given. `until` is the
    epoch to end after, on the learning rates of a training that was to go on to its last.

    Raises: DivergedError where the loss is not finite; ResourceError where memory runs out.
    """
    place = choose(settings.device, settings.precision)
    learner.to(place.device)
    processes.same_start(learner)
    train, valid = place.resident(train, valid)
    sampler = sampler or SAMPLERS[settings.batches](train, learner)
    step = step or named(settings)
    moved = parameters.groups(learner, settings)
    optimiser = torch.optim.AdamW(moved, lr=settings.lr, weight_decay=settings.weight_decay, fused=True)
    last = settings.epochs if until is None else until
    run = _Run(learner, optimiser, settings, place, seed, step, sampler, last)
    if state is not None:
        run.restore(state)
    frozen = parameters.held(learner, settings.freeze)
    try:
        _learn(learner, frozen, False)
        while run.done < last:
            epoch = run.epoch(train, valid)
            yield epoch
            stop = torch.tensor(float(epoch.stopped), device=place.device)
            if float(processes.total(stop)) > 0:
                break
    finally:
        _learn(learner, frozen, True)
        if run.best:
            learner.load_state_dict(run.best)


def _learn(learner: Learner, names: Collection[str], wanted: bool) -> None:
    """Have gradients made for weights, or none: those that stay cost no backward pass."""
    for name in names:
        learner.get_parameter(name).requires_grad_(wanted)


class _Run:
    """Hold what changes from epoch to epoch."""

    def __init__(
        self,
        learner: Learner,
        optimiser: torch.optim.Optimizer,
        settings: FitSettings,
        place: Place,
        seed: int,
        step: Step,
        sampler: Sampler,
        last: int,
    ) -> None:
        self.learner, self.optimiser, self.settings, self.place = learner, optimiser, settings, place
        self.seed, self.step, self.sampler, self.last = seed, step, sampler, last
        self.still = parameters.norms(learner, settings.freeze)
        self.done = 0
        self.best_epoch, self.best_loss = 0, math.inf
        self.best: dict[str, Tensor] = {}
        self.average = copy_on(learner.state_dict()) if settings.ema else {}

    def epoch(self, train: Dataset, valid: Dataset) -> Epoch:
        began = time.perf_counter()
        self.done += 1
        lr, train_loss = self._train(train)
        kept = copy_on(self.learner.state_dict()) if self.average else {}
        if self.average:
            self.learner.load_state_dict(self.average)
        with memory_errors(f"epoch {self.done}"):
            valid_loss = mean_loss(self.learner, valid, self.place)
        for name, loss in (("training", train_loss), ("validation", valid_loss)):
            if loss is not None and not math.isfinite(loss):
                raise DivergedError(
                    f"epoch {self.done}: the {name} loss is {loss} at learning rate {lr:.2e}. "
                    "Use a smaller train.lr, or look for extreme target values."
                )
        if valid_loss is None or valid_loss < self.best_loss:
            self.best_epoch, self.best_loss = self.done, math.inf if valid_loss is None else valid_loss
            self.best = copy_on(self.learner.state_dict())
        if self.average:
            self.learner.load_state_dict(kept)
        seconds = time.perf_counter() - began
        stale = self.done - self.best_epoch
        of, rows, best = self.last, len(train), self.best_epoch
        return Epoch(self.done, of, train_loss, valid_loss, lr, seconds, rows, stale, self.state, best)

    def _train(self, train: Dataset) -> tuple[float, float]:
        """Pass once over the training rows; return the last learning rate and the mean loss."""
        self.learner.train()
        for norm in self.still:
            norm.eval()
        rank, world = processes.rank(), processes.world()
        size, rows = self.settings.batch_size, len(train)
        steps = len(bounds(rows, size, world))
        sums = torch.zeros(2, dtype=torch.float64, device=self.place.device)
        lr = self.settings.lr
        with torch.random.fork_rng(devices=[self.place.device] if self.place.device.type == "cuda" else []):
            torch.manual_seed(mix(self.seed, self.done, rank))
            batches = self.sampler(rows, size, seed=self.seed, epoch=self.done, rank=rank, world=world)
            for i, mine in enumerate(batches):
                number = (self.done - 1) * steps + i
                lr = self._set_rate(number, steps)
                batch = train.batch(mine.to(train.device), self.done).to(self.place.device)
                with memory_errors(f"epoch {self.done}"):
                    sums += torch.stack(self.step(self.learner, batch, self.optimiser, self.place, self.settings.clip))
                self._average(number)
        sums = processes.total(sums)
        return lr, float(sums[0] / sums[1])

    def _set_rate(self, step: int, steps: int) -> float:
        """Set the learning rate of a step: linear warm-up, then cosine."""
        warm, every = self.settings.warmup * steps, self.settings.epochs * steps
        if step < warm:
            share = WARM + (1 - WARM) * step / warm
        else:
            share = FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(every - warm, 1)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.lr * share * group["scale"]
        return self.settings.lr * share

    def _average(self, step: int) -> None:
        """Take the weights after a step into the average, which forgets the untrained ones in its first steps.

        See: the decay of tf.train.ExponentialMovingAverage, https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage
        """
        decay = min(self.settings.ema, (1 + step) / (10 + step))
        for name, value in self.learner.state_dict().items() if self.average else ():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def state(self) -> State:
        """Return copies of everything needed to resume."""
        return State(
            self.done,
            self.best_epoch,
            self.best_loss,
            copy(self.learner.state_dict()),
            copy(moments(self.optimiser, self.learner)),
            copy(self.average),
            copy(self.best),
        )

    def restore(self, state: State) -> None:
        """Go back to a saved state."""
        self.done, self.best_epoch, self.best_loss = state.epoch, state.best_epoch, state.best_loss
        self.learner.load_state_dict(state.weights)
        set_moments(self.optimiser, self.learner, state.moments)
        self.average = {k: v.to(self.place.device) for k, v in state.average.items()}
        self.best = {k: v.to(self.place.device) for k, v in state.best.items()}


def copy_on(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return detached copies where they are."""
    return {k: v.detach().clone() for k, v in tensors.items()}
