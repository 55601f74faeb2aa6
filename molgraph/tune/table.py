"""`trials.csv`: one line per trial, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molgraph.data.files import atomic
from molgraph.tune.attempt import BATCH, SEED, WHY, tried
from molgraph.tune.budget import EPOCHS
from molgraph.tune.goals import Goal
from molgraph.tune.space import Space
from molgraph.tune.study import WORKER


def write_trials(path: Path, trials: Sequence[Any], goals: Sequence[Goal], space: Space) -> None:
    """Write the trials in order; a value that a trial has not is blank, `why` says what ended it early."""
    names = [d.name for d in space.dimensions]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "state", *(g.name for g in goals), *names, SEED, EPOCHS, "seconds", BATCH, WORKER, WHY])
    for trial in trials:
        done = trial.state.name == "COMPLETE"  # Optuna gives a pruned trial its last score as its value
        values = trial.values if done else [""] * len(goals)
        about, what = trial.user_attrs, tried(trial)
        seconds = round(trial.duration.total_seconds(), 3) if trial.duration else ""
        writer.writerow(
            [
                *(trial.number, trial.state.name.lower(), *values),
                *(what.get(name, "") for name in names),
                *(about.get(SEED, ""), about.get(EPOCHS, ""), seconds, about.get(BATCH, "")),
                *(about.get(WORKER, "").removesuffix(".lock"), about.get(WHY, "")),
            ]
        )
    with atomic(path) as file:
        file.write(text.getvalue().encode())
