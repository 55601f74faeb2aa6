"""A network, trees and a linear model of several inputs together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from molgraph.model import consensus


class Together(consensus.Consensus):
    """Name the parts; trees and linear model read each input by its room's own."""

    usual: ClassVar[Mapping[str, str]] = consensus.usual("fusion", "concat")
