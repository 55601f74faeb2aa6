"""Ridge or logistic regression on the features of several inputs."""

from __future__ import annotations

from typing import ClassVar

from molgraph.fusion.forest import Growers
from molgraph.model import linear
from molgraph.model.grower import Grower


class Linears(linear.Linear):
    """Say what the linear model sees of several inputs: what that of each sees, side by side.

    The penalty of each input's own does not count.
    """

    sees: ClassVar[type[Grower]] = Growers
