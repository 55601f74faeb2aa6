"""No labels: tell which two pictures of a batch are views of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.data.targets import Targets
from molgraph.kinds.kind import Kind


@dataclass(frozen=True)
class Contrast(Kind):
    """Find each row's other view among all rows of the batch, by the cosine of their outputs (NT-Xent).

    The one column it reads says of what a row is a picture (a scan, a patient), as a number: pictures of the same are
    not told apart. Rows come as `data.twice.Twice` gives them.

    Shapes: raw [2 B, width], row b and row B + b two views of one; losses and weights are [2 B, 1].

    See: Chen et al. 2020 (SimCLR), arXiv 2002.05709, equation 1; its temperature on small pictures, appendix B.9
    """

    names: tuple[str, ...] = ("scan",)
    width: int = 128
    temperature: float = 0.5

    word: ClassVar[str] = "contrast"

    @property
    def outputs(self) -> int:
        return self.width

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    def adapt(self, train: Targets) -> Contrast:
        return self

    def loss(self, raw: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        z = F.normalize(raw.float(), dim=1)
        alike = z @ z.T / self.temperature
        views = len(z) // 2
        own = torch.cat([alike.diagonal(views), alike.diagonal(-views)]).unsqueeze(1)  # row b with row B + b, and back
        others = alike.masked_fill(targets.values == targets.values.T, -torch.inf)
        loss = torch.cat([own, others], 1).logsumexp(1, keepdim=True) - own
        return loss, torch.ones_like(loss)

    def predict(self, raw: Tensor) -> Tensor:
        return raw.float()
