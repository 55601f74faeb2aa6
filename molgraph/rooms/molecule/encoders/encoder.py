"""What all encoders of molecules share: the graph they read, and descriptors joined to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from molgraph.data.dataset import Batch, Dataset
from molgraph.data.packed import Packed, Schema
from molgraph.errors import ConfigError
from molgraph.model.encoder import Encoder, Features
from molgraph.nn.codes import Codes
from molgraph.nn.dropout import Dropout
from molgraph.nn.graph import Graph
from molgraph.nn.standardise import Standardise

DROPOUT: dict[str, Any] = {"low": 0.0, "high": 0.4}


class MoleculeEncoder(Encoder):
    """Turn molecular graphs into features of atoms; with `descriptors`, join RDKit descriptors to each molecule.

    A subclass writes `encode`. Descriptors are scaled by what the training molecules teach.

    Raises: ConfigError where `hidden` or `depth` is below 1, `dropout` outside [0, 1), or descriptors are
    asked for and not prepared.
    """

    needs: tuple[str, ...] = ("graph",)
    space: ClassVar[dict[str, Any]] = {
        "hidden": [64, 128, 256],
        "depth": {"low": 2, "high": 6},
        "dropout": DROPOUT,
        "descriptors": [False, True],
    }

    def __init__(self, schema: Schema, hidden: int, depth: int, dropout: float, descriptors: bool) -> None:
        super().__init__(schema)
        if hidden < 1 or depth < 1:
            raise ConfigError(f"hidden = {hidden}, depth = {depth}: both must be at least 1.")
        if not 0 <= dropout < 1:
            raise ConfigError(f"dropout = {dropout} is out of range: it must be at least 0 and below 1.")
        self.dim, self.depth = hidden, depth
        self.descriptors: Standardise | None = None
        if descriptors:
            if "descriptors" not in schema:
                raise ConfigError("descriptors = true: the data was prepared without the feature 'descriptors'.")
            self.needs = ("graph", "descriptors")
            (self.extra,) = schema["descriptors"]
            self.descriptors = Standardise(self.extra)

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return (*cls.needs, "descriptors") if settings.get("descriptors") else cls.needs

    def adapt(self, train: Dataset) -> None:
        if self.descriptors is not None:
            self.descriptors.learn(training_parts(train, "descriptors").values["descriptors"])

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        graph = Graph.of(parts.values["ends"], parts.offsets["atom"], parts.offsets["bond"])
        values = self.encode(parts.values["atom"], parts.values["bond"], graph)
        whole = None if self.descriptors is None else self.descriptors(parts.values["descriptors"])
        return Features(values, None if self.pooled else graph.offsets, index, whole)

    def encode(self, atom: Tensor, bond: Tensor, graph: Graph) -> Tensor:
        """Return the features of atoms [N, dim] (of molecules [U, dim] where `pooled`) from codes and graph."""
        raise NotImplementedError


class Convolutions(MoleculeEncoder):
    """Apply `depth` graph convolutions to embedded atoms and bonds; each is normalised and added to what it changes.

    The norm is that of a layer, not of a batch: a batch norm refuses to train on a single atom.

    Shapes: `convolution()` makes a module that turns (x [N, hidden], edge_index [2, E], e [E, hidden]) into
    [N, hidden].
    """

    def __init__(
        self,
        schema: Schema,
        hidden: int,
        depth: int,
        dropout: float,
        descriptors: bool,
        convolution: Callable[[], nn.Module],
    ) -> None:
        super().__init__(schema, hidden, depth, dropout, descriptors)
        self.atom = Codes(schema["atom"], hidden)
        self.bond = Codes(schema["bond"], hidden)
        self.layers = nn.ModuleList(convolution() for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(depth))
        self.dropout = Dropout(dropout)

    def encode(self, atom: Tensor, bond: Tensor, graph: Graph) -> Tensor:
        x: Tensor = self.atom(atom)
        e = self.bond(bond).repeat_interleave(2, 0)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + self.dropout(norm(layer(x, graph.edge_index, e)).relu())
        return x


def share_out(hidden: int, name: str, count: int) -> int:
    """Return hidden / count.

    Raises: ConfigError where that is no whole number.
    """
    if count < 1 or hidden % count:
        raise ConfigError(f"hidden = {hidden} cannot be shared out to {name} = {count}; choose a multiple.")
    return hidden // count


def training_parts(train: Dataset, *names: str) -> Packed:
    """Return the named values of the distinct molecules of the training rows."""
    ((_, given),) = train.inputs.items()
    used = torch.unique(given.index)
    return given.parts.only(names).gather(used[used >= 0])
