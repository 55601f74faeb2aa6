#!/usr/bin/env python
"""Train a finder of nodules on chest phantoms and score it beside bright blobs, on scans it has never seen.

    python benchmarks/lesions.py [--train 40] [--test 24] [--epochs 24]    train and write results/lesions-DATE.json
    python benchmarks/lesions.py --write DIR [--test 10]                   only write phantoms, with labels.csv

The phantoms go through files and the user's own commands (`molgraph train ... --model imaging/unet`, `molgraph find`).
They differ in slice thickness, noise and kernel. Truth is what was planted. Beside accuracy: the seconds that a scan of
300 slices of 512 x 512 takes from its file to boxes and mask, in this process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from accuracy import circumstances

from molgraph.config import FitSettings, RunSettings
from molgraph.metrics import Score, average, dice, froc
from molgraph.metrics.froc import Froc
from molgraph.metrics.scores import interval
from molgraph.predictor.finder import Finder
from molgraph.rooms.imaging.blobs import blobs
from molgraph.rooms.imaging.boxes import Found
from molgraph.rooms.imaging.cases import on_grid
from molgraph.rooms.imaging.patches import LEVELS
from molgraph.rooms.imaging.phantom import CONTRASTS, KERNELS, PLACE, Chest, chest
from molgraph.rooms.imaging.scan import read_scan
from molgraph.rooms.imaging.write import save_nifti, write_chests
from molgraph.workflows.lesions import train_finder

HERE = Path(__file__).resolve().parent
FIELD, NODULES = (80.0, 140.0, 170.0), 6  # mm; of the phantoms to train and test on
SIZES = {"4 to 6 mm": (0.0, 6.0), "6 to 10 mm": (6.0, 10.0), "10 to 30 mm": (10.0, 99.0)}
WHOLE = {"field": (300.0, 358.4, 358.4), "spacing": (1.0, 0.7, 0.7), "nodules": 10}
TRAIN_SEED, TEST_SEED = 0, 1046  # of the first phantom; the others follow


def phantoms(count: int, seed: int) -> Iterator[Chest]:
    """Yield chests as several scanners would have seen them."""
    for number in range(seed, seed + count):
        random = np.random.default_rng(number)
        spacing = (float(random.choice([1.25, 2.0, 2.5])), 0.7, 0.7)
        noise, kernel = float(random.uniform(15, 40)), str(random.choice(list(KERNELS)))
        yield chest(number, field=FIELD, spacing=spacing, nodules=NODULES, noise=noise, kernel=kernel)


def main() -> int:
    """Train, score, time and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=40, help="phantoms to train on (40)")
    parser.add_argument("--test", type=int, default=24, help="phantoms to test on (24)")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--model", metavar="DIR", help="score a model that is there instead of training one")
    parser.add_argument("--write", metavar="DIR", help="write --test phantoms there and stop")
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if given.write:
        print(write_chests(Path(given.write), phantoms(given.test, TEST_SEED)))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sizes = (0 if given.model else given.train), given.test
        write(folder, *sizes)
        finder = Finder.load(given.model) if given.model else train(folder, given.epochs)
        made = {
            "about": {**circumstances(), "threads": torch.get_num_threads(), "load": round(os.getloadavg()[0], 1)},
            "trained": finder.recipe.facts | {"data": "phantoms"},
            **scored(finder, folder),
            "scan_of_300_slices": timed(finder, folder),
        }
    out = HERE / "results" / f"lesions-{datetime.now(UTC).date().isoformat()}.json"
    out.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=1))
    return 0


def write(folder: Path, train_scans: int, test_scans: int) -> None:
    """Write phantoms to train on, a sixth as many to stop the training, and those to test on, all different."""
    valid = train_scans // 6
    made = chain(phantoms(train_scans + valid, TRAIN_SEED), phantoms(test_scans, TEST_SEED))
    table = pd.read_csv(write_chests(folder, made))
    table["fold"] = ["train"] * train_scans + ["valid"] * valid + ["test"] * test_scans
    table.to_csv(folder / "labels.csv", index=False)


