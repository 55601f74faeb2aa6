"""How much more a molecule hits the target than what it must leave alone: a column for a screen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset, Input
from molgraph.errors import ConfigError, did_you_mean
from molgraph.predictor.inputs import Slot
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.ready import unlabelled
from molgraph.predictor.scored import Scorer
from molgraph.predictor.targets import Proteins, protein_slot, read_proteins

SELECTIVITY = "selectivity"
AT_ONCE = 100_000  # pairs estimated at once


class Selective(Scorer):
    """Score as another scorer does, and add `selectivity`: the value on the target less the highest of those to avoid.

    A model of many targets avoids targets by name, and its target is the first that is not avoided; a model of a
    molecule and a protein avoids the proteins of a file, but the target where that is among them. Units are those of
    the target: of a p-value, 1 is tenfold.

    Raises: ConfigError for a target that the model has not, or nothing left to aim at, or to avoid.
    """

    def __init__(self, scorer: Scorer, against: Sequence[str]) -> None:
        self.scorer, self.inputs, self.domain = scorer, scorer.inputs, scorer.domain
        self.on, self.avoided, self.proteins = scorer.numbers[0], tuple(against), None
        if len(scorer.inputs.slots) == 1:
            for name in against:
                if name not in scorer.numbers:
                    raise ConfigError(
                        f"--against: the model has no target '{name}'{did_you_mean(name, scorer.numbers)}"
                    )
            aims = [name for name in scorer.numbers if name not in against]
            if not aims:
                raise ConfigError("--against names all targets of the model: none is left to aim at.")
            self.on = aims[0]
        else:
            self.proteins = list(self._proteins(against))

    def __getattr__(self, name: str) -> object:
        if name == "scorer":  # asked for by a copy that is not filled yet
            raise AttributeError(name)
        return getattr(self.scorer, name)  # facts, digest, targets: those of the scorer inside

    @property
    def predictors(self) -> Sequence[Scorer]:
        return self.scorer.predictors

    @property
    def numbers(self) -> tuple[str, ...]:
        return (*self.scorer.numbers, SELECTIVITY)

    def columns_of(self, things: Dataset) -> pd.DataFrame:
        """Return the scorer's columns and `selectivity`."""
        found = self.scorer.columns_of(things)
        if self.proteins is None:
            highest = found[list(self.avoided)].to_numpy(np.float64).max(axis=1)
        else:
            highest = np.mean([_highest(p, things, chosen) for p, chosen in self.proteins], axis=0)
        return found.assign(**{SELECTIVITY: (found[self.on].to_numpy(np.float64) - highest).astype(np.float32)})

    def _proteins(self, against: Sequence[str]) -> Iterator[tuple[Predictor, Proteins]]:
        if len(against) != 1 or not Path(against[0]).is_file():
            raise ConfigError("--against: for a model of a molecule and a protein, name one file of proteins (FASTA).")
        for each in self.scorer.predictors:
            assert isinstance(each, Predictor)
            yield each, read_proteins(each, against[0])


def _highest(predictor: Predictor, things: Dataset, avoided: Proteins) -> NDArray[np.float64]:
    """Return for each thing the highest estimate among the proteins to avoid, [n]."""
    lead, slot = predictor.inputs.lead.name, protein_slot(predictor)
    other, highest, wide = slot.name, np.full(len(things), -np.inf), len(avoided.names)
    own = _same(slot, things.inputs[other], avoided.given)
    if own.all(axis=1).any():
        raise ConfigError("--against holds no protein but the target itself: there is nothing to avoid.")
    for rows in np.array_split(np.arange(len(things)), -(-len(things) * wide // AT_ONCE) or 1):
        mine = things.subset(rows).inputs[lead]
        inputs = {
            lead: dataclasses.replace(mine, index=mine.index.repeat_interleave(wide)),
            other: dataclasses.replace(avoided.given, index=avoided.given.index.repeat(len(rows))),
        }
        found = predictor.estimate(unlabelled(inputs, len(rows) * wide))[0][:, 0]
        found = predictor.task.of(predictor.targets[0]).out_of(found)
        highest[rows] = np.where(own[rows], -np.inf, found.reshape(len(rows), wide)).max(axis=1)
    return highest


def _same(slot: Slot, mine: Input, avoided: Input) -> NDArray[np.bool_]:
    """Tell which of the proteins to avoid are the one that a row is about, [n, T]."""
    on, off = (np.array([*slot.room.likeness.identity(each.keys), ""], dtype=object) for each in (mine, avoided))
    same: NDArray[np.bool_] = on[mine.index.numpy()][:, None] == off[avoided.index.numpy()][None]
    return same
