"""Ridge or logistic regression on counts of contacts and descriptors of the ligand."""

from __future__ import annotations

from typing import ClassVar

from molgraph.model import linear
from molgraph.model.grower import Grower
from molgraph.rooms.binding.forest import Forest


class Linear(linear.Linear):
    """Say what the linear model sees: what the trees see."""

    sees: ClassVar[type[Grower]] = Forest
