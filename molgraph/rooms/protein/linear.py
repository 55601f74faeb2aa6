"""Ridge or logistic regression on what a protein is made of."""

from __future__ import annotations

from typing import ClassVar

from molgraph.model import linear
from molgraph.model.grower import Grower
from molgraph.rooms.protein.forest import Forest


class Linear(linear.Linear):
    """Say what the linear model sees: what the trees see."""

    sees: ClassVar[type[Grower]] = Forest
