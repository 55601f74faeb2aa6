"""Distances to features."""

from __future__ import annotations

import torch

from molgraph.nn.radial import Radial, fade


def test_each_gaussian_is_largest_at_its_centre() -> None:
    radial = Radial(6.0, 7)
    found = radial(torch.arange(7.0))
    assert found.shape == (7, 7) and torch.equal(found.diag(), torch.ones(7))
    assert found.argmax(1).tolist() == list(range(7))
    torch.testing.assert_close(found[0, 1], torch.tensor(-0.5).exp())


def test_it_follows_the_precision_of_the_distances() -> None:
    assert Radial(5.0, 4)(torch.zeros(1, dtype=torch.float64)).dtype == torch.float64


def test_fading() -> None:
    distance = torch.tensor([0.0, 2.5, 4.999, 5.0, 9.0], dtype=torch.float64)
    found = fade(distance, 5.0)
    assert found[0] == 1 and abs(float(found[1]) - 0.5) < 1e-12 and found[3:].tolist() == [0, 0]
    assert 0 < float(found[2]) < 1e-6, "no jump where an edge comes or goes"
