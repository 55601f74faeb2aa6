"""What a model was trained on, as far as that is known: its own rows, and those of the models that it started from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.predictor.domain import Domain
from molgraph.predictor.inputs import slots


@dataclass(frozen=True)
class Known:
    """Hold the rows that trained, as domains, and in words the models whose rows are not at hand."""

    domains: tuple[Domain, ...] = ()
    gaps: tuple[str, ...] = ()

    def seen(self, data: Dataset) -> NDArray[np.bool_]:
        """Tell which rows are known to have trained, [n]."""
        found = np.zeros(len(data), dtype=bool)
        for domain in self.domains:
            found |= domain.seen(data)
        return found

    @property
    def gap(self) -> str:
        """Say in one line why there may be more, "" where there are none."""
        return " and ".join(self.gaps)


def pretrained_by(run: RunSettings) -> Iterator[str]:
    """Yield in words the encoders of a run that begin from weights of a pretraining: those keep no rows."""
    for slot in slots(run):
        if slot.settings.get("weights"):
            name = Path(str(slot.settings["weights"])).name
            yield f"the weights '{name}' of an encoder come without the rows of their pretraining"


def union(several: Sequence[Known]) -> Known:
    """Return what several models were trained on."""
    gaps = dict.fromkeys(gap for each in several for gap in each.gaps)
    return Known(tuple(domain for each in several for domain in each.domains), tuple(gaps))
