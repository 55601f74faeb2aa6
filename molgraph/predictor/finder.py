"""A predictor of where lesions are: a network that says of every voxel whether it belongs to one, and its folder."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph.config import HeadSettings, RunSettings
from molgraph.data.untrusted import damaged
from molgraph.errors import CheckpointError, ConfigError, DataError
from molgraph.fit import Epoch
from molgraph.imaging.boxes import Found, lesions
from molgraph.imaging.cases import as_it_lies, in_own_space, on_grid, read_case
from molgraph.imaging.encoders.unet import UNet
from molgraph.imaging.patches import VOXELS, Case, Patches
from molgraph.imaging.scan import Scan, ScanError
from molgraph.imaging.window import slide
from molgraph.kinds import Segmentation, restore
from molgraph.predictor import checkpoint
from molgraph.predictor import folder as folders
from molgraph.predictor import member as members_of
from molgraph.predictor.inputs import INPUT
from molgraph.predictor.network import Network
from molgraph.predictor.recipe import Recipe, versions

FAMILY = "finder"  # of the encoders that are trained to find
WINDOW = 64  # voxels along a side of the windows that slide over a scan, at least


@dataclass(frozen=True)
class Finding:
    """Hold what was found in one scan; `mask` uint8 [Z, Y, X] lies on the scan's own voxels."""

    scan: Scan
    lesions: list[Found]
    mask: NDArray[np.uint8]


class Finder:
    """Find lesions in scans."""

    def __init__(self, recipe: Recipe, network: Network, digest: str = "") -> None:
        self.recipe, self.network, self.digest = recipe, network, digest
        self.encoder = cast(UNet, network.model.encoder)
        self.history: checkpoint.History = []

    @classmethod
    def untrained(cls, run: RunSettings, channels: int, target: str) -> Finder:
        """Return a finder with weights drawn from the run's seed.

        Raises: ConfigError where a setting means nothing to it.
        """
        if run.head != HeadSettings() or run.ensemble != 1 or run.init:
            raise ConfigError(f"'{run.model}' has no [head], no ensemble and no --init: a voxel's estimate is linear.")
        schemas: dict[str, Any] = {INPUT: {VOXELS: [channels]}}
        task = Segmentation((target,))
        recipe = Recipe(run, task.state(), schemas, {}, 1, versions=versions())
        return cls(recipe, _network(recipe, Patches.draw([], 1, 1, 0.0)))

    def read_case(self, scan: str, mask: str) -> Case:
        """Read a scan and its mask onto the grid of the network.

        Raises: ScanError with its reason.
        """
        return read_case(scan, mask, self.encoder.spacing, self.encoder.window)

    def epochs(self, train: Sequence[Case], valid: Sequence[Case], folder: Path, digest: str) -> Generator[Epoch]:
        """Train on patches of the cases, from the folder's last checkpoint on; stop early as the run says.

        `digest` names settings and cases.

        Raises: DataError where no mask of the training scans marks anything; ConfigError where the folder's checkpoint
        belongs to another run.
        """
        run, made = self.recipe.run, self.encoder
        if not any(case.lesions for case in train):
            raise DataError(f"none of the {len(train)} training masks marks a voxel; there is nothing to learn.")
        drawn, held = (
            Patches.draw(cases, made.patch, made.each, made.foreground, seed=run.seed, augment=augment)
            for cases, augment in ((train, True), (valid, False))
        )
        _, state, self.history = checkpoint.resume(folder, digest)
        for epoch in self.network.train(drawn, held, run, seed=run.seed, state=state):
            checkpoint.note(self.history, 0, epoch)
            checkpoint.keep(folder, digest, 0, epoch, self.history)
            yield epoch

    @torch.no_grad()
    def chance(self, voxels: Tensor) -> NDArray[np.float32]:
        """Return the probability of every voxel: uint8 [C, Z, Y, X] to [Z, Y, X]."""
        model, place = self.network.model, self.network.place
        model.to(place.device).eval()

        def see(window: Tensor) -> Tensor:
            with place.autocast():
                features = self.encoder.features(window.to(place.device))[0]
                raw = model.head(features.permute(1, 2, 3, 0))
            return model.task.predict(raw)[..., 0].cpu()

        size = max(WINDOW, self.encoder.patch)
        return slide(see, voxels, size).numpy()

    def find(self, file: str) -> Finding:
        """Find the lesions of a scan.

        Raises: ScanError with its reason.
        """
        scan = as_it_lies(file)
        has, wanted = len(scan.voxels), self.recipe.schemas[INPUT][VOXELS][0]
        if has != wanted:
            told = f"{file}: has {has} channels, the model learnt from {wanted}; name the sequences it was trained on."
            raise ScanError("wrong_channels", told)
        voxels, affine = on_grid(scan, self.encoder.spacing, self.encoder.window, file)
        chance = self.chance(voxels)
        return Finding(scan, lesions(chance, affine), in_own_space(chance, affine, scan))

    def save(self, path: Path) -> None:
        """Write the model folder."""
        self.network.save(path, 0)
        self.digest = folders.seal(path, self.recipe)

    @classmethod
    def load(cls, path: str | Path) -> Finder:
        """Read a model folder.

        Raises: CheckpointError where it is missing, damaged, of another version, or holds no finder.
        """
        recipe, digest = folders.unseal(Path(path))
        if recipe.task.get("kind") != "segmentation":
            raise CheckpointError(f"{path}: '{recipe.run.model}' finds no lesions; use `molgraph predict`.")
        with damaged(Path(path) / "recipe.json"):
            recipe.find_models(Path(path))
            with torch.device("meta"):  # held against its file on no memory: a recipe may claim any size
                _network(recipe, None).fits(Path(path), 0)
            network = _network(recipe, None)
            network.load(Path(path), 0)
            return cls(recipe, network, digest)


def _network(recipe: Recipe, train: Patches | None) -> Network:
    """Return the network of a recipe, its head one linear map per voxel; `train` is given when it is to be trained."""
    run = replace(recipe.run, head=HeadSettings(pooling="none", depth=0))
    made = members_of.make(run, recipe.schemas, restore(recipe.task), run.seed, train)
    assert isinstance(made, Network)
    return made
