"""What became of the rows of a table: parts of every input, and reasons."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.targets import Targets
from molgraph.errors import Reject


@dataclass(frozen=True)
class Ready:
    """Hold what became of the n rows of a table.

    Shapes: `index` of each input is int64 [n], a part number, ABSENT where the row was rejected or the input is
    absent. `rejects` maps the position of a rejected row to its reason, `said` that of another to what its user should
    know of how it was read. `columns` names the column of each input, ""
    where there is none. `misread` says which columns hold something else than the input.
    """

    inputs: dict[str, Input]
    rejects: dict[int, Reject]
    columns: dict[str, str]
    misread: tuple[str, ...] = ()
    said: dict[int, str] = field(default_factory=dict)

    def things(self) -> tuple[Dataset, NDArray[np.int64]]:
        """Return the distinct things (the parts; with several inputs the combinations), and int64 [n] from row to
        thing, -1 where rejected."""
        table = np.stack([given.index.numpy() for given in self.inputs.values()], axis=1)
        good = np.ones(len(table), dtype=bool)
        good[list(self.rejects)] = False
        index = np.full(len(table), -1, dtype=np.int64)
        first, inverse = _distinct(table[good])
        index[good] = inverse
        chosen = torch.from_numpy(table[good][first])
        inputs = {
            name: dataclasses.replace(given, index=chosen[:, at].contiguous())
            for at, (name, given) in enumerate(self.inputs.items())
        }
        return unlabelled(inputs, len(first)), index

    def keys(self) -> list[str]:
        """Return for each row the key of its first input, "" where the row was rejected or lacks it."""
        lead = next(iter(self.inputs.values()))
        return ["" if i in self.rejects else lead.key_of(i) for i in range(len(lead.index))]

    def messages(self) -> list[str]:
        """Return for each row why it was rejected, else how it was read and what it is scored without, else ""."""
        columns = zip(*(given.index.tolist() for given in self.inputs.values()), strict=True)
        lacking = [" and ".join(n for n, at in zip(self.inputs, row, strict=True) if at == ABSENT) for row in columns]
        without = [f"scored without {names}" if names else "" for names in lacking]
        told = ["; ".join(filter(None, (self.said.get(i, ""), text))) for i, text in enumerate(without)]
        return [self.rejects[i].message if i in self.rejects else text for i, text in enumerate(told)]


def _distinct(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each distinct combination, in the order in which they come, and row to combination."""
    _, first, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse.reshape(-1)]


def unlabelled(inputs: dict[str, Input], count: int) -> Dataset:
    """Return a dataset of rows that are only to be predicted."""
    return Dataset(inputs, Targets.none(count), np.arange(1, count + 1), ("",) * count)
