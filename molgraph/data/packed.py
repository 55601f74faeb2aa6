"""Ragged parts (graphs, sequences, slices) stored flat: values end to end, and where each part starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

PART = "part"  # the level of values that have exactly one row per part
WHOSE, UNTIL = "whose", "until"  # of a part that is one of a patient's moments: which patient, and when it is
Schema = dict[str, list[int]]  # value name -> sizes an encoder needs: code cardinalities, or a width


@dataclass(frozen=True)
class Packed:
    """Hold many parts flat.

    Shapes: `values[name]` is [rows of its level, ...]; `offsets[level]` is int64 [P + 1], so part p owns
    the rows offsets[p] to offsets[p + 1]; a value of level "part" has one row per part and no offsets. Where parts are
    one patient at several times, they share rows: `offsets[level]` is int64 [P, 2] then, the first row of each part and
    the one after its last. Rows are stored once, and `gather` gives each part its own, so that a batch holds nothing
    that its parts do not see.
    `schema[name]` is what an encoder must know to be built: the number of codes in each column of an
    integer value, or [width] of a float value.
    """

    values: dict[str, Tensor]
    level: dict[str, str]
    offsets: dict[str, Tensor]
    schema: Schema
    count: int

    def __len__(self) -> int:
        return self.count

    @property
    def device(self) -> torch.device:
        return next((values.device for values in self.values.values()), torch.device("cpu"))

    @property
    def nbytes(self) -> int:
        return sum(v.nbytes for v in self.values.values()) + sum(o.nbytes for o in self.offsets.values())

    def to(self, device: torch.device | str) -> Packed:
        """Return the same parts on a device; these very parts where they are there already."""
        exact = real(device)
        values = {k: v.to(device, exact if v.dtype == torch.float64 else v.dtype) for k, v in self.values.items()}
        offsets = {k: o.to(device) for k, o in self.offsets.items()}
        if all(values[k] is v for k, v in self.values.items()) and all(
            offsets[k] is o for k, o in self.offsets.items()
        ):
            return self
        return Packed(values, self.level, offsets, self.schema, self.count)

    def gather(self, ids: Tensor) -> Packed:
        """Return the parts `ids` (int64 [U]) in that order, renumbered from 0; these very parts where that is all."""
        shared = any(start.ndim == 2 for start in self.offsets.values())
        if not shared and len(ids) == self.count and torch.equal(ids, torch.arange(self.count, device=ids.device)):
            return self
        offsets: dict[str, Tensor] = {}
        rows: dict[str, Tensor] = {PART: ids}
        for level, start in self.offsets.items():
            rows[level], offsets[level] = spans(start, ids)
        values = {name: v.index_select(0, rows[self.level[name]]) for name, v in self.values.items()}
        return Packed(values, self.level, offsets, self.schema, len(ids))

    def only(self, names: Iterable[str]) -> Packed:
        """Return the same parts with only the named values (and the levels they need)."""
        kept = [n for n in self.values if n in set(names)]
        levels = {self.level[n] for n in kept}
        return Packed(
            {n: self.values[n] for n in kept},
            {n: self.level[n] for n in kept},
            {k: o for k, o in self.offsets.items() if k in levels},
            {n: self.schema[n] for n in kept if n in self.schema},
            self.count,
        )

    def apart(self, level: str) -> Packed:
        """Return every row of a level as a part of its own; the values are shared, not copied."""
        kept = [n for n in self.values if self.level[n] == level]
        count = int(self.offsets[level][-1])
        return replace(self.only(kept), offsets={level: torch.arange(count + 1, device=self.device)}, count=count)

    @classmethod
    def cat(cls, packs: Sequence[Packed]) -> Self:
        """Join packs of the same fields, in order."""
        packs = [pack.gather(torch.arange(pack.count, device=pack.device)) for pack in packs]
        first = packs[0]
        values = {n: torch.cat([p.values[n] for p in packs]) for n in first.values}
        offsets: dict[str, Tensor] = {}
        for level in first.offsets:
            lengths = torch.cat([torch.diff(p.offsets[level]) for p in packs])
            offsets[level] = starts(lengths)
        return cls(values, first.level, offsets, first.schema, sum(p.count for p in packs))


def real(device: torch.device | str) -> torch.dtype:
    """Return the most exact type of numbers that a device knows: float64, but float32 on Apple's (`mps`)."""
    return torch.float32 if torch.device(device).type == "mps" else torch.float64


def starts(lengths: Tensor) -> Tensor:
    """Return int64 offsets [P + 1] from lengths [P]."""
    ends = torch.cumsum(lengths.to(torch.int64), 0)
    return torch.cat([ends.new_zeros(1), ends])


def spans(offsets: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows that the parts `ids` own, end to end, and the new offsets [len(ids) + 1]."""
    shared = offsets.ndim == 2
    begin = (offsets[:, 0] if shared else offsets).index_select(0, ids)
    length = (offsets[:, 1].index_select(0, ids) if shared else offsets.index_select(0, ids + 1)) - begin
    ends = starts(length)
    rows = torch.repeat_interleave(begin - ends[:-1], length)
    return rows + torch.arange(len(rows), device=ids.device), ends


def owners(offsets: Tensor) -> Tensor:
    """Return for each row the number of the part that owns it: int64 [offsets[-1]]."""
    parts = torch.arange(len(offsets) - 1, device=offsets.device)
    return torch.repeat_interleave(parts, offsets.diff())


def pack(fields: Mapping[str, tuple[str, Tensor]], lengths: Mapping[str, Tensor], schema: Schema, count: int) -> Packed:
    """Build a `Packed` from {name: (level, flat values)} and {level: lengths [P]}."""
    return Packed(
        {n: v for n, (_, v) in fields.items()},
        {n: lv for n, (lv, _) in fields.items()},
        {k: starts(v) for k, v in lengths.items()},
        schema,
        count,
    )
