from __future__ import annotations

import pytest
import torch

from molgraph.data.dataset import Batch
from molgraph.data.packed import PART, Packed
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.rooms.imaging.encoders.unet import UNet
from molgraph.rooms.imaging.patches import VOXELS
from molgraph.rooms.imaging.segmentation import Segmentation

TINY = {"hidden": 4, "depth": 2, "patch": 8}


def batch_of(voxels: torch.Tensor, index: list[int]) -> Batch:
    parts = Packed({VOXELS: voxels}, {VOXELS: PART}, {}, {VOXELS: [voxels.shape[1]]}, len(voxels))
    return Batch({"scan": parts}, {"scan": torch.tensor(index)}, Targets.none(len(index)))


@pytest.fixture
def model() -> Segmentation:
    torch.manual_seed(0)
    return Segmentation(UNet({VOXELS: [2]}, **TINY)).eval()


def test_every_voxel_has_features_in_the_order_of_the_patch(model: Segmentation) -> None:
    voxels = torch.rand(3, 2, 8, 8, 8)
    found = model.encoder(batch_of(voxels, [0, 1, 2]))
    assert found.values.shape == (3 * 512, 4) and found.offsets is not None
    assert found.offsets.tolist() == [0, 512, 1024, 1536]
    whole = model.encoder.network(voxels)
    assert torch.equal(found.values[512 + 64 * 3 + 8 * 5 + 7], whole[1, :, 3, 5, 7])


def test_rows_get_the_voxels_of_their_own_patch(model: Segmentation) -> None:
    voxels = torch.rand(2, 2, 8, 8, 8)
    raw = model(batch_of(voxels, [1, 0, 1]))
    assert raw.shape == (3 * 512, 1)
    assert torch.equal(raw[:512], raw[1024:]) and not torch.equal(raw[:512], raw[512:1024])


def test_patches_do_not_see_each_other_when_estimating(model: Segmentation) -> None:
    voxels = torch.rand(4, 2, 8, 8, 8)
    together, alone = model(batch_of(voxels, [0, 1, 2, 3])), model(batch_of(voxels[2:3], [0]))
    assert torch.allclose(together[1024:1536], alone, atol=1e-5)


def test_absolute_brightness_is_seen(model: Segmentation) -> None:
    dark, bright = torch.full((1, 2, 8, 8, 8), 0.1), torch.full((1, 2, 8, 8, 8), 0.9)
    assert not torch.allclose(model(batch_of(dark, [0])), model(batch_of(bright, [0])), atol=1e-3)


def test_every_weight_learns(model: Segmentation) -> None:
    model.train()
    model(batch_of(torch.rand(2, 2, 8, 8, 8), [0, 1])).square().sum().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().any()]
    assert [name for name in still if not name.endswith("conv.bias")] == []  # a norm takes away what a bias adds


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"patch": 10, "depth": 2}, "multiple of 4"),
        ({"hidden": 0}, "hidden = 0"),
        ({"spacing": 0.0}, "spacing = 0"),
        ({"foreground": 1.5}, "foreground = 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        UNet({VOXELS: [1]}, **settings)  # type: ignore[arg-type]
