"""A `Dataset`: parts stored once, rows that point at them, targets, groups; a `Batch` is a gather."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph.data.packed import UNTIL, WHOSE, Packed
from molgraph.data.targets import Targets
from molgraph.errors import Reject

ABSENT = -1


@dataclass(frozen=True)
class Input:
    """Hold one input of all rows: its distinct parts and, per row, which part it is.

    Shapes: `index` int64 [N], a part number or ABSENT. `keys` has one text per part, which names the part
    for a person and for identity (a standardised SMILES, a sequence, a patient). `names` has the user's own name of
    each part where the user gives one ("" for a part without). `things` has the identity of each part
    (`Likeness.identity`) where that was asked for.

    A patient whose records come over time is stored once, and a part is what was known of one at a moment: `until`
    (docs/decisions/0036). Whoever learns from parts thus learns from (patient, until), and no row has a future to see.
    """

    parts: Packed
    index: Tensor
    keys: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    things: tuple[str, ...] = ()

    @property
    def until(self) -> Tensor | None:
        """Return until when each row sees its part, float64 [N] (NaN where it is absent); None where rows see all."""
        return self._of_part(UNTIL, torch.nan)

    @property
    def whose(self) -> Tensor | None:
        """Return of whom each row's part is, int64 [N], ABSENT where it is absent; None where each part is its own."""
        return self._of_part(WHOSE, ABSENT)

    def _of_part(self, name: str, absent: float) -> Tensor | None:
        if name not in self.parts.values:
            return None
        values = self.parts.values[name]
        return torch.cat([values, values.new_full((1,), absent)])[self.index]  # ABSENT is the last place

    def key_of(self, row: int) -> str:
        """Return the key of a row's part, or "" where the part is absent."""
        at = int(self.index[row])
        return self.keys[at] if at != ABSENT else ""


@dataclass(frozen=True)
class Batch:
    """Hold B rows: per input the unique parts in use and the index of each row into them.

    `origin` tells per input which parts of which store they are, where that is known.

    Shapes: `index[name]` int64 [B]; presence is `index >= 0`; `origin[name]` the store and int64 [U].
    """

    parts: dict[str, Packed]
    index: dict[str, Tensor]
    targets: Targets
    origin: dict[str, tuple[Packed, Tensor]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.targets)

    def to(self, device: torch.device | str) -> Batch:
        """Return the same batch on a device."""
        return Batch(
            {k: p.to(device) for k, p in self.parts.items()},
            {k: i.to(device) for k, i in self.index.items()},
            self.targets.to(device),
            self.origin,
        )

    def select(self, name: str) -> Batch:
        """Return the batch as an encoder of the one input `name` sees it."""
        return Batch({name: self.parts[name]}, {name: self.index[name]}, self.targets)

    def single(self) -> tuple[Packed, Tensor]:
        """Return the parts and the index of the only input."""
        ((name, parts),) = self.parts.items()
        return parts, self.index[name]


@dataclass(frozen=True)
class Dataset:
    """Hold rows to train on or to predict: inputs, targets, groups, and the rows that were rejected.

    `rows[i]` is the record number in the user's file and `ids[i]` the name the user gives that row.
    `groups` maps a grouping ("scaffold", "patient") to one integer label per row.
    """

    inputs: dict[str, Input]
    targets: Targets
    rows: NDArray[np.int64]
    ids: tuple[str, ...]
    groups: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def device(self) -> torch.device:
        return self.targets.values.device

    def batch(self, rows: Tensor, epoch: int = 0) -> Batch:
        """Return the batch of `rows` (int64 [B]); `epoch` seeds augmentation where a store has any."""
        parts: dict[str, Packed] = {}
        index: dict[str, Tensor] = {}
        origin: dict[str, tuple[Packed, Tensor]] = {}
        for name, given in self.inputs.items():
            wanted = given.index.index_select(0, rows)
            unique, inverse = torch.unique(wanted, return_inverse=True)
            if len(unique) and unique[0] == ABSENT:
                unique, inverse = unique[1:], inverse - 1
            parts[name], index[name] = given.parts.gather(unique), inverse
            origin[name] = given.parts, unique
        return Batch(parts, index, self.targets.take(rows), origin)

    def subset(self, rows: NDArray[np.int64] | Tensor) -> Dataset:
        """Return the dataset of some rows; the parts are shared, not copied."""
        at = np.asarray(rows, dtype=np.int64)
        take = torch.from_numpy(at).to(self.device)
        return replace(
            self,
            inputs={n: replace(g, index=g.index.index_select(0, take)) for n, g in self.inputs.items()},
            targets=self.targets.take(take),
            rows=self.rows[at],
            ids=tuple(self.ids[i] for i in at),
            groups={n: g[at] for n, g in self.groups.items()},
            rejects=(),
        )

    def only(self, names: Iterable[str]) -> Dataset:
        """Return the dataset with only the named inputs."""
        return replace(self, inputs={name: self.inputs[name] for name in names})

    def select(self, name: str) -> Dataset:
        """Return the dataset as an encoder of the one input `name` sees it."""
        return self.only([name])

    def to(self, device: torch.device | str) -> Dataset:
        """Return the dataset with its parts, indices and targets resident on a device."""
        return replace(
            self,
            inputs={n: replace(g, parts=g.parts.to(device), index=g.index.to(device)) for n, g in self.inputs.items()},
            targets=self.targets.to(device),
        )


def move(datasets: Sequence[Dataset], device: torch.device | str) -> list[Dataset]:
    """Return datasets resident on a device; parts that they share move once."""
    there = {at: parts.to(device) for at, parts in _stores(datasets).items()}
    found = []
    for data in datasets:
        inputs = {name: replace(given, parts=there[id(given.parts)]) for name, given in data.inputs.items()}
        found.append(replace(data, inputs=inputs).to(device))
    return found


def nbytes(datasets: Sequence[Dataset]) -> int:
    """Return how many bytes `move` moves."""
    found = sum(parts.nbytes for parts in _stores(datasets).values())
    for data in datasets:
        own = data.targets
        targets = (own.values, own.observed, own.bound, own.weight, own.offsets)
        found += sum(each.nbytes for each in targets if each is not None)
        found += sum(given.index.nbytes for given in data.inputs.values())
    return found


def _stores(datasets: Sequence[Dataset]) -> dict[int, Packed]:
    return {id(given.parts): given.parts for data in datasets for given in data.inputs.values()}
