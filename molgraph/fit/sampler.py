"""Which rows make a batch: drawn from (seed, epoch, rank), so a resumed run sees what an unbroken one sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from molgraph.data.dataset import Dataset
from molgraph.model.learner import Learner


class Sampler(Protocol):
    """Yield the row numbers (int64 [B]) of this process's share of each batch of an epoch."""

    def __call__(self, rows: int, size: int, *, seed: int, epoch: int, rank: int, world: int) -> Iterator[Tensor]: ...


def shuffled(rows: int, size: int, *, seed: int, epoch: int, rank: int, world: int) -> Iterator[Tensor]:
    """Yield every row once, in random order; process r takes every world-th row of each batch from r on."""
    generator = torch.Generator().manual_seed(mix(seed, epoch))
    order = torch.randperm(rows, generator=generator)
    for begin, end in bounds(rows, size, world):
        yield order[begin:end][rank::world]


def at_random(train: Dataset, learner: Learner) -> Sampler:
    """Return the sampler of rows at random."""
    return shuffled


def balanced(train: Dataset, learner: Learner) -> Sampler:
    """Return a sampler that draws each class (of the first target) equally often: rare rows come several times.

    An epoch is as long as the rows are many. Rows whose class was not measured are drawn as rows of a class.

    Raises: ConfigError where rows have no classes, or own several each (voxels, hours).
    See: Japkowicz and Stephen 2002, doi 10.3233/IDA-2002-6504 (random oversampling)
    """
    label = learner.strata(train.targets).cpu()
    _, which, counts = torch.unique(label, return_inverse=True, return_counts=True)
    chance = 1 / counts[which].double()

    def sampler(rows: int, size: int, *, seed: int, epoch: int, rank: int, world: int) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(mix(seed, epoch))
        order = torch.multinomial(chance, rows, replacement=True, generator=generator)
        for begin, end in bounds(rows, size, world):
            yield order[begin:end][rank::world]

    return sampler


def blocks(train: Dataset, learner: Learner) -> Sampler:
    """Return a sampler of batches that hold few distinct parts of two inputs, each of which is then encoded less often.

    Blocks of a single input are rows at random.

    Every row comes once an epoch, in as many batches as at random. The two inputs are those of fewest parts. In each
    epoch the parts of one are dealt to groups at random; the rows of a group stand in a random order of the parts of
    the other, which the next group takes backwards, and that line is cut into batches. Were every pair a row, a batch
    of n would be sqrt(n) parts of one against sqrt(n) of the other; groups are larger where fewer pairs are rows.
    """
    if len(train.inputs) < 2:
        return shuffled
    numbers = [torch.unique(given.index.cpu(), return_inverse=True)[1] for given in train.inputs.values()]
    (outer, outers), (inner, inners) = sorted(((n, int(n.max()) + 1) for n in numbers), key=lambda n: n[1])[:2]

    def sampler(rows: int, size: int, *, seed: int, epoch: int, rank: int, world: int) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(mix(seed, epoch))
        wide = (size * outers * inners / rows) ** 0.5  # wide * wide cells of the table of pairs hold `size` rows
        groups = math.ceil(outers / wide)
        group = torch.randperm(outers, generator=generator)[outer] * groups // outers
        place = torch.randperm(inners, generator=generator)[inner]
        place = place.where(group % 2 == 0, inners - 1 - place)
        order = torch.randperm(rows, generator=generator)
        order = order[(group * inners + place)[order].argsort(stable=True)]
        cuts = bounds(rows, size, world)
        for at in torch.randperm(len(cuts), generator=generator).tolist():
            begin, end = cuts[at]
            yield order[begin:end].tensor_split(world)[rank]

    return sampler


# What `train.batches` names: each is made of the training rows and of what is trained on them.
SAMPLERS: dict[str, Callable[[Dataset, Learner], Sampler]] = {
    "random": at_random,
    "balanced": balanced,
    "blocks": blocks,
}


def bounds(rows: int, size: int, world: int) -> list[tuple[int, int]]:
    """Return begin and end of each batch; a last batch too small for all processes joins the one before it."""
    cuts = [*range(0, rows, size), rows]
    if len(cuts) > 2 and cuts[-1] - cuts[-2] < max(world, 2):
        del cuts[-2]
    return list(pairwise(cuts))


def mix(seed: int, epoch: int, rank: int = 0) -> int:
    """Return a seed of its own for each (seed, epoch, rank).

    See: splitmix64, Steele 2014, doi 10.1145/2714064.2660195
    """
    mask = (1 << 64) - 1
    value = (seed * 0x9E3779B97F4A7C15 + epoch * 0xBF58476D1CE4E5B9 + rank * 0x94D049BB133111EB) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return (value ^ (value >> 31)) >> 1  # torch takes 63 bits