def train(folder: Path, epochs: int) -> Finder:
    """Train by the user's command."""
    fit = FitSettings(epochs=epochs, lr=0.005, batch_size=8, warmup=1)
    run = RunSettings(str(folder / "labels.csv"), "imaging/unet", targets=["mask"], split="column:fold", train=fit)
    return train_finder(run, folder / "model")


def scored(finder: Finder, folder: Path) -> dict[str, Any]:
    """Score the finder and the blobs on the test scans, whole and by what was planted."""
    table, truth = pd.read_csv(folder / "labels.csv"), pd.read_csv(folder / "nodules.csv")
    tests = table[table["fold"] == "test"]
    planted = [truth[truth["scan"] == scan] for scan in tests["scan"]]
    found: dict[str, list[list[Found]]] = {"unet": [], "blobs": []}
    overlaps = []
    for scan, mask in zip(tests["scan"], tests["mask"], strict=True):
        finding = finder.find(str(folder / scan))
        overlaps.append(dice(read_scan(folder / mask, canonical=False, mask=True).voxels[0] > 0, finding.mask))
        voxels, affine = on_grid(finding.scan, finder.encoder.spacing, finder.encoder.window, scan)
        found["unet"].append(finding.lesions)
        found["blobs"].append(blobs((voxels[0] / LEVELS).numpy(), affine))
    kinds = {"all": [np.ones(len(p), bool) for p in planted]}
    kinds |= {name: [p["diameter"].between(*span, "left").to_numpy() for p in planted] for name, span in SIZES.items()}
    kinds |= {contrast: [(p["contrast"] == contrast).to_numpy() for p in planted] for contrast in CONTRASTS}
    curves = {
        kind: {name: _froc(planted, given, counted) for name, given in found.items()} for kind, counted in kinds.items()
    }
    return {
        "test_scans": len(tests),
        "nodules": {kind: int(sum(map(sum, counted))) for kind, counted in kinds.items()},
        "dice": average(overlaps).to_json(),
        "froc": {kind: {name: made.to_json() for name, made in both.items()} for kind, both in curves.items()},
        "unet_less_blobs": {kind: _difference(both["unet"], both["blobs"]).to_json() for kind, both in curves.items()},
    }


def _froc(planted: Sequence[pd.DataFrame], found: Sequence[list[Found]], counted: Sequence[Any]) -> Froc:
    lesions = []
    for table in planted:
        centre, half = table[list(PLACE[:3])].to_numpy(), table[list(PLACE[3:])].to_numpy() / 2
        lesions.append(np.concatenate([centre - half, centre + half], 1))
    boxes = [[lesion.box for lesion in scan] for scan in found]
    return froc(lesions, boxes, [[lesion.score for lesion in scan] for scan in found], counted=counted)


def _difference(first: Froc, second: Froc) -> Score:
    """Return how much more of the lesions one finds, on average over the rates, by the same resamples of scans."""
    gap = first.means - second.means
    low, high = interval(gap[1:]) or (None, None)
    return Score(float(gap[0]), low, high, None, first.mean.n)


def timed(finder: Finder, folder: Path) -> dict[str, Any]:
    """Measure a whole scan, from its file to boxes and mask."""
    made = chest(TEST_SEED - 1, **WHOLE)
    file = folder / "whole.nii.gz"
    save_nifti(file, made.voxels[0].astype(np.int16), made.affine)
    shape = made.voxels.shape[1:]
    del made
    began, cpu = time.perf_counter(), time.process_time()
    finding = finder.find(str(file))
    save_nifti(folder / "whole-mask.nii.gz", finding.mask, finding.scan.affine)
    return {
        "voxels": list(shape),
        "spacing_mm": finder.encoder.spacing,
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_mb": peak(),
        "found": len(finding.lesions),
    }


def peak() -> int | None:
    """Return the largest memory this process has had, in MB, where the system says it."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 10 if sys.platform != "darwin" else 1 << 20)


if __name__ == "__main__":
    sys.exit(main())
