"""Grades, as of severity: classes in an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from molgraph.data.labels import labels_of, refuse_words
from molgraph.kinds.one_of import OneOf


@dataclass(frozen=True)
class Grade(OneOf):
    """Predict the probability of each grade from whether it is passed: one output less than there are grades.

    Output k is the logit of "above grade k, given that grade k was reached", so that probabilities of passing fall
    with the grade whatever the outputs are; the loss is the negative log probability of the grade.

    See: Shi, Cao and Raschka 2023 (CORN), doi 10.1007/s10044-023-01181-9; the continuation ratios of McCullagh 1980,
    doi 10.1111/j.2517-6161.1980.tb01109.x
    """

    word: ClassVar[str] = "ordinal"
    summary: ClassVar[str] = "one of several grades, numbered in their order (severity 0 to 3), as probabilities"

    @property
    def outputs(self) -> int:
        return sum(len(c) - 1 for c in self.classes)

    @classmethod
    def labels_in(cls, name: str, cells: Sequence[str], positive: str) -> tuple[str, ...] | None:
        found = labels_of(cells)
        refuse_words(name, found)
        return found

    def _blocks(self, raw: Tensor) -> tuple[Tensor, ...]:
        """Return the log probability of each grade, [B, K] per target."""
        return tuple(log_shares(each) for each in torch.split(raw.float(), [len(c) - 1 for c in self.classes], dim=1))


def log_shares(passed: Tensor) -> Tensor:
    """Return the log probability of each grade from the logits of passing it: [B, K - 1] to [B, K].

    >>> log_shares(torch.zeros(1, 2)).exp().tolist()
    [[0.5, 0.25, 0.25]]
    """
    none = passed.new_zeros(len(passed), 1)
    reached = torch.cat([none, F.logsigmoid(passed).cumsum(1)], 1)
    stayed = torch.cat([F.logsigmoid(-passed), none], 1)
    return reached + stayed
