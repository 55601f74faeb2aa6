#!/usr/bin/env python
"""Train the model that ships as `admet` on all endpoints at once, judge it on the official test rows, and put it there.

    python benchmarks/admet/ship.py [--members 3]

Stop it at any moment and start it again: it goes on from its last epoch in --work. The data are found through the
variable MOLGRAPH_DATA. Nothing of the training rows goes into the model: see docs/decisions/0014.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from endpoints import ENDPOINTS, MULTI, drawn, kind, planned, run_of

from molgraph import datasets, shipped
from molgraph.config import RunSettings
from molgraph.predictor import Predictor
from molgraph.predictor.assess import assess, neighbour_estimates
from molgraph.predictor.card import card
from molgraph.predictor.folder import save_history, share, unseal
from molgraph.predictor.training import Training
from molgraph.workflows.plan import Plan

HERE = Path(__file__).resolve().parent
NAME = "admet"
NEAREST = "nearest measured molecule"
LIMITS = """## Limits

- The test rows have scaffolds of their own: on molecules unlike those of the public sets expect at best these scores.
- The model ships without its training rows, so a prediction names no neighbour and has no domain flag. The 90 %
  intervals hold for molecules like the held-out ones; for others they are too narrow.
- The labels are those of the sets, with their thresholds and their mistakes: repeated measurements of one molecule
  disagree in several of them. Metals, mixtures, polymers and peptides are hardly among them.
- A column whose verdict above is "not better" than the nearest measured molecule is to be left alone.
- For ranking and for asking which experiment to do first. Not for clinical use.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", default=",".join(ENDPOINTS), metavar="A,B", help="to try it on a few")
    parser.add_argument("--members", type=int, default=3, help="of the ensemble (3)")
    parser.add_argument("--epochs", type=int, help="other than the settings say: to try it")
    parser.add_argument("--work", type=Path, default=Path("runs") / NAME, help="folder of checkpoints (runs/admet)")
    parser.add_argument("--out", type=Path, default=shipped.FOLDER / NAME, help="where the model goes")
    given = parser.parse_args(arguments)
    names = given.endpoints.split(",")
    run = run_of(names, {**MULTI, "ensemble": given.members})
    if given.epochs is not None:
        run = replace(run, train=replace(run.train, epochs=given.epochs))
    given.work.mkdir(parents=True, exist_ok=True)
    put(trained(names, run, given.work), names, given.work, given.out)
    return 0


def trained(names: Sequence[str], run: RunSettings, work: Path) -> Predictor:
    """Train, calibrate and judge a predictor of some endpoints."""
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
    predictor.recipe.metrics = judged(predictor, made)
    leaking = sum(rows for rows, _ in made.leaks.across.values())
    predictor.recipe.facts = {
        **made.facts,
        "data": "TDC ADMET group: " + ", ".join(names),
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


def judged(predictor: Predictor, made: Plan) -> dict[str, Any]:
    """Return the scores on the official test molecules beside those of the nearest measured one."""
    test = made.rows.data.subset(made.split.test)
    assert predictor.domain is not None  # it knows its training rows until it is shared
    nearest = neighbour_estimates(predictor.domain, predictor.task, test)
    found = assess(predictor, test, {NEAREST: nearest}, bootstrap=500)
    leaks = {**made.leaks.to_json(), "sentence": "none: molecules that some endpoint tests were left out of training"}
    return {**found, "comparator": found["others"][NEAREST], "comparator_name": NEAREST, "leaks": leaks}


def put(predictor: Predictor, names: Sequence[str], work: Path, out: Path) -> None:
    """Write the model to `work`, and what may be given away of it, with its card, to `out`."""
    predictor.save(work)
    save_history(work, predictor.history)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / NAME
        share(work, copy)
        recipe, _ = unseal(copy)
        text = "\n".join([card(recipe), *sources(names), "", LIMITS])
        (copy / "card.md").write_text(text, encoding="utf-8")
        for old in (*out.glob("weights-*"), *out.glob("*.json")):
            old.unlink()
        for file in copy.iterdir():
            shutil.copyfile(file, out / file.name)
    print(f"{out}: {sum(file.stat().st_size for file in out.glob('*.safetensors')) / 1e6:.1f} MB of weights")


def sources(names: Sequence[str]) -> list[str]:
    """Return what each column means, where its data come from and under which licence, as Markdown."""
    lines = ["## Columns and data", "", "| column | what it is | task | data | rows | licence | source |"]
    lines.append("|---" * 7 + "|")
    for name in names:
        found = datasets.card(name)
        cells = (ENDPOINTS[name].column, ENDPOINTS[name].meaning, kind(name), name, found.rows, found.licence)
        lines.append(f"| {' | '.join(map(str, cells))} | {found.citation} |")
    return lines


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
