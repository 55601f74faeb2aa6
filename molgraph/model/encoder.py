"""The one plug interface: an `Encoder` turns a batch into features, which are checked before they are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Schema
from molgraph.errors import ConfigError
from molgraph.model.levels import Levels, ordered
from molgraph.registry import PREDICTOR


@dataclass(frozen=True)
class Features:
    """Hold what an encoder makes of the U unique parts of a batch.

    Shapes: `values` [M, dim]; `offsets` int64 [U + 1], so part u owns the rows offsets[u] to
    offsets[u + 1] (its atoms, residues, hours), or None where M = U and nothing is left to pool;
    `index` int64 [B] from row to part as the batch has it, -1 where the row has none; `whole` [U, extra] what is
    known of a part as a whole (descriptors) and joins its features after pooling.
    """

    values: Tensor
    offsets: Tensor | None
    index: Tensor
    whole: Tensor | None = None


class Encoder(nn.Module):
    """Turn a batch with one input into features.

    A subclass takes `schema` (given by the data) as its only positional argument and everything that can
    be tuned as keyword-only arguments with defaults: its signature is its configuration schema.
    """

    family: ClassVar[str] = "network"

    opener: ClassVar[str] = PREDICTOR
    """What opens the folder of a training of it (see `registry.OPENERS`)."""

    shares: ClassVar[tuple[str, ...]] = ()
    """Settings that say what the data is and not how it is learnt: a method to beat takes them over."""

    needs: tuple[str, ...] = ()
    """Names of the features the room must prepare ("graph", "descriptors")."""

    space: ClassVar[dict[str, Any]] = {}
    """Search space: a list is choices, {"low":, "high":, "log":} a range."""

    pooling: ClassVar[str] = "mean"
    """How its features are pooled unless the user says otherwise."""

    pooled: ClassVar[bool] = False
    """Whether the features are those of whole parts, so that nothing is left to pool."""

    dense: ClassVar[bool] = False
    """Whether each of its features (a voxel, an hour) is estimated by itself, so that nothing is pooled."""

    at_once: ClassVar[int] = 256
    """How many rows are estimated together; fixed, so that the same rows give the same numbers."""

    order: ClassVar[tuple[str, ...]] = ()
    """Its parts from the input up, those side by side in one text ("atom bond", "layers norms"); (): as made."""

    dim: int
    """Width of the features."""

    extra: int = 0
    """Width of what joins after pooling (`Features.whole`)."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.schema = schema

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the features that the room must prepare for these settings; most encoders always need the same."""
        return cls.needs

    def levels(self) -> Levels:
        """Return the names of its weights level by level, from the input up: a start is fine-tuned by them."""
        return ordered(self, self.order)

    def adapt(self, train: Dataset) -> None:
        """Learn from the training rows what is no weight (scalers, degree histograms), into buffers."""

    def forward(self, batch: Batch) -> Features:
        """Return the features of the parts of a batch, in their order; a batch without rows or parts never comes."""
        raise NotImplementedError


def called(encoder: object) -> str:
    """Return the name of an encoder's class, by which its author knows it."""
    return f"{type(encoder).__module__}.{type(encoder).__qualname__}"


def ready(encoder: Any) -> Encoder:
    """Return an encoder that was made, once it has all that a model asks of one.

    Raises: ConfigError naming the class and what is missing.
    """
    if not isinstance(encoder, Encoder):
        raise ConfigError(f"{called(encoder)} is no molgraph.model.encoder.Encoder: derive it from that class.")
    for name, least in (("dim", 1), ("extra", 0)):
        width = getattr(encoder, name, None)
        if not isinstance(width, int) or isinstance(width, bool) or width < least:
            said = "has no" if width is None else f"has {name} = {width!r} for its"
            raise ConfigError(
                f"the encoder {called(encoder)} {said} `{name}`: set self.{name}, the width of its features"
                f"{' (of `Features.whole`)' if name == 'extra' else ''}, a whole number from {least} on, in __init__."
            )
    if type(encoder).forward is Encoder.forward:
        raise ConfigError(f"the encoder {called(encoder)} has no `forward`: write it; it returns Features of a batch.")
    return encoder


def checked(encoder: Encoder, made: Any, batch: Batch) -> Features:
    """Return what an encoder made of a batch, once it has the shapes that `Features` promises.

    An encoder of several inputs makes one part of each row.

    Raises: ConfigError naming the encoder and what is wrong.
    """
    alone = len(batch.parts) == 1
    count = len(batch.single()[0]) if alone else len(batch)
    wrong = _misshapen(encoder, made, count, len(batch)) or _misplaced(made, batch.single()[1] if alone else None)
    if wrong:
        raise ConfigError(f"the encoder {called(encoder)} returns {wrong}.")
    found: Features = made
    return found


def _misshapen(encoder: Encoder, made: Any, count: int, rows: int) -> str:
    """Say which shape is not the one promised, "" where all are; no value is looked at, so no device is waited for."""
    if not isinstance(made, Features):
        return f"{type(made).__name__}, not molgraph.model.encoder.Features"
    if made.offsets is None:
        size: int | None = count
        needed = f"one row for each of the {count} parts of the batch, or offsets that say which rows a part owns"
    else:
        size, needed = None, "rows of features"
    shape = tuple(made.values.shape)
    if (
        not made.values.is_floating_point()
        or len(shape) != 2
        or shape[1] != encoder.dim
        or size not in (None, shape[0])
    ):
        wanted = f"[{'M' if size is None else size}, dim = {encoder.dim}]"
        return f"values of shape {list(shape)}, {made.values.dtype}, instead of {wanted}: {needed}"
    if made.offsets is not None and (made.offsets.dtype != torch.int64 or made.offsets.shape != (count + 1,)):
        return f"offsets of shape {list(made.offsets.shape)}, {made.offsets.dtype}, instead of int64 [{count + 1}]"
    if made.index.dtype != torch.int64 or made.index.shape != (rows,):
        return f"an index of shape {list(made.index.shape)}, {made.index.dtype}, instead of int64 [{rows}]"
    if made.whole is None and not encoder.extra:
        return ""
    whole = None if made.whole is None else list(made.whole.shape)
    if whole != [count, encoder.extra]:
        return f"`whole` of shape {whole} instead of [{count}, extra = {encoder.extra}]"
    return ""


def _misplaced(made: Features, index: Tensor | None) -> str:
    """Say whose rows are not where they should be, "" where all are."""
    ends = made.offsets
    if ends is not None and bool((ends[0] != 0) | (ends[-1] != len(made.values)) | (ends.diff() < 0).any()):
        return f"offsets that do not rise from 0 to the {len(made.values)} rows of values"
    if index is not None and made.index is not index and bool((made.index != index).any()):
        return "another index than the batch's: row by row the number of its part, as `batch.single()` gives it"
    return ""
