"""Vectors of proteins that were computed elsewhere, as by a protein language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from molgraph.data.packed import Schema
from molgraph.model.numbers import NumbersEncoder
from molgraph.rooms.protein.prepare import EMBEDDING


class Embedding(NumbersEncoder):
    """Pass given vectors through a small network.

    The input column holds the vectors, or, where `file` names a `.npz`, what proteins are called there (see `vectors`);
    predictions look them up in the same file.
    """

    needs: tuple[str, ...] = (EMBEDDING,)

    def __init__(
        self, schema: Schema, *, file: str = "", hidden: int = 128, depth: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__(schema, self.needs, hidden, depth, dropout)
        self.file = file

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        file = settings.get("file", "")
        return (f"{EMBEDDING}:{file}",) if file else cls.needs
