"""A U-Net: features of every voxel."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from molgraph.data.dataset import Batch
from molgraph.data.packed import Schema
from molgraph.errors import ConfigError
from molgraph.model.encoder import Encoder, Features
from molgraph.rooms.imaging.encoders.encoder import channels_last
from molgraph.rooms.imaging.patches import VOXELS


class UNet(Encoder):
    """Turn patches of scans into features of their voxels, by MONAI's residual U-Net.

    `depth` times the patch is halved along each side and the channels are doubled, from `hidden` on; with `units` these
    steps are residual. Norms are those of training batches: a norm over the patch itself would stretch a patch of
    healthy lung to the contrast of one with a lesion. `spacing` is the side of a voxel in mm, `window` an intensity
    window (`auto`: what the modality asks for), `patch` the side of a patch in voxels; `foreground` is the share of
    patches that are drawn around a lesion, and `each` how many patches an epoch takes of a scan.

    See: Ronneberger et al. 2015, doi 10.1007/978-3-319-24574-4_28; Kerfoot et al. 2019 (residual units), doi
    10.1007/978-3-030-12029-0_40

    Raises: ConfigError for a setting out of range, and a patch that cannot be halved `depth` times.
    """

    opener: ClassVar[str] = "finder"
    pooling: ClassVar[str] = "none"
    dense: ClassVar[bool] = True
    at_once: ClassVar[int] = 16
    space: ClassVar[dict[str, Any]] = {
        "hidden": [8, 16, 32],
        "depth": {"low": 2, "high": 4},
        "units": [0, 1],
        "spacing": {"low": 0.8, "high": 2.0},
        "patch": [32, 48, 64],
        "foreground": {"low": 0.3, "high": 0.8},
    }

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: int = 16,
        depth: int = 3,
        units: int = 0,
        spacing: float = 1.25,
        window: str = "lung",
        patch: int = 32,
        foreground: float = 0.5,
        each: int = 8,
    ) -> None:
        super().__init__(schema)
        if hidden < 1 or depth < 1 or units < 0 or each < 1 or not spacing > 0 or not 0 <= foreground <= 1:
            raise ConfigError(
                f"hidden = {hidden}, depth = {depth}, units = {units}, each = {each}, spacing = {spacing}, "
                f"foreground = {foreground}: at least 1, 1, 0, 1, above 0, and from 0 to 1."
            )
        if patch < 2**depth or patch % 2**depth:
            raise ConfigError(f"patch = {patch} cannot be halved {depth} times: use a multiple of {2**depth}.")
        self.spacing, self.patch, self.foreground, self.each, self.depth = spacing, patch, foreground, each, depth
        self.dim, self.window = hidden, window
        from monai.networks.nets.unet import UNet as Network  # here: it takes seconds

        self.network = Network(
            spatial_dims=3,
            in_channels=schema[VOXELS][0],
            out_channels=hidden,
            channels=[hidden << level for level in range(depth + 1)],
            strides=[2] * depth,
            num_res_units=units,
            norm="batch",
        )
        channels_last(self.network, dims=3)

    def forward(self, batch: Batch) -> Features:
        parts, index = batch.single()
        values = self.features(parts.values[VOXELS])
        each = values.shape[2:].numel()
        offsets = torch.arange(len(parts) + 1, device=values.device) * each
        return Features(values.flatten(2).transpose(1, 2).reshape(-1, self.dim), offsets, index)

    def features(self, patches: Tensor) -> Tensor:
        """Return the features of voxels: [P, C, Z, Y, X] in [0, 1] to [P, dim, Z, Y, X]."""
        found: Tensor = self.network(patches)
        return found
