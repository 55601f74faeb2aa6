"""Ridge or logistic regression on small pixels and simple features."""

from __future__ import annotations

from typing import Any, ClassVar

from molgraph.model import linear
from molgraph.model.grower import Grower
from molgraph.rooms.imaging.forest import Forest


class Linear(linear.Linear):
    """Say what the linear model sees: what the trees see of each of the `channels`."""

    shares: ClassVar[tuple[str, ...]] = Forest.shares
    sees: ClassVar[type[Grower]] = Forest

    def __init__(self, given: Any, *, channels: int = 1, penalty: float = 0.0) -> None:
        super().__init__(given, penalty=penalty)
        self.seen = Forest(given, channels=channels)
