"""Augmentation: reproducible, each picture in its own way, within the scale, nothing where nothing is asked for."""

from __future__ import annotations

import pytest
import torch

from molgraph.errors import ConfigError
from molgraph.rooms.imaging import augment
from molgraph.rooms.imaging.augment import Augment

FAULTS = ("moved", "cropped", "contrast", "biased", "noisy", "gamma", "blurred", "coarse", "ghosted")


def picture(dims: int, count: int = 6) -> torch.Tensor:
    one = torch.rand(1, 2, *(12,) * dims, generator=torch.Generator().manual_seed(0))
    return one.repeat(count, *(1,) * (dims + 1))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("kind", ["light", "scanner", "views"])
def test_the_same_seed_gives_the_same(kind: str, dims: int) -> None:
    change, given = Augment(kind, flip=True), picture(dims)
    before = given.clone()
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(change(given))
    assert torch.equal(given, before), "what is stored stays"
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
    assert found[0].shape == given.shape and found[0].min() >= 0 and found[0].max() <= 1
    assert len({one.sum().item() for one in found[0]}) == len(given), "equal pictures are changed differently"


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_changes_and_does_not_destroy(name: str, dims: int) -> None:
    torch.manual_seed(0)
    smooth = torch.nn.functional.avg_pool2d(picture(2), 3, 1, 1) if dims == 2 else picture(3)
    changed = getattr(augment, name)(smooth)
    assert changed.shape == smooth.shape and changed.isfinite().all()
    assert not torch.equal(changed, smooth)
    assert (changed - smooth).abs().mean() < 0.3


def test_none_changes_nothing_and_flip_mirrors_some() -> None:
    given = picture(2, 40)
    assert Augment("none")(given) is given
    torch.manual_seed(0)
    mirrored = [
        bool(torch.equal(one, of.flip(-1))) for one, of in zip(Augment("none", flip=True)(given), given, strict=True)
    ]
    assert 8 < sum(mirrored) < 32


def test_a_shift_is_a_share_of_the_side() -> None:
    torch.manual_seed(0)
    spot = torch.zeros(200, 1, 41, 41)
    spot[:, 0, 20, 20] = 1
    place = augment.moved(spot).flatten(1).argmax(1)
    away = torch.stack([place // 41 - 20, place % 41 - 20]).abs().max()
    assert 1 <= away <= 3, "at most 5 % of 41 pixels, turned and scaled about the middle"


@pytest.mark.parametrize("dims", [2, 3])
def test_a_part_lies_inside_and_is_enlarged(dims: int) -> None:
    torch.manual_seed(0)
    axes = torch.meshgrid(*[torch.linspace(0, 1, 21)] * dims, indexing="ij")
    part = augment.cropped(torch.stack(axes).unsqueeze(0).repeat(200, *(1,) * (dims + 1)))
    assert bool((augment.cropped(torch.ones_like(part)) > 0.999).all()), "nothing from beyond the border"
    middle = part[(..., *(slice(10, 12),) * dims)]
    sides = torch.stack([middle[:, at].diff(dim=at + 1).flatten(1)[:, 0] for at in range(dims)], 1) * 20
    assert sides.std(1).max() < 1e-4, "proportions stay"
    share = sides[:, 0] ** dims
    assert 0.2 <= share.min() < 0.25 and 0.95 < share.max() < 1.001
    roomy = sides[:, 0] < 0.95
    place = (part.flatten(2)[..., 0] / (1 - sides))[roomy]  # of the corner, from 0 to 1 as far as it can go
    assert place.min() >= 0 and place.max() < 1 + 0.5 / 20 + 1e-3, "half a pixel stands beyond the last value"
    assert place.std() == pytest.approx(12**-0.5, rel=0.1) and place.mean() == pytest.approx(0.5, abs=0.05), "anywhere"


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'scanner'"):
        Augment("scanners")
