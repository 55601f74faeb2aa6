#!/usr/bin/env python
"""Compare ResNet-18, -34 and -50 on slices of MRI, and ask what a score over slices says about patients.

    python benchmarks/slices.py labels.csv                     columns image, patient, label (1 or 0)
    python benchmarks/slices.py FOLDER --image flair.nii.gz --mask seg.nii.gz
    python benchmarks/slices.py phantoms

A folder (or .zip) holds a folder per patient with a volume and a mask: a slice is positive where the mask marks any of
it. Each network is trained with every patient left out in turn (in four folds where there are more patients) and, to
show what that does, on two thirds of the slices at random, patients on both sides. Scores are those of slices and those
of patients, by the mean over their slices; intervals of slices are drawn by patient. Results go to
results/slices-NAME-DATE.json; `--add` keeps what stands there of other networks and phantoms.

The phantoms have a known answer: `core` a class that the dark middle of the tumour tells in every slice, `texture` one
that only its grain tells, `nothing` one that no picture tells, `scanner` one that goes with the scanner and nothing
else, so that it is gone in `new` patients of either scanner.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accuracy import circumstances
from numpy.typing import NDArray

from molgraph.config import FitSettings, RunSettings
from molgraph.imaging.brains import brains
from molgraph.imaging.scan import read_scan
from molgraph.metrics import score
from molgraph.predictor.inputs import Inputs, slots, with_prints
from molgraph.predictor.rows import Rows, read_rows
from molgraph.predictor.training import Training
from molgraph.split import Split
from molgraph.task import make

HERE = Path(__file__).resolve().parent
NETWORKS = ("resnet18", "resnet34", "resnet50")
PHANTOMS = {  # signal, core, shortcut
    "core": (0.0, 0.8, 0.0),
    "texture": (1.0, 0.0, 0.0),
    "nothing": (0.0, 0.0, 0.0),
    "scanner": (0.0, 0.0, 1.0),
}
FOLDS = 4  # of patients, where there are more than that
NEW = "new"  # the cohort that never trains
METRICS = ("auroc", "accuracy")
Ints = NDArray[np.int64]


def main() -> int:
    """Read the command line, train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="labels.csv, a folder or .zip of patients, or phantoms")
    parser.add_argument("--image", default="", metavar="FILE", help="the volume in each patient's folder")
    parser.add_argument("--mask", default="", metavar="FILE", help="the mask in each patient's folder")
    parser.add_argument("--models", default=",".join(NETWORKS), metavar="A,B", help="networks to compare")
    parser.add_argument("--phantoms", default=",".join(PHANTOMS), metavar="A,B", help="which phantoms")
    parser.add_argument("--size", type=int, default=64, help="pixels a side (64)")
    parser.add_argument("--every", type=int, default=8, help="keep every N-th slice of a volume (8)")
    parser.add_argument("--patients", type=int, default=12, help="phantom patients to train on (12)")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--add", action="store_true", help="add to the results of today")
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    what = "phantoms" if given.source == "phantoms" else Path(given.source).stem
    out = HERE / "results" / f"slices-{what}-{datetime.now(UTC).date().isoformat()}.json"
    about = {**circumstances(), "threads": torch.get_num_threads(), "size": given.size, "epochs": given.epochs}
    found: dict[str, Any] = {"about": about, "cohorts": {}}
    if given.add and out.exists():
        found["cohorts"] = json.loads(out.read_text(encoding="utf-8"))["cohorts"]
    with tempfile.TemporaryDirectory() as temporary:
        for name, file in cohorts(given, Path(temporary)):
            found["cohorts"][name] = found["cohorts"].get(name, {}) | compared(str(file), given)
            print(f"\n{name}\n{table(found['cohorts'][name])}", flush=True)
            out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def cohorts(given: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name of each cohort and a file that the room of imaging reads."""
    if given.source == "phantoms":
        for name in given.phantoms.split(","):
            yield name, phantom(folder / f"{name}.npz", *PHANTOMS[name], given)
    elif not (given.image and given.mask):
        yield Path(given.source).stem, Path(given.source)
    else:
        source = Path(given.source)
        if source.suffix == ".zip":
            with zipfile.ZipFile(source) as packed:
                packed.extractall(folder / "volumes")
            source = folder / "volumes"
        yield Path(given.source).stem, volumes(source, folder / "slices.npz", given)


def phantom(file: Path, signal: float, core: float, shortcut: float, given: argparse.Namespace) -> Path:
    """Write phantom patients, and new ones whose scanner says nothing."""
    old = brains(given.seed, given.patients, 8, signal=signal, core=core, shortcut=shortcut)
    new = brains(given.seed + 1, given.patients, 8, signal=signal, core=core)
    patient = np.concatenate([old.patient, new.patient + given.patients])
    cohort = np.repeat(["old", NEW], [len(old.slices), len(new.slices)])
    images, labels = np.concatenate([old.slices, new.slices]), np.concatenate([old.label, new.label])
    np.savez(file, images=images, labels=labels, patient=patient, cohort=cohort.astype("S3"))
    return file


def volumes(source: Path, file: Path, given: argparse.Namespace) -> Path:
    """Write every N-th slice that shows anything, with its label and its patient."""
    images, labels, patients = [], [], []
    for folder in sorted(path.parent for path in source.rglob(given.image)):
        scan, mask = read_scan(folder / given.image).voxels[0], read_scan(folder / given.mask, mask=True).voxels[0]
        shown = [at for at in range(0, len(scan), given.every) if np.ptp(scan[at]) > 0]
        images += [scan[at] for at in shown]
        labels += [int(mask[at].any()) for at in shown]
        patients += [folder.name] * len(shown)
    np.savez(file, images=np.stack(images), labels=np.array(labels), patient=np.array(patients, dtype="S64"))
    return file


def compared(source: str, given: argparse.Namespace) -> dict[str, Any]:
    """Train every network on every split of one cohort; return the scores of slices and of patients."""
    networks = given.models.split(",")
    rows = read(source, networks[0], given)
    patient = rows.frame["patient"].to_numpy()
    new = rows.frame["cohort"].to_numpy() == NEW if "cohort" in rows.frame else np.zeros(len(patient), bool)
    old = np.flatnonzero(~new)
    random = np.random.default_rng(given.seed)
    names = random.permutation(np.unique(patient[old]))
    groups = np.array_split(names, min(len(names), FOLDS))
    folds = [old[np.isin(patient[old], group)] for group in groups]
    truth = rows.data.targets.arrays(rows.data.targets.names[0])[0]
    found: dict[str, Any] = {"slices": len(old), "patients": len(names), "positive": float(truth[old].mean())}
    for network in networks:
        began = time.process_time()
        mixed = random.permutation(old)[: len(old) // 3]
        found[network] = {
            "slices at random": levels(truth, trained(rows, network, given, old, mixed)[mixed], patient, mixed)
        }
        estimates, later = np.full(len(truth), np.nan), []
        for fold in folds:
            made = trained(rows, network, given, old, fold)
            estimates[fold] = made[fold]
            later.append(made[new])
        found[network]["patients apart"] = levels(truth, estimates[old], patient, old)
        if new.any():
            found[network]["new patients"] = levels(truth, np.mean(later, 0), patient, np.flatnonzero(new))
        found[network]["cpu_seconds"] = round(time.process_time() - began, 1)
    return found


def read(source: str, network: str, given: argparse.Namespace) -> Rows:
    """Read the slices as the command would."""
    run = settings(network, given)
    return read_rows(source, run, Inputs(slots(run), with_prints(run), run.standardize))


def settings(network: str, given: argparse.Namespace) -> RunSettings:
    """Return the run of a network."""
    target = "label"
    fit = FitSettings(epochs=given.epochs, lr=1e-3, batch_size=8, warmup=1)
    encoder = {"size": given.size, "stem": "standard"}
    return RunSettings(
        model=f"imaging/{network}",
        targets=[target],
        task="binary",
        split="patient",
        duplicates="keep",
        encoder=encoder,
        train=fit,
        seed=given.seed,
        comparator="none",
    )


def trained(rows: Rows, network: str, given: argparse.Namespace, old: Ints, test: Ints) -> NDArray[np.float64]:
    """Train on all slices of the cohort but those that test; return an estimate of every row there is."""
    none = np.zeros(0, dtype=np.int64)
    cut = Split(np.setdiff1d(old, test), none, none, test)
    training = Training(settings(network, given), make(rows.kinds, rows.classes), rows.data, cut)
    for _ in training.epochs():
        pass
    return training.members[0].estimate(rows.data)[:, 0].astype(np.float64)


def levels(truth: NDArray[Any], estimate: NDArray[np.float64], patient: NDArray[Any], at: Ints) -> dict[str, Any]:
    """Score the slices `at` by their estimates, their patients by the mean; `gap` is what slices promise more."""
    names, of = np.unique(patient[at], return_inverse=True)
    positive = [float(truth[patient == name].any()) for name in names]  # also by slices that are not asked here
    mean = np.bincount(of, estimate) / np.bincount(of)
    slices = score("binary", truth[at], estimate, metrics=METRICS, groups=of)
    patients = score("binary", positive, mean, metrics=METRICS)
    gap = {
        name: None if None in (slices[name].value, patients[name].value) else slices[name].value - patients[name].value
        for name in METRICS
    }
    return {
        "slices": {name: made.to_json() for name, made in slices.items()},
        "patients": {name: made.to_json() for name, made in patients.items()},
        "gap": gap,
    }


def table(found: dict[str, Any]) -> str:
    """Return the scores of a cohort as Markdown."""
    lines = ["| network | split | AUROC of slices | AUROC of patients | gap |", "|---|---|---|---|---|"]
    for network, splits in found.items():
        for split, made in splits.items() if isinstance(splits, dict) else ():
            if isinstance(made, dict):
                cells = [_cell(made[level]["auroc"]) for level in ("slices", "patients")]
                gap = made["gap"]["auroc"]
                lines.append(
                    f"| {network} | {split} | {cells[0]} | {cells[1]} | {'none' if gap is None else f'{gap:+.3f}'} |"
                )
    return "\n".join(lines)


def _cell(made: dict[str, Any]) -> str:
    if made["value"] is None:
        return f"none ({made['reason']})"
    return f"{made['value']:.3f}" + (f" ({made['low']:.3f} to {made['high']:.3f})" if made["low"] is not None else "")


if __name__ == "__main__":
    sys.exit(main())
