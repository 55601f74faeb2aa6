#!/usr/bin/env python
"""Measure how fast the same ResNet-18 trains on pictures: ours, plain PyTorch, and MONAI's own trainer.

All take their turn in one process, round after round, on the same pictures (phantom brains, 64 x 64 pixels), batch and
threads; reading and scaling is done before and counts for none. What counts is an epoch of training: batches, forward,
backward, optimiser step. Ours keeps the best weights and follows a schedule within its time; the others do neither.

    python benchmarks/imaging_training.py [--network resnet18] [--pictures 512] [--epochs 2] [--rounds 5] [--threads 1]

MONAI's trainer joins in where pytorch-ignite can be imported. Results go to results/imaging-training-DATE.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accuracy import circumstances
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from training import Clock, Seconds, Train, race

from molgraph import registry
from molgraph.config import FitSettings, HeadSettings, RunSettings
from molgraph.fit import fit
from molgraph.kinds import make
from molgraph.model.model import Model
from molgraph.predictor.inputs import Inputs, slots
from molgraph.predictor.parts import with_prints
from molgraph.predictor.rows import Rows, read_rows
from molgraph.rooms.imaging.brains import SIZE, brains

HERE = Path(__file__).resolve().parent
OURS, PLAIN, MONAI = "molgraph", "plain PyTorch", "MONAI's trainer"
EACH = 16  # slices of a phantom
BATCH = 32


def main() -> int:
    """Race and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="resnet18", help="resnet18, resnet34, resnet50, densenet121 or cnn")
    parser.add_argument("--pictures", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=2, help="epochs in each turn (2)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        run, rows = pictures(given.network, given.pictures, Path(folder))
    network = Network(run, rows, given.device)
    runners: dict[str, Train] = {OURS: network.ours, PLAIN: network.plain}
    try:
        runners[MONAI] = network.monai()
    except ImportError as error:
        print(f"MONAI's trainer stays out: {error}", file=sys.stderr)
    found = race(runners, given.epochs, given.rounds)
    about = circumstances() | {"device": given.device, "threads": given.threads, "batch": BATCH, "pixels": SIZE}
    text = json.dumps({"about": about, "network": given.network, "pictures": len(rows.data), "rounds": found}, indent=1)
    path = HERE / "results" / f"imaging-training-{given.network}-{given.device}-{about['date']}.json"
    path.write_text(text + "\n", encoding="utf-8")
    show(found, len(rows.data))
    print(f"written to {path}")
    return 0


def pictures(network: str, count: int, folder: Path) -> tuple[RunSettings, Rows]:
    """Return the run and the rows of phantom slices, read as the command would."""
    made = brains(0, max(count // EACH, 2), EACH)
    np.savez(folder / "slices.npz", images=made.slices, labels=made.label, patient=made.patient)
    run = RunSettings(
        model=f"imaging/{network}", targets=["label"], task="binary", duplicates="keep",
        encoder={"size": SIZE, "stem": "standard"}, head=HeadSettings(depth=0), comparator="none",
    )  # fmt: skip
    return run, read_rows(str(folder / "slices.npz"), run, Inputs(slots(run), with_prints(run), run.standardize))


class Network:
    """Train the same network on the same pictures, by three loops."""

    def __init__(self, run: RunSettings, rows: Rows, device: str) -> None:
        self.run, self.rows, self.device = run, rows, torch.device(device)
        self.task = make(rows.kinds, rows.classes).adapt(rows.data.targets)
        self.labels = torch.from_numpy(rows.data.targets.arrays("label")[0]).float()
        model = self.model().eval()
        (given,) = rows.data.inputs.values()
        self.images: Tensor = model.encoder.pictures(given.parts).detach()  # type: ignore[operator]

    def model(self) -> Model:
        """Return the untrained network, always with the same weights."""
        torch.manual_seed(0)
        (given,) = self.rows.data.inputs.values()
        encoder: Any = registry.model(self.run.model)
        made = Model(encoder(given.parts.schema, **self.run.encoder), self.task, depth=0)
        made.encoder.adapt(self.rows.data)
        return made.to(self.device)

    def forward(self, model: Model) -> Callable[[Tensor], Tensor]:
        """Return the bare way from pictures to log odds: no packing, no pooling of slices."""
        encoder: Any = model.encoder
        return lambda images: model.head(encoder.vectors(encoder.maps(images)))[:, 0]

    def ours(self, epochs: int) -> list[Seconds]:
        """Train through `molgraph.fit`."""
        data = self.rows.data
        settings = FitSettings(epochs=epochs, batch_size=BATCH, device=self.device.type, warmup=0)
        model, clock = self.model(), Clock()
        return [clock.lap() for _ in fit(model, data, data.subset(np.arange(0)), settings)]

    def plain(self, epochs: int) -> list[Seconds]:
        """Train by the loop that everybody writes."""
        model = self.model().train()
        forward, optimiser = self.forward(model), torch.optim.AdamW(model.parameters(), fused=True)
        loader = DataLoader(TensorDataset(self.images, self.labels), BATCH, shuffle=True)
        clock, found = Clock(), []
        for _ in range(epochs):
            for images, labels in loader:
                optimiser.zero_grad(set_to_none=True)
                loss = F.binary_cross_entropy_with_logits(forward(images.to(self.device)), labels.to(self.device))
                loss.backward()
                optimiser.step()
            found.append(clock.lap())
        return found

    def monai(self) -> Train:
        """Return what trains by MONAI's SupervisedTrainer.

        Raises: ImportError where it, or pytorch-ignite, is not installed.
        """
        import ignite.engine as ignite
        import monai.data
        from monai.engines import SupervisedTrainer

        items = [{"image": image, "label": label[None]} for image, label in zip(self.images, self.labels, strict=True)]
        loader = monai.data.DataLoader(monai.data.Dataset(items), batch_size=BATCH, shuffle=True)

        def train(epochs: int) -> list[Seconds]:
            model = self.model().train()
            bare = Bare(self.forward(model), model)
            optimiser = torch.optim.AdamW(model.parameters(), fused=True)
            loss = nn.BCEWithLogitsLoss()
            trainer = SupervisedTrainer(self.device, epochs, loader, bare, optimiser, loss, optim_set_to_none=True)
            clock, found = Clock(), list[Seconds]()
            trainer.add_event_handler(ignite.Events.EPOCH_COMPLETED, lambda: found.append(clock.lap()))
            trainer.run()
            return found

        return train


class Bare(nn.Module):
    """Give the bare way the shape that MONAI's trainer calls: images to [N, 1]."""

    def __init__(self, forward: Callable[[Tensor], Tensor], model: nn.Module) -> None:
        super().__init__()
        self.model, self.way = model, forward

    def forward(self, images: Tensor) -> Tensor:
        return self.way(images)[:, None]


def show(found: list[dict[str, list[Seconds]]], count: int) -> None:
    """Print pictures per second of each contestant, and how many times as fast ours is."""
    seconds = [{name: sum(wall for wall, _ in laps) for name, laps in turn.items()} for turn in found]
    for name in found[0]:
        speed = statistics.median(
            count * len(turn[name]) / total[name] for turn, total in zip(found, seconds, strict=True)
        )
        ratios = [total[name] / total[OURS] for total in seconds]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{name:16s} {speed:7.0f} pictures/s" + ("" if name == OURS else f"; ours is {spread} times as fast"))


if __name__ == "__main__":
    sys.exit(main())
