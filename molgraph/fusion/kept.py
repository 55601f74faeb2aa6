"""What an encoder said of the parts of a store, kept while its weights stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from molgraph.data.packed import Packed, spans, starts

MOST = 2**24  # numbers kept of one input (and those of a batch more): 64 MB in float32


@dataclass(frozen=True)
class Encoded:
    """Hold what an encoder says of the U distinct parts of one input.

    Shapes: `elements` [M, dim] and `offsets` int64 [U + 1] as in `Features`; `parts` [U, dim + extra], pooled.
    """

    elements: Tensor
    offsets: Tensor | None
    parts: Tensor

    def take(self, at: Tensor) -> Encoded:
        """Return some parts, in the order of `at` (int64 [U])."""
        rows, offsets = (at, None) if self.offsets is None else spans(self.offsets, at)
        elements = self.elements.index_select(0, rows) if len(self.elements) else self.elements
        return Encoded(elements, offsets, self.parts.index_select(0, at))

    def bare(self) -> Encoded:
        """Return the same without elements."""
        return Encoded(self.elements[:0], None, self.parts)

    def then(self, other: Encoded) -> Encoded:
        """Return these parts and then others."""
        lengths = None
        if self.offsets is not None and other.offsets is not None:
            lengths = torch.cat([self.offsets.diff(), other.offsets.diff()])
        return Encoded(
            torch.cat([self.elements, other.elements]),
            None if lengths is None else starts(lengths),
            torch.cat([self.parts, other.parts]),
        )

    @property
    def size(self) -> int:
        return self.elements.numel() + self.parts.numel()


class Kept:
    """Keep what was computed of a store's parts: by which weights, how precisely, and for which parts so far.

    The weights are copies: torch's count of the writes to a tensor misses those of its fused optimisers. Beyond
    `MOST` numbers all is dropped and begun anew.
    """

    def __init__(self, store: Packed, weights: list[Tensor]) -> None:
        self.store, self.precision = store, _precision()
        self.weights = [weight.clone() for weight in weights]
        self.place = torch.full((len(store),), -1, dtype=torch.int64)
        self.encoded: Encoded | None = None

    def serves(self, store: Packed, weights: list[Tensor]) -> bool:
        """Tell whether what is kept is what these weights would say of this store now."""
        return self.store is store and self.precision == _precision() and _same(self.weights, weights)

    def of(self, ids: Tensor, encode: Callable[[Tensor], Encoded]) -> Encoded:
        """Return what is said of the parts `ids` (int64 [U]); `encode` makes those at some positions of `ids`."""
        if self.encoded is not None and self.encoded.size > MOST:
            self.encoded = None
            self.place.fill_(-1)
        at = ids.cpu()
        new = (self.place[at] < 0).nonzero()[:, 0]
        if len(new) or self.encoded is None:
            made, first = encode(new), 0 if self.encoded is None else len(self.encoded.parts)
            self.encoded = made if self.encoded is None else self.encoded.then(made)
            self.place[at[new]] = torch.arange(first, first + len(new))
        return self.encoded.take(self.place[at].to(self.encoded.parts.device))  # `ids` stay where the store is


def _precision() -> tuple[object, ...]:
    """Return what autocast computes in, on a CPU and on a card."""
    return tuple(torch.get_autocast_dtype(d) if torch.is_autocast_enabled(d) else None for d in ("cpu", "cuda"))


def _same(kept: list[Tensor], now: list[Tensor]) -> bool:
    return all(
        a.dtype == b.dtype and a.device == b.device and torch.equal(a, b) for a, b in zip(kept, now, strict=True)
    )
