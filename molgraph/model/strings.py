"""Encoders of strings: letters that a room turned into codes (residues, SMILES tokens)."""

from __future__ import annotations

import logging
from typing import ClassVar

import torch
from torch import nn

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Schema
from molgraph.errors import ConfigError
from molgraph.model.encoder import Encoder, Features
from molgraph.nn.sequence import Words, first_rows

log = logging.getLogger(__name__)


class StringEncoder(Encoder):
    """Embed the letters of each string and run one layer of `nn.sequence` along it.

    `embed()` gives the table [letters, width] of what letters become; `layer` turns that table, offsets and codes into
    features of letters, or of `words` of several. A room says which feature holds the codes (`letters`, [M]) and at
    which level. `max_length` above 0 reads no more than that many letters of each string, from the first on; how many
    training strings are longer is logged.

    Raises: ConfigError for a negative `max_length`.
    """

    order: ClassVar[tuple[str, ...]] = ("embed", "words", "layer")
    letters: ClassVar[str]
    level: ClassVar[str]

    def __init__(
        self,
        schema: Schema,
        embed: nn.Module,
        layer: nn.Module,
        dim: int,
        *,
        max_length: int = 0,
        words: Words | None = None,
    ) -> None:
        super().__init__(schema)
        if max_length < 0:
            raise ConfigError(f"max_length = {max_length} is out of range: it must be at least 0 (0: no limit).")
        self.embed, self.layer, self.words = embed, layer, words
        self.dim, self.max_length = dim, max_length

    def adapt(self, train: Dataset) -> None:
        ((name, given),) = train.inputs.items()
        if self.max_length:
            used = torch.unique(given.index[given.index >= 0])
            longer = int((given.parts.offsets[self.level].diff()[used] > self.max_length).sum())
            if longer:
                log.warning(
                    "%s: %d of %d training strings are longer than max_length = %d and are cut there",
                    name,
                    longer,
                    len(used),
                    self.max_length,
                )

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        codes, offsets = parts.values[self.letters].long(), parts.offsets[self.level]
        if self.max_length:
            rows, offsets = first_rows(offsets, self.max_length)
            codes = codes.index_select(0, rows)
        if not len(codes):  # no row of the batch has this input
            return Features(self.embed().new_zeros(0, self.dim), offsets, index)
        if self.words is None:
            return Features(self.layer(self.embed(), offsets, codes), offsets, index)
        words, offsets = self.words(self.embed(), offsets, codes)
        return Features(self.layer(words, offsets), offsets, index)


def in_range(**settings: float) -> None:
    """Check that `dropout` is at least 0 and below 1 and that all other settings are at least 1.

    Raises: ConfigError for one that is not.
    """
    for name, value in settings.items():
        if name == "dropout" and not 0 <= value < 1:
            raise ConfigError(f"dropout = {value} is out of range: it must be at least 0 and below 1.")
        if name != "dropout" and value < 1:
            raise ConfigError(f"{name} = {value} is out of range: it must be at least 1.")
