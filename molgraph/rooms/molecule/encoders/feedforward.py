"""A feed-forward network on fingerprint counts and descriptors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from molgraph.data.packed import Schema
from molgraph.model.numbers import NumbersEncoder

COUNTS = ("ecfp",)


class FeedForward(NumbersEncoder):
    """Read ECFP counts and, with `descriptors`, RDKit's descriptors.

    See: Ma et al. 2015, Deep neural nets as a method for quantitative structure-activity relationships, doi
    10.1021/ci500747n; Rogers & Hahn 2010, doi 10.1021/ci100050t (ECFP)
    """

    needs: tuple[str, ...] = COUNTS
    space: ClassVar[dict[str, Any]] = {**NumbersEncoder.space, "descriptors": [False, True]}

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 256,
        depth: int = 1,
        dropout: float = 0.1,
        descriptors: bool = True,
    ) -> None:
        super().__init__(schema, self.asks({"descriptors": descriptors}), hidden, depth, dropout)
        self.needs = self.names

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return (*COUNTS, "descriptors") if settings.get("descriptors") else COUNTS
