"""What trees see of pictures."""

from __future__ import annotations

import numpy as np
import torch

from molgraph.data.packed import Packed, pack
from molgraph.rooms.imaging.forest import Forest, gradients, histograms


def test_histograms_are_shares() -> None:
    pictures = np.random.default_rng(0).random((3, 28, 28)).astype(np.float32)
    pictures[1] = 1.0
    found = histograms(pictures)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)
    assert found[1].tolist() == [0] * 15 + [1]


def test_gradients_know_their_direction_and_cell() -> None:
    ramp = np.linspace(0, 1, 28, dtype=np.float32)
    across, down = (gradients(p[None]).reshape(8, 4, 4) for p in (np.tile(ramp, (28, 1)), np.tile(ramp[:, None], 28)))
    assert across.sum((1, 2)).argmax() == 0 and down.sum((1, 2)).argmax() == 4
    spot = np.zeros((1, 28, 28), dtype=np.float32)
    spot[0, 24, 3] = 1
    assert np.argwhere(gradients(spot).reshape(8, 4, 4).sum(0) > 0).tolist() == [[3, 0]]


def packed(values: torch.Tensor, lengths: list[int]) -> Packed:
    channels = values.shape[1]
    (name,) = Forest.asks({"channels": channels})
    fields = {name: (name, values)}
    return pack(fields, {name: torch.tensor(lengths)}, {name: [channels, 28, 28, 255]}, len(lengths))


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_slices_of_a_part_are_averaged() -> None:
    values = noise(5, 1, 28, 28)
    parts = packed(values, [2, 3])
    forest = Forest(parts.schema)
    bags, alone = forest.features(parts), forest.features(packed(values, [1] * 5))
    assert bags.dtype == np.float32 and bags.shape == (2, 784 + 16 + 128)
    np.testing.assert_allclose(bags, [alone[:2].mean(0), alone[2:].mean(0)], rtol=1e-5, atol=1e-6)
    assert forest.features(parts.gather(torch.zeros(0, dtype=torch.int64))).shape == (0, bags.shape[1])


def test_each_channel_has_features_of_its_own() -> None:
    values = noise(4, 2, 28, 28)
    both = Forest({}, channels=2).features(packed(values, [1] * 4))
    each = [Forest({}).features(packed(values[:, at : at + 1], [1] * 4)) for at in (0, 1)]
    np.testing.assert_array_equal(both, np.concatenate(each, axis=1))
