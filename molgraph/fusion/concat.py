"""Fusion by concatenation."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, cat

from molgraph.fusion.fusion import Fusion, presence
from molgraph.fusion.kept import Encoded
from molgraph.model.encoder import Encoder


class Concat(Fusion):
    """Put the vectors of all inputs side by side; the head does the rest.

    See: Ozturk et al. 2018, DeepDTA, doi 10.1093/bioinformatics/bty593;
    Nguyen et al. 2021, GraphDTA, doi 10.1093/bioinformatics/btaa921
    """

    def __init__(
        self, encoders: Mapping[str, Encoder], *, pooling: str = "auto", modality_dropout: float = 0.0
    ) -> None:
        super().__init__(encoders, pooling, modality_dropout)
        self.dim = sum(self.widths.values()) + len(self.names)

    def fuse(self, rows: list[Tensor], index: Tensor, encoded: Mapping[str, Encoded]) -> Tensor:
        return cat([*rows, presence(index, rows[0])], 1)
