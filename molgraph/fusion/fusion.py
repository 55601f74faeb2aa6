"""What all fusions share: each part is encoded once and brought to its rows; an input may be absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor, nn

from molgraph.data.dataset import ABSENT, Batch, Dataset
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.fusion.kept import Encoded, Kept
from molgraph.model.encoder import Encoder, Features, checked
from molgraph.model.headed import pool
from molgraph.model.levels import Levels, beside, under

MODALITY_DROPOUT: dict[str, Any] = {"low": 0.0, "high": 0.3}


class Fusion(Encoder):
    """Encode each input by its own encoder and join what they say into one vector per row.

    Each distinct part of a batch is encoded once. A row without one of the inputs has a learnt vector in its place,
    and the fused vector tells which inputs the row has. In training, `modality_dropout` is the chance that an input
    of a row is hidden; one always stays. `pooling` is each encoder's own (`auto`) or one for all.

    In evaluation without gradients each part of a store is encoded once, so long as that is not too much to keep: a
    panel of proteins costs its proteins, its molecules, and what is joined of each pair.

    A subclass sets `dim` and writes `fuse`.

    Raises: ConfigError for fewer than two inputs, a setting out of range, or an input that cannot be called so.
    """

    pooled: ClassVar[bool] = True
    attends: ClassVar[bool] = False
    """Whether it reads the elements of parts, and not only what is pooled of them."""

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
        self._kept: dict[str, Kept] = {}

    def adapt(self, train: Dataset) -> None:
        for name in self.names:
            self._encoder(name).adapt(train.select(name))

    def levels(self) -> Levels:
        inner = beside(under(f"encoders.{name}", self._encoder(name).levels()) for name in self.names)
        below = {name for names in inner for name in names}
        return [*inner, [name for name, _ in self.named_parameters() if name not in below]]

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
        """Encode the parts of one input; outside training each part of a store once, as long as the weights stay."""
        if self.training or torch.is_grad_enabled():
            return self._fresh(name, batch)
        parts = batch.parts[name]
        store, ids = batch.origin.get(name) or (parts, torch.arange(len(parts), device=parts.device))
        weights = [*self.encoders[name].state_dict().values(), *self.pools[name].state_dict().values()]
        kept = self._kept.get(name)
        if kept is None or not kept.serves(store, weights):
            kept = self._kept[name] = Kept(store, weights)

        def encode(at: Tensor) -> Encoded:
            some = parts.gather(at.to(parts.device))
            each = torch.arange(len(some), device=parts.device)
            made = self._fresh(name, Batch({name: some}, {name: each}, Targets.none(len(some)).to(parts.device)))
            return made if self.attends else made.bare()

        return kept.of(ids, encode)

    def _fresh(self, name: str, batch: Batch) -> Encoded:
        encoder = self._encoder(name)
        if not len(batch.parts[name]):  # every row of the batch lacks this input
            absent = self.absent[name]
            none = torch.zeros(1, dtype=torch.int64, device=absent.device)
            return Encoded(absent.new_zeros(0, encoder.dim), none, absent.new_zeros(0, self.widths[name]))
        mine = batch.select(name)
        features = checked(encoder, encoder(mine), mine)
        parts = self.pools[name](features.values, features.offsets)
        if features.whole is not None:
            parts = torch.cat([parts, features.whole.to(parts.dtype)], 1)
        return Encoded(features.values, features.offsets, parts)

    def _encoder(self, name: str) -> Encoder:
        return cast(Encoder, self.encoders[name])


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
