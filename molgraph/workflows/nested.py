"""Nested cross-validation: a tuning of its own for each outer fold, and what all of them say of tuning."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from molgraph.config import RunSettings
from molgraph.data.files import atomic
from molgraph.errors import ConfigError
from molgraph.workflows.folds import refuse_own_labels
from molgraph.workflows.outcome import UNTUNED, Outcome, untuned
from molgraph.workflows.show import say
from molgraph.workflows.tune import Request, tune_folder

TUNED, ENSEMBLE = "tuned", "ensemble"


def nested_folder(
    run: RunSettings, request: Request, outer: int, *, overwrite: bool = False, source: Any = None
) -> list[Outcome]:
    """Tune once for each of several outer folds, each tested by rows that its own tuning never saw.

    Leaves `fold-K/` as `tune_folder` does, but for `best.toml`, and `nested.json`: what tuning, and not one lucky
    choice, is worth.

    Raises: as `tune_folder`; ConfigError for a split that makes no folds.
    """
    if outer < 2:
        raise ConfigError(f"--outer {outer}: give 2 or more.")
    refuse_own_labels(run.split)
    found = []
    for number in range(outer):
        say(f"\nouter fold {number + 1} of {outer}")
        asked = replace(request, out=request.out / f"fold-{number + 1}", outer=(number, outer))
        found.append(tune_folder(replace(run, refit="no"), asked, overwrite=overwrite, source=source))
    folds = [_scores(outcome) for outcome in found]
    scores = {name: [each.get(name) for each in folds] for name in dict.fromkeys(n for each in folds for n in each)}
    with atomic(request.out / "nested.json") as file:
        file.write(json.dumps(scores, indent=1, ensure_ascii=False).encode())
    _say(scores)
    return found


def _scores(outcome: Outcome) -> dict[str, float | None]:
    """Return the main score of each target on the test rows: of the model, and of all that stands beside it.

    Where the best trial is no tuning, or no other trial improves it, it stands for those, too.
    """
    plain, found = untuned(outcome), {}
    for target, metric in outcome.assessment["main"].items():
        head, mine = f"{target}, {metric}", outcome.assessment["model"][target][metric]["value"]
        found[f"{head}, {TUNED}"] = mine
        found[f"{head}, {ENSEMBLE}"] = mine
        if plain == outcome.run_of(outcome.best):
            found[f"{head}, {plain.model}, {UNTUNED}"] = mine
        for name, scores in outcome.assessment["others"].items():
            called = ENSEMBLE if name.startswith(ENSEMBLE) else name.partition(" (")[0]
            found[f"{head}, {called}"] = scores[target][metric]["value"]
    return found


def _say(scores: Mapping[str, Sequence[float | None]]) -> None:
    for name, values in scores.items():
        known = [value for value in values if value is not None]
        if known:
            mean, spread = np.mean(known), np.std(known, ddof=1) if len(known) > 1 else 0.0
            say(f"{name}: {mean:.4g}, standard deviation {spread:.2g} over {len(known)} outer folds")
