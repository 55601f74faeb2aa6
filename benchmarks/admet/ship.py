#!/usr/bin/env python
"""Make the model that ships as `admet`: train it on all endpoints at once, calibrate and judge it, and put it there.

    python benchmarks/admet/ship.py [--members 3]   train; stop it at any moment and start it again
    python benchmarks/admet/ship.py --calibrate     keep the weights that ship; renew calibration, scores, domain, card

A training goes on from its last epoch in --work. The data are found through the variable MOLGRAPH_DATA. Its training
rows ship with it where their licence allows, with an attribution: see docs/decisions/0014 and 0026.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from calibrated import calibrate, crossed
from cells import HERE, TOGETHER, answers, tested
from described import attribution, described
from endpoints import ENDPOINTS, MULTI, drawn, planned, rows, run_of
from numpy.typing import NDArray

from molgraph import shipped
from molgraph.config import RunSettings
from molgraph.data.files import atomic
from molgraph.data.table import read_tables
from molgraph.predictor import Predictor, simple
from molgraph.predictor.assess import assess, neighbour_estimates
from molgraph.predictor.domain import Domain
from molgraph.predictor.duplicates import merged
from molgraph.predictor.folder import clear, save_history
from molgraph.predictor.rows import Rows, read_rows
from molgraph.predictor.side import marks
from molgraph.predictor.things import things_of
from molgraph.predictor.training import Training
from molgraph.split import IDENTITY

sys.path.append(str(HERE.parent))

from accuracy import circumstances
from ledger import Entry, Ledger

NAME = "admet"
NEAREST = "nearest measured molecule"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", default=",".join(ENDPOINTS), metavar="A,B", help="to try it on a few")
    parser.add_argument("--members", type=int, default=3, help="of the ensemble (3)")
    parser.add_argument("--epochs", type=int, help="other than the settings say: to try it")
    parser.add_argument("--calibrate", action="store_true", help="train nothing: renew all but the weights")
    parser.add_argument("--work", type=Path, default=Path("runs") / NAME, help="folder of checkpoints (runs/admet)")
    parser.add_argument("--out", type=Path, default=shipped.FOLDER / NAME, help="where the model goes")
    parser.add_argument("--ledger", type=Path, default=HERE.parent / "results" / NAME, help="folder of the cells")
    given = parser.parse_args(arguments)
    names, ledger = given.endpoints.split(","), Ledger(given.ledger)
    began = time.perf_counter()
    if given.calibrate:
        predictor = Predictor.load(given.out)
        predictor.history = pd.read_csv(given.out / "history.csv").to_dict("records")
    else:
        run = run_of(names, {**MULTI, "ensemble": given.members})
        if given.epochs is not None:
            run = replace(run, train=replace(run.train, epochs=given.epochs))
        given.work.mkdir(parents=True, exist_ok=True)
        predictor = trained(names, run, given.work)
    finish(predictor, measured(predictor, names))
    if set(names) == set(ENDPOINTS):
        ledger.write(entry(predictor, time.perf_counter() - began))
    put(predictor, names, given.out, ledger)
    return 0


def trained(names: Sequence[str], run: RunSettings, work: Path) -> Predictor:
    """Train a predictor of some endpoints; its domain is what trained it or stopped the training."""
    made = planned(names, [run])
    made = replace(made, split=drawn(made, run.seed))
    print({k: made.facts[k] for k in ("rows_used", "train", "valid", "calibration", "test")}, flush=True)
    training = Training(run, made.task, made.rows.data, made.split, work)
    for member, epoch in training.epochs():
        valid = "none" if epoch.valid_loss is None else f"{epoch.valid_loss:.4f}"
        print(f"member {member}, epoch {epoch.number}: valid {valid}, {epoch.seconds:.0f} s", flush=True)
    predictor = training.finish()
    predictor.history = training.history
    predictor.recipe.columns = made.rows.columns
    predictor.recipe.units = {ENDPOINTS[name].column: ENDPOINTS[name].meaning for name in names}
    predictor.domain = domain_of(predictor, made.rows, np.concatenate([made.split.train, made.split.valid]))
    leaking = sum(count for count, _ in made.leaks.across.values())
    predictor.recipe.facts = {
        "split": f"official scaffold split; {leaking} training rows that some endpoint tests were left out",
        "model": run.model,
        "size": predictor.members[0].size,
        "members": len(predictor.members),
        "epochs": len(training.history),
        "seconds": round(sum(entry["seconds"] for entry in training.history), 1),
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "digest": training.digest,
        "interrupted": False,
    }
    return predictor


def measured(predictor: Predictor, names: Sequence[str]) -> Rows:
    """Read the rows of endpoints one table below the other, each as it stands."""
    run = replace(predictor.recipe.run, column="smiles", id="id")
    return read_rows(pd.concat([rows(name) for name in names], ignore_index=True), run, predictor.inputs)


def domain_of(predictor: Predictor, found: Rows, chosen: np.ndarray) -> Domain:
    """Return the domain of some rows, one for each molecule."""
    known = merged(found.data.subset(chosen), predictor.task.of_column, predictor.recipe.run.duplicates)
    return Domain.learn({slot.name: slot.room for slot in predictor.inputs.slots}, known)


def seen(predictor: Predictor, found: Rows) -> NDArray[np.bool_]:
    """Tell which rows are a molecule that trained: as it was read when it did, or as today's rules read what was kept
    of it (of 26,429 molecules these call 10 something else, which would calibrate what they trained)."""
    assert predictor.domain is not None
    ((name, side),), things = predictor.domain.sides.items(), found.data.inputs
    (table,) = read_tables(pd.DataFrame({"smiles": side.keys}), block=len(side.keys))
    again = predictor.inputs.prepare(replace(table, column="smiles")).inputs[name]
    known, mine = np.r_[side.marks, marks(things_of(side.room, again))], marks(things_of(side.room, things[name]))
    return np.isin(mine, known)[things[name].index.numpy()]


def finish(predictor: Predictor, found: Rows) -> None:
    """Calibrate on rows that the weights have not seen, judge on the official test rows, and note the facts.

    The weights have seen the molecules of the domain. The rest of train_val is the fold held out to calibrate, and
    molecules that left the training because another endpoint tests them: near to training rows as no test row is, they
    would make sets too small (of AMES's negatives 85 % were covered, not 90 %).
    """
    assert predictor.domain is not None
    known, test = seen(predictor, found), (found.frame["split"] == "test").to_numpy()
    predictor.domain = domain_of(predictor, found, np.flatnonzero(known & ~test))
    things = found.data.groups[IDENTITY]
    held = ~known & ~test & ~np.isin(things, things[test])
    beside, official = found.data.subset(np.flatnonzero(held)), found.data.subset(np.flatnonzero(test))
    predictor.recipe.simple = simple.fit(predictor.domain, predictor.task)
    predictor.recipe.metrics = judged(predictor, official, int((known & test).sum()))
    predictor.recipe.metrics |= crossed(predictor, beside, official)
    calibrate(predictor, found.data.subset(np.flatnonzero(held | (test & ~known))))
    predictor.recipe.facts |= {
        "data": "TDC ADMET group: " + ", ".join(n for n in ENDPOINTS if ENDPOINTS[n].column in predictor.targets),
        "rows_read": found.read,
        "rejected": dict(Counter(reject.reason for reject in found.data.rejects)),
        "train": len(predictor.domain.ids),
        "calibration": f"{held.sum():,} rows that neither trained nor are tested, and the test rows",
        "test": int(test.sum()),
        "calibrated": datetime.now(UTC).isoformat(timespec="seconds"),
        "shared": False,
    }
    for gone in ("rows_used", "valid", "conflicts", "replicates", "notes"):
        predictor.recipe.facts.pop(gone, None)


def judged(predictor: Predictor, official: Any, leaking: int) -> dict[str, Any]:
    """Return the scores on the official test rows beside those of the nearest measured molecule and the simplest
    methods.

    `leaking` of them are a molecule that trained, as today's rules of standardisation have it.
    """
    assert predictor.domain is not None
    nearest = neighbour_estimates(predictor.domain, predictor.task, official)
    beside = simple.beside([predictor], predictor.task, official)
    found = assess(predictor, official, {NEAREST: nearest}, beside, bootstrap=500)
    sentence = "none: molecules that some endpoint tests were left out of training"
    if leaking:
        sentence = f"{leaking} of {len(official):,} test rows are, standardised as today, a molecule that trained"
    leaks = {"rule": "drop", "across": {}, "sentence": sentence}
    return {**found, "comparator": found["others"][NEAREST], "comparator_name": NEAREST, "leaks": leaks}


def entry(predictor: Predictor, seconds: float) -> Entry:
    """Return what the model says of the official test rows as they stand, as a cell of the ledger."""
    tests = {name: predictor.inputs.prepare(tested(name)) for name in ENDPOINTS}
    found, estimates = answers(tuple(ENDPOINTS), tests, predictor.task, lambda things: predictor.estimate(things)[0])
    facts = predictor.recipe.facts
    split = f"official; {facts['split'].partition('; ')[2]}"
    return Entry(
        TOGETHER, NAME, 0, predictor.recipe.run.train.epochs, split, round(seconds, 1), torch.get_num_threads(),
        circumstances() | {"settings": facts["digest"]}, list(predictor.targets), found, estimates.tolist(),
    )  # fmt: skip


def put(predictor: Predictor, names: Sequence[str], out: Path, ledger: Ledger) -> None:
    """Write the model with its card and the attribution of its data."""
    work = out.with_name(f"{out.name}.new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    predictor.save(work)
    save_history(work, predictor.history)
    out.mkdir(parents=True, exist_ok=True)
    clear(out)
    for file in work.iterdir():
        shutil.move(file, out / file.name)
    work.rmdir()
    for name, text in (("card.md", described(predictor, names, ledger)), ("ATTRIBUTION.md", attribution(names))):
        with atomic(out / name) as file:
            file.write(text.encode())
    print(f"{out}: {sum(file.stat().st_size for file in out.iterdir() if file.is_file()) / 1e6:.1f} MB")


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
