"""What all fusions share: each part is encoded once and brought to its rows; an input may be absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor, nn

from molgraph.data.dataset import ABSENT, Batch, Dataset
from molgraph.data.packed import Packed
from molgraph.errors import ConfigError
from molgraph.model.encoder import Encoder, Features
from molgraph.model.model import pool

MODALITY_DROPOUT: dict[str, Any] = {"low": 0.0, "high": 0.3}


@dataclass(frozen=True)
class Encoded:
    """Hold what an encoder says of the U distinct parts of one input.

    Shapes: `elements` [M, dim] and `offsets` int64 [U + 1] as in `Features`; `parts` [U, dim + extra], pooled.
    """

    elements: Tensor
    offsets: Tensor | None
    parts: Tensor


class Fusion(Encoder):
    """Encode each input by its own encoder and join what they say into one vector per row.

    Each distinct part of a batch is encoded once. A row without one of the inputs has a learnt vector in its place,
    and the fused vector tells which inputs the row has. In training, `modality_dropout` is the chance that an input
    of a row is hidden; one always stays. `pooling` is each encoder's own (`auto`) or one for all.

    In evaluation without gradients, what the very same parts gave in the last call is not computed again: one protein
    for a whole screen is encoded once.

    A subclass sets `dim` and writes `fuse`.

    Raises: ConfigError for fewer than two inputs, a setting out of range, or an input that cannot be called so.
    """

    pooled: ClassVar[bool] = True
    space: ClassVar[dict[str, Any]] = {"modality_dropout": MODALITY_DROPOUT}

    def __init__(self, encoders: Mapping[str, Encoder], pooling: str, modality_dropout: float) -> None:
        super().__init__({})
        if len(encoders) < 2:
            raise ConfigError(f"a fusion joins two inputs or more, not {len(encoders)}: use the encoder itself.")
        if not 0 <= modality_dropout < 1:
            raise ConfigError(f"modality_dropout = {modality_dropout} is out of range: at least 0 and below 1.")
        for name in encoders:
            if not name or "." in name or hasattr(nn.ModuleDict, name):
                raise ConfigError(f"an input cannot be called '{name}'; choose another name, without a full stop.")
        self.names = tuple(encoders)
        self.schemas = {name: encoder.schema for name, encoder in encoders.items()}
        self.widths = {name: encoder.dim + encoder.extra for name, encoder in encoders.items()}
        self.modality_dropout = modality_dropout
        self.encoders = nn.ModuleDict(encoders)
        self.pools = nn.ModuleDict({name: pool(encoder, pooling) for name, encoder in encoders.items()})
        self.absent = nn.ParameterDict({name: torch.zeros(width) for name, width in self.widths.items()})
        self._kept: dict[str, _Kept] = {}

    def adapt(self, train: Dataset) -> None:
        for name in self.names:
            self._encoder(name).adapt(train.select(name))

    def train(self, mode: bool = True) -> Self:
        if mode:
            self._kept.clear()
        return super().train(mode)

    def forward(self, batch: Batch) -> Features:
        index = self._hide(torch.stack([batch.index[name] for name in self.names], 1))
        encoded = {name: self._encode(name, batch) for name in self.names}
        rows = []
        for name, at in zip(self.names, index.unbind(1), strict=True):
            table = torch.cat([self.absent[name].unsqueeze(0), encoded[name].parts])
            rows.append(table.index_select(0, at - ABSENT))
        values = self.fuse(rows, index, encoded)
        some = (index != ABSENT).any(1)
        return Features(values, None, torch.arange(len(index), device=index.device).where(some, ABSENT))

    def fuse(self, rows: list[Tensor], index: Tensor, encoded: Mapping[str, Encoded]) -> Tensor:
        """Return one vector per row [B, dim].

        Shapes: `rows` per input [B, width], a learnt vector where it is absent; `index` int64 [B, inputs], the part
        of each row or ABSENT.
        """
        raise NotImplementedError

    def _hide(self, index: Tensor) -> Tensor:
        """Hide inputs of random rows in training, never the last one of a row."""
        if not (self.training and self.modality_dropout):
            return index
        draw = torch.rand(index.shape, device=index.device).masked_fill(index == ABSENT, -1.0)
        stays = (draw >= self.modality_dropout) | (draw == draw.amax(1, keepdim=True))
        return index.where(stays, ABSENT)

    def _encode(self, name: str, batch: Batch) -> Encoded:
        """Encode the parts of one input, or return what the very same parts gave last time."""
        if self.training or torch.is_grad_enabled():
            return self._fresh(name, batch)
        parts, kept = batch.parts[name], self._kept.get(name)
        weights = [*self.encoders[name].state_dict().values(), *self.pools[name].state_dict().values()]
        if (
            kept is None
            or kept.parts is not parts
            or kept.precision != _precision()
            or not _same(kept.weights, weights)
        ):
            copies = [w.clone() for w in weights]
            kept = self._kept[name] = _Kept(parts, _precision(), copies, self._fresh(name, batch))
        return kept.encoded

    def _fresh(self, name: str, batch: Batch) -> Encoded:
        encoder = self._encoder(name)
        if not len(batch.parts[name]):  # every row of the batch lacks this input
            absent = self.absent[name]
            none = torch.zeros(1, dtype=torch.int64, device=absent.device)
            return Encoded(absent.new_zeros(0, encoder.dim), none, absent.new_zeros(0, self.widths[name]))
        features = encoder(batch.select(name))
        parts = self.pools[name](features.values, features.offsets)
        if features.whole is not None:
            parts = torch.cat([parts, features.whole.to(parts.dtype)], 1)
        return Encoded(features.values, features.offsets, parts)

    def _encoder(self, name: str) -> Encoder:
        return cast(Encoder, self.encoders[name])


@dataclass(frozen=True)
class _Kept:
    """Hold what was computed last: from which parts, how precisely, and by which weights.

    The weights are copies: torch's count of the writes to a tensor misses those of its fused optimisers.
    """

    parts: Packed
    precision: tuple[object, ...]
    weights: list[Tensor]
    encoded: Encoded


def _precision() -> tuple[object, ...]:
    """Return what autocast computes in, on a CPU and on a card."""
    return tuple(torch.get_autocast_dtype(d) if torch.is_autocast_enabled(d) else None for d in ("cpu", "cuda"))


def _same(kept: list[Tensor], now: list[Tensor]) -> bool:
    return all(
        a.dtype == b.dtype and a.device == b.device and torch.equal(a, b) for a, b in zip(kept, now, strict=True)
    )


def presence(index: Tensor, like: Tensor) -> Tensor:
    """Return 1 where a row has an input, else 0: [B, inputs]."""
    return (index != ABSENT).to(like.dtype)


def at_least_one(name: str, value: int) -> int:
    """Return a setting that must be at least 1.

    Raises: ConfigError where it is not.
    """
    if value < 1:
        raise ConfigError(f"{name} = {value} is out of range: it must be at least 1.")
    return value
