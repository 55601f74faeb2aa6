"""No labels: tell which two pictures of a batch are views of one."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.config import HeadSettings
from molgraph.data.dataset import Batch
from molgraph.model.encoder import Encoder
from molgraph.model.headed import Headed
from molgraph.model.learner import Loss, exactly

WIDTH, TEMPERATURE = 128, 0.5  # of the outputs; on small pictures, see appendix B.9 of the paper below


class Contrast(Headed):
    """Learn to find each row's other view among all rows of the batch, by the cosine of their outputs.

    The one target column says of what a row is a picture (a scan, a patient), as a number: pictures of the same are
    not told apart. Rows come as `data.twice.Twice` gives them.
    """

    called: ClassVar[str] = "pretraining, which reads no labels,"

    def __init__(self, encoder: Encoder, head: HeadSettings, *, temperature: float = TEMPERATURE) -> None:
        super().__init__(
            encoder, WIDTH, pooling=head.pooling, depth=head.depth, hidden=head.hidden, dropout=head.dropout
        )
        self.temperature = temperature

    def losses(self, batch: Batch) -> Loss:
        raw = self(batch)
        with exactly(raw):
            loss = nt_xent(raw, batch.targets.values[:, 0], self.temperature)
            return Loss.of(loss, torch.ones_like(loss), exact=not self.training, per_unit=False)


def nt_xent(raw: Tensor, of: Tensor, temperature: float) -> Tensor:
    """Return the normalised, temperature-scaled cross entropy of each row, [2 B].

    Shapes: raw [2 B, width], row b and row B + b two views of one; `of` [2 B] numbers that of which it is a picture.

    See: Chen et al. 2020 (SimCLR), arXiv 2002.05709, equation 1
    """
    z = F.normalize(raw.float(), dim=1)
    alike = z @ z.T / temperature
    views = len(z) // 2
    own = torch.cat([alike.diagonal(views), alike.diagonal(-views)]).unsqueeze(1)  # row b with row B + b, and back
    others = alike.masked_fill(of == of.unsqueeze(1), -torch.inf)
    return (torch.cat([own, others], 1).logsumexp(1, keepdim=True) - own)[:, 0]
