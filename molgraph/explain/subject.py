"""What is explained: one estimate of one network, as a function of the pictures of a part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from molgraph.model.encoder import Features
from molgraph.model.model import Model
from molgraph.model.spatial import Spatial

AT_ONCE = 1 << 21  # pixels that go through the network together
SURE = 1e-6  # probabilities closer to 0 or 1 have no log odds in float32 to take a gradient of


@dataclass(frozen=True)
class Subject:
    """Hold a network, the column of its estimates that is explained, a probability (`chance`) or a number, and what the
    network sees of a black picture.

    Shapes: `black` [C, (Z,) Y, X].
    """

    model: Model
    column: int
    chance: bool
    black: Tensor

    @property
    def encoder(self) -> Spatial:
        return cast(Spatial, self.model.encoder)

    def vectors(self, pictures: Tensor) -> Tensor:
        """Return a vector for each picture: [N, C, (Z,) Y, X] to [N, dim]."""
        each = len(pictures) if torch.is_grad_enabled() else together(pictures[0])
        return torch.cat([self.encoder.vectors(self.encoder.maps(some)) for some in pictures.split(each)])

    def estimate(self, vectors: Tensor) -> Tensor:
        """Return the estimate of parts of M pictures each: [B, M, dim] to [B]."""
        parts, rows = vectors.shape[:2]
        each = torch.arange(parts + 1, device=vectors.device)
        features = Features(vectors.flatten(0, 1), each * rows, each[:-1])
        raw: Tensor = self.model.head(self.model.vectors(features))
        return self.model.task.predict(raw)[:, self.column]

    def score(self, vectors: Tensor) -> Tensor:
        """Return what attributions add up to: a number, or the log odds of a probability, which do not flatten out."""
        found = self.estimate(vectors)
        return torch.logit(found, eps=SURE) if self.chance else found


def together(pictures: Tensor) -> int:
    """Return how many of such pictures go through a network at once."""
    return max(AT_ONCE // pictures.numel(), 1)
