"""A predictor of where lesions are: a network that says of every voxel whether it belongs to one, and its folder."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph import registry
from molgraph.config import HeadSettings, RunSettings
from molgraph.errors import CheckpointError, ConfigError, DataError
from molgraph.fit import Epoch
from molgraph.fit.device import Place, choose
from molgraph.predictor import folder as folders
from molgraph.predictor import member as members_of
from molgraph.predictor import tensors
from molgraph.predictor.artifact import opened
from molgraph.predictor.inputs import INPUT
from molgraph.predictor.learning import Learning
from molgraph.predictor.recipe import Recipe, versions
from molgraph.rooms.imaging.boxes import Found, lesions
from molgraph.rooms.imaging.cases import as_it_lies, in_own_space, on_grid, read_case
from molgraph.rooms.imaging.encoders.unet import UNet
from molgraph.rooms.imaging.patches import VOXELS, Case, Patches
from molgraph.rooms.imaging.scan import Scan, ScanError
from molgraph.rooms.imaging.segmentation import Segmentation
from molgraph.rooms.imaging.window import slide

KIND, WEIGHTS = "segmentation", "weights-0.safetensors"  # what its recipe and its file are called
WINDOW = 64  # voxels along a side of the windows that slide over a scan, at least


@dataclass(frozen=True)
class Finding:
    """Hold what was found in one scan; `mask` uint8 [Z, Y, X] lies on the scan's own voxels."""

    scan: Scan
    lesions: list[Found]
    mask: NDArray[np.uint8]


class Finder:
    """Find lesions in scans."""

    def __init__(self, recipe: Recipe, digest: str = "", place: Place | None = None) -> None:
        run = recipe.run
        with members_of.drawn(run.seed):
            self.learner = Segmentation(members_of.inside(run, recipe.schemas))
        self.encoder = cast(UNet, self.learner.encoder)
        self.recipe, self.digest = recipe, digest
        self.place = place or choose("auto", run.train.precision)
        self.learning = Learning(self.learner, run.train, run.seed)

    @classmethod
    def untrained(cls, run: RunSettings, channels: int, target: str) -> Finder:
        """Return a finder with weights drawn from the run's seed.

        Raises: ConfigError where a setting means nothing to it.
        """
        if run.head != HeadSettings() or run.ensemble != 1 or run.init:
            raise ConfigError(f"'{run.model}' has no [head], no ensemble and no --init: a voxel's estimate is linear.")
        place = choose(run.train.device, run.train.precision)
        schemas: dict[str, Any] = {INPUT: {VOXELS: [channels]}}
        task = {"kind": KIND, "names": [target]}
        return cls(Recipe(run, task, schemas, {}, 1, versions=versions(), opener=UNet.opener), place=place)

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
        made = self.encoder
        if not any(case.lesions for case in train):
            raise DataError(f"none of the {len(train)} training masks marks a voxel; there is nothing to learn.")
        drawn, held = (
            Patches.draw(cases, made.patch, made.each, made.foreground, seed=self.recipe.run.seed, augment=augment)
            for cases, augment in ((train, True), (valid, False))
        )
        yield from self.learning.epochs(drawn, held, folder, digest)

    @torch.no_grad()
    def chance(self, voxels: Tensor) -> NDArray[np.float32]:
        """Return the probability of every voxel: uint8 [C, Z, Y, X] to [Z, Y, X]."""
        self.learner.to(self.place.device).eval()

        def see(window: Tensor) -> Tensor:
            with self.place.autocast():
                features = self.encoder.features(window.to(self.place.device))[0]
                return self.learner.chance(features.permute(1, 2, 3, 0)).cpu()

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
        tensors.write(path / WEIGHTS, self.learner.state_dict())
        self.digest = folders.seal(path, self.recipe)

    @classmethod
    def load(cls, path: str | Path) -> Finder:
        """Read a model folder.

        Raises: CheckpointError where it is missing, damaged, of another version, or holds no finder.
        """
        return opened(path, cls)

    @classmethod
    def opened(cls, folder: Path, recipe: Recipe, digest: str) -> Finder:
        """Make what a recipe describes."""
        if recipe.task.get("kind") != KIND or registry.model(recipe.run.model) is not UNet:
            raise CheckpointError(f"'{recipe.run.model}' of the task '{recipe.task.get('kind')}' finds nothing.")
        with torch.device("meta"):  # held against its file on no memory: a recipe may claim any size
            tensors.of(cls(recipe).learner, folder / WEIGHTS)
        made = cls(recipe, digest)
        made.learner.load_state_dict(tensors.of(made.learner, folder / WEIGHTS))
        made.learning.ready = True
        return made
