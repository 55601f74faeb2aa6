"""What is explained is what the model predicts."""

from __future__ import annotations

from typing import Any

import torch

from molgraph.explain.subject import AT_ONCE, together


def test_the_score_of_a_probability_is_its_log_odds(taught: Any) -> None:
    with torch.no_grad():
        vectors = taught.subject.vectors(taught.pictures)
        chance, score = (read(vectors[:, None]) for read in (taught.subject.estimate, taught.subject.score))
    assert torch.allclose(torch.sigmoid(score), chance, atol=1e-5)


def test_pictures_of_a_part_are_pooled_as_the_model_pools_them(taught: Any) -> None:
    with torch.no_grad():
        vectors = taught.subject.vectors(taught.pictures[:6])
        one = taught.subject.estimate(vectors[None])
        mean = taught.subject.estimate(vectors.mean(0)[None, None])
    assert torch.allclose(one, mean, atol=1e-6)


def test_so_many_pictures_go_together_as_have_the_pixels() -> None:
    assert together(torch.zeros(1, 64, 64)) == AT_ONCE // 4096
    assert together(torch.zeros(1, 1).expand(4096, 4096)) == 1
