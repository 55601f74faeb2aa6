"""A network, trees and a linear model of this room together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from molgraph.model import consensus


class Consensus(consensus.Consensus):
    """Name the parts."""

    usual: ClassVar[Mapping[str, str]] = consensus.usual("binding", "interaction")
