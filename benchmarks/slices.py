#!/usr/bin/env python
"""Compare ResNet-18, -34 and -50 on slices of MRI, and ask what a score over slices says about patients.

    python benchmarks/slices.py labels.csv                     columns image, patient, label (1 is positive)
    python benchmarks/slices.py scans.csv --patient subject --target mgmt --positive methylated
    python benchmarks/slices.py FOLDER --image flair.nii.gz --mask seg.nii.gz
    python benchmarks/slices.py phantoms
    python benchmarks/slices.py --table                        the newest results, into README.md

A table names pictures or volumes; each slice of a volume has the label of its row, and rows whose column `cohort` is
`new` never train. A folder (or .zip) holds a folder per patient with a volume and a mask, which may lie on another grid
in the same space: a slice is positive where the mask marks any of it. Of a volume of several sequences the first
counts. Who cannot be read is left out, by name and reason.

Each network is trained with every patient left out in turn (in four folds where there are more patients) and, to
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
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accuracy import circumstances
from numpy.typing import NDArray
from slice_scores import levels, table, write
from slice_sets import NEW, PHANTOMS, Cohort, cohorts

from molgraph.config import FitSettings, RunSettings
from molgraph.errors import DataError, MolgraphError
from molgraph.kinds import make
from molgraph.predictor.inputs import Inputs, slots
from molgraph.predictor.parts import with_prints
from molgraph.predictor.rows import Rows, read_rows
from molgraph.predictor.training import Training
from molgraph.split import Split

HERE = Path(__file__).resolve().parent
NETWORKS = ("resnet18", "resnet34", "resnet50")
FOLDS = 4  # of patients, where there are more than that
Ints = NDArray[np.int64]


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, train and write; say in a sentence what is wrong with the input."""
    parser = options()
    given = parser.parse_args(argv)
    if not (given.source or given.table):
        parser.error("name labels.csv, a folder of patients, or phantoms; or --table")
    if (given.mask and not given.image) or any(Path(each).is_absolute() for each in (given.image, given.mask)):
        parser.error("--image and --mask name files from each patient's folder: flair.nii.gz, seg.nii.gz")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    try:
        if given.source:
            run(given)
        if given.table:
            write(HERE / "results", HERE / "README.md")
    except MolgraphError as error:
        print(f"slices: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", help="a table, a folder or .zip of patients, or phantoms")
    parser.add_argument("--image", default="", metavar="FILE", help="each patient's volume; or a table's column")
    parser.add_argument("--mask", default="", metavar="FILE", help="the mask in each patient's folder")
    parser.add_argument("--patient", default="patient", metavar="COL", help="a table's column of patients (patient)")
    parser.add_argument("--target", default="label", metavar="COL", help="a table's column of labels (label)")
    parser.add_argument("--positive", default="1", metavar="LABEL", help="the positive label, against all others (1)")
    parser.add_argument("--models", default=",".join(NETWORKS), metavar="A,B", help="networks to compare")
    parser.add_argument("--phantoms", default=",".join(PHANTOMS), metavar="A,B", help="which phantoms")
    parser.add_argument("--size", type=natural, default=64, help="pixels a side (64)")
    parser.add_argument("--every", type=natural, default=8, help="keep every N-th slice of a volume (8)")
    parser.add_argument("--patients", type=natural, default=12, help="phantom patients to train on (12)")
    parser.add_argument("--epochs", type=natural, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--add", action="store_true", help="add to the results of today")
    parser.add_argument("--table", action="store_true", help="write the newest results into README.md")
    return parser


def natural(text: str) -> int:
    """Read a number of things."""
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def run(given: argparse.Namespace) -> None:
    """Train on every cohort, and write its scores as soon as they are there."""
    what = "phantoms" if given.source == "phantoms" else Path(given.source).stem
    out = HERE / "results" / f"slices-{what}-{datetime.now(UTC).date().isoformat()}.json"
    asked = {name: getattr(given, name) for name in ("size", "epochs", "every", "seed")}
    about = {**circumstances(), "threads": torch.get_num_threads(), **asked}
    found: dict[str, Any] = {"about": about, "cohorts": {}}
    if given.add and out.exists():
        found["cohorts"] = json.loads(out.read_text(encoding="utf-8"))["cohorts"]
    with tempfile.TemporaryDirectory() as temporary:
        for cohort in cohorts(given, Path(temporary)):
            found["cohorts"][cohort.name] = found["cohorts"].get(cohort.name, {}) | compared(cohort, given)
            print(f"\n{table({cohort.name: found['cohorts'][cohort.name]})}", flush=True)
            out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def compared(cohort: Cohort, given: argparse.Namespace) -> dict[str, Any]:
    """Train every network on every split of one cohort; return the scores of slices and of patients.

    Raises: DataError where there are no two patients or no two classes to train on.
    """
    networks = given.models.split(",")
    rows = read(cohort, networks[0], given)
    patient = rows.frame["patient"].to_numpy()
    new = rows.frame["cohort"].to_numpy() == NEW if "cohort" in rows.frame else np.zeros(len(patient), bool)
    old = np.flatnonzero(~new)
    random = np.random.default_rng(given.seed)
    names = random.permutation(np.unique(patient[old]))
    truth = rows.data.targets.arrays(rows.data.targets.names[0])[0]
    if len(names) < 2 or len(np.unique(truth[old])) < 2:
        raise DataError(
            f"{cohort.name}: {len(old)} slices of {len(names)} patients, {truth[old].mean():.0%} of them positive; "
            "leaving patients out takes two patients and two classes."
        )
    groups = np.array_split(names, min(len(names), FOLDS))
    folds = [old[np.isin(patient[old], group)] for group in groups]
    rejects = [*cohort.rejects, *unread(cohort, rows)]
    for each in rejects:
        print(f"{cohort.name}: left out: {each['patient']} ({each['reason']}): {each['message']}", flush=True)
    found: dict[str, Any] = {"slices": len(old), "patients": len(names), "positive": float(truth[old].mean())}
    found["rejects"] = rejects
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


def read(cohort: Cohort, network: str, given: argparse.Namespace) -> Rows:
    """Read the slices as the command would."""
    run = settings(network, given)
    return read_rows(cohort.frame, run, Inputs(slots(run), with_prints(run), run.standardize))


def unread(cohort: Cohort, rows: Rows) -> list[dict[str, Any]]:
    """Return the slices that the room refused, by patient."""
    patient = cohort.frame["patient"].tolist()
    return [
        {"patient": patient[each.row - 1], "reason": each.reason, "message": each.message} for each in rows.data.rejects
    ]


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


if __name__ == "__main__":
    sys.exit(main())
