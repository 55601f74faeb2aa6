"""Dropout as torch's, with a mask that costs a third of the time on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STEPS = 2**16  # a value is dropped with a probability of a whole number of these
LARGEST = 1 - 2 / STEPS


class Dropout(nn.Dropout):
    """Set values to 0 with probability `p` while training and scale the others so that the mean stays.

    See: Srivastava et al. 2014, JMLR 15, 1929
    """

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, self.p, self.training)


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Return `x` with values dropped; on a CPU `p` is rounded to 1/65,536.

    torch draws a number of 64 bits for each value there, which takes longer than the matrix product beside it: here one
    such number serves four values.
    """
    if not training or p == 0:
        return x
    if x.device.type != "cpu" or p > LARGEST:
        return F.dropout(x, p)
    dropped, count = round(p * STEPS), x.numel()
    drawn = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    kept = drawn[:count].view(x.shape) >= dropped - STEPS // 2
    return x * kept.to(x.dtype).mul_(STEPS / (STEPS - dropped))
