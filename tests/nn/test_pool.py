from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from molgraph.errors import ConfigError
from molgraph.nn.pool import KINDS, Pool, softmax

OFFSETS = torch.tensor([0, 3, 4, 4, 6])  # parts of 3, 1, 0 and 2 rows
VALUES = torch.randn(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def rows() -> list[torch.Tensor]:
    return [VALUES[a:b] for a, b in pairwise(OFFSETS)]


def test_sum_mean_max_and_last() -> None:
    zeros = torch.zeros(5, dtype=torch.float64)
    expected = {
        "sum": [r.sum(0) for r in rows()],
        "mean": [r.mean(0) if len(r) else zeros for r in rows()],
        "max": [r.amax(0) if len(r) else zeros for r in rows()],
        "last": [r[-1] if len(r) else zeros for r in rows()],
    }
    for kind, parts in expected.items():
        torch.testing.assert_close(Pool(kind, 5)(VALUES, OFFSETS), torch.stack(parts))


@pytest.mark.parametrize("kind", ["attention", "gated"])
def test_attention_is_a_softmax_within_each_part(kind: str) -> None:
    pool = Pool(kind, 5).double()
    assert pool.score is not None
    expected = [(torch.softmax(pool.score(r), 0) * r).sum(0) for r in rows()]
    torch.testing.assert_close(pool(VALUES, OFFSETS), torch.stack(expected))


def test_attention_stands_large_scores() -> None:
    scores = torch.tensor([[1000.0], [999.0], [-1000.0], [-2000.0], [300.0], [300.0]], requires_grad=True)
    weight = softmax(scores, OFFSETS)
    torch.testing.assert_close(weight[:, 0], torch.tensor([0.7310586, 0.2689414, 0.0, 1.0, 0.5, 0.5]))
    weight.square().sum().backward()
    assert scores.grad is not None and scores.grad.isfinite().all()


@pytest.mark.parametrize("kind", ["sum", "mean", "max", "last", "attention", "gated"])
def test_gradients(kind: str) -> None:
    pool = Pool(kind, 5).double()
    assert torch.autograd.gradcheck(lambda v: pool(v, OFFSETS), VALUES.clone().requires_grad_())


def test_parts_that_are_whole_pass_through() -> None:
    for kind in KINDS:
        assert Pool(kind, 5)(VALUES, None) is VALUES


def test_none_refuses_rows() -> None:
    with pytest.raises(ConfigError, match="several rows per part"):
        Pool("none", 5)(VALUES, OFFSETS)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'mean'"):
        Pool("meen", 5)
