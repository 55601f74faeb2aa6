"""Scales that are learnt from training pictures: a scanner of another gain or gamma comes out alike."""

from __future__ import annotations

import pytest
import torch

from molgraph.errors import ConfigError
from molgraph.rooms.imaging.harmonise import Harmony


def pictures(count: int = 20, gain: float = 1.0, power: float = 1.0) -> torch.Tensor:
    """Draw pictures of a smooth shape with noise, as one scanner shows them."""
    draw = torch.Generator().manual_seed(0)
    ramp = torch.linspace(0, 1, 32)
    shape = 0.2 + 0.5 * ramp[:, None] * ramp + 0.1 * torch.rand(count, 1, 32, 32, generator=draw)
    return ((gain * shape**power).clamp(0, 1) * 255).round().to(torch.uint8)


def learnt(kind: str) -> Harmony:
    harmony = Harmony(kind, 1)
    harmony.learn(pictures().split(7))
    return harmony


def seen(harmony: Harmony, given: torch.Tensor) -> torch.Tensor:
    return harmony(harmony.levelled(given, torch.float32))


@pytest.mark.parametrize("kind", ["scale", "zscore", "histogram"])
def test_training_pictures_come_out_standardised(kind: str) -> None:
    found = seen(learnt(kind), pictures())
    assert found.mean().abs() < 0.01
    assert found.std().item() == pytest.approx(1, abs=0.02)


def test_another_gain_is_undone_by_zscore_and_histogram_only() -> None:
    mine = {kind: seen(learnt(kind), pictures()) for kind in ("scale", "zscore", "histogram")}
    other = {kind: seen(learnt(kind), pictures(gain=0.6)) for kind in mine}
    apart = {kind: float((mine[kind] - other[kind]).abs().mean()) for kind in mine}
    assert apart["scale"] > 0.5
    assert apart["zscore"] < 0.05 and apart["histogram"] < 0.1


def test_another_gamma_is_undone_by_histogram_only() -> None:
    mine = {kind: seen(learnt(kind), pictures()) for kind in ("zscore", "histogram")}
    other = {kind: seen(learnt(kind), pictures(power=2.0)) for kind in mine}
    apart = {kind: float((mine[kind] - other[kind]).abs().mean()) for kind in mine}
    assert apart["histogram"] < 0.5 * apart["zscore"]


def test_the_scale_is_the_same_in_any_blocks_and_alone() -> None:
    whole = Harmony("histogram", 1)
    whole.learn([pictures()])
    harmony = learnt("histogram")
    torch.testing.assert_close(harmony.landmarks, whole.landmarks)
    given = pictures(power=1.5)
    alone = torch.cat([seen(harmony, one.unsqueeze(0)) for one in given])
    torch.testing.assert_close(seen(harmony, given), alone)


@pytest.mark.parametrize("kind", ["scale", "zscore", "histogram"])
def test_a_flat_picture_is_finite(kind: str) -> None:
    assert seen(learnt(kind), torch.full((2, 1, 8, 8), 7, dtype=torch.uint8)).isfinite().all()
    flat = Harmony(kind, 1)
    flat.learn([torch.zeros(2, 1, 4, 4, dtype=torch.uint8)])
    assert seen(flat, pictures(2)).isfinite().all()


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'zscore'"):
        Harmony("z-score", 1)
