"""What a comparison has: the models, the folds that are finished, who wins on them, and the files that say so."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from molgraph.config import RunSettings
from molgraph.data.files import atomic
from molgraph.errors import ConfigError
from molgraph.kinds import NAMED
from molgraph.metrics import METRICS, Ranking, rank
from molgraph.metrics.repeated import TESTS, fewest_folds
from molgraph.report.compared import write_comparison_report
from molgraph.workflows.compare_page import comparison_page
from molgraph.workflows.plan import Plan

CELLS, SCORES, RESULT, PAGE = "cells", "scores.csv", "comparison.json", "comparison.html"
At = tuple[int, int]  # repeat and fold


@dataclass(frozen=True)
class Request:
    """Hold what a person asks of a comparison; of no metric, the main one of each target decides."""

    out: Path
    folds: int = 5
    repeats: int = 5
    metric: str = ""
    test: str = "tukey"

    def __post_init__(self) -> None:
        for name, least in (("folds", 2), ("repeats", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"--{name} {getattr(self, name)}: give {least} or more.")
        if self.test not in TESTS:
            raise ConfigError(f"--test {self.test}: choose one of {', '.join(TESTS)}.")

    def check(self, models: int) -> None:
        """Refuse folds too few for the test to find any difference.

        Raises: ConfigError that says how many it needs.
        """
        have, least = self.folds * self.repeats, fewest_folds(self.test, models)
        if have < least:
            what = f"no difference between {models} models can be found on {have} folds"
            raise ConfigError(f"--test {self.test}: {what}; {least} are needed: give more --repeats.")


@dataclass(frozen=True)
class Cell:
    """Hold what one model scored on one fold; `scores` by target and metric, None where there is no score."""

    digest: str
    model: str
    repeat: int
    fold: int
    trained: int
    tested: int
    near: int | None
    seconds: float
    scores: dict[str, dict[str, float | None]]


@dataclass
class Comparison:
    """Hold the models, the folds that are finished and, by target, what they say.

    `tested` is a digest of the rows that a fold tests; `counted` are by target the folds that are ranked, those that
    test the same rows together.
    """

    made: Plan
    runs: dict[str, RunSettings]
    request: Request
    cells: dict[tuple[int, int, str], Cell] = field(default_factory=dict)
    tested: dict[At, str] = field(default_factory=dict)
    counted: dict[str, list[list[At]]] = field(default_factory=dict)
    rankings: dict[str, Ranking] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def folds(self) -> list[At]:
        """Return the (repeat, fold) to do, so that what is stopped early has whole repeats."""
        return [(r, f) for r in range(self.request.repeats) for f in range(self.request.folds)]

    @property
    def whole(self) -> list[At]:
        """Return the folds that all models have finished."""
        return [at for at in self.folds if all((*at, name) in self.cells for name in self.runs)]

    @property
    def apart(self) -> list[list[At]]:
        """Return the finished folds, those together that test the same rows.

        Few groups make few partitions: the same rows tested again in another repeat are no new evidence.
        """
        found: dict[str, list[At]] = {}
        for at in self.whole:
            found.setdefault(self.tested[at], []).append(at)
        return list(found.values())

    def value(self, folds: list[At], target: str, metric: str, name: str) -> float | None:
        """Return a model's mean score of folds that test the same rows, None where one has none."""
        values = [self.cells[(*at, name)].scores[target][metric] for at in folds]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if len(known) == len(values) else None

    @property
    def metrics(self) -> dict[str, str]:
        """Return the metric that decides, by target."""
        return {name: self.request.metric or NAMED[kind].family.main for name, kind in self.made.rows.kinds.items()}

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of the rows and their values."""
        found, data = hashlib.sha256(), self.made.rows.data
        weights = [data.targets.weight] if bool((data.targets.weight != 1).any()) else []
        for tensor in (data.targets.values, data.targets.observed, data.targets.bound, *weights):
            found.update(tensor.numpy().tobytes())
        for given in data.inputs.values():
            found.update("\n".join(given.key_of(i) for i in range(len(data))).encode())
        return found.hexdigest()


def conclude(found: Comparison) -> None:
    """Rank by the folds that all models have finished, and write tables and page."""
    _write_scores(found)
    whole, apart = found.whole, found.apart
    if len(whole) < len(found.folds):
        found.notes.append(f"{len(whole)} of {len(found.folds)} folds are finished for all models; only they count.")
    if len(apart) < len(whole):
        found.notes.append(
            f"The {len(whole)} folds test {len(apart)} different sets of rows, for there are few groups to draw folds "
            "from; the scores of those that test the same rows are averaged and count once."
        )
    for target in found.metrics:
        _rank(found, target, apart)
    near = [cell.near for cell in _once(found)]
    if near and None not in near:
        of = sum(cell.tested for cell in _once(found))
        found.notes.append(f"{sum(n or 0 for n in near)} of {of} tested rows had a near duplicate in the training set.")
    if found.rankings:
        with atomic(found.request.out / RESULT) as file:
            file.write(json.dumps(_result(found), indent=1, ensure_ascii=False).encode())
        write_comparison_report(found.request.out / PAGE, comparison_page(found))


def _rank(found: Comparison, target: str, apart: list[list[At]]) -> None:
    """Rank the models on one target, or note why they cannot be."""
    metric, names = found.metrics[target], list(found.runs)
    scores = [[found.value(folds, target, metric, name) for name in names] for folds in apart]
    counted = [folds for folds, row in zip(apart, scores, strict=True) if None not in row]
    if len(counted) < len(apart):
        found.notes.append(f"{target}: {len(apart) - len(counted)} folds have no {METRICS[metric].label}.")
    least = fewest_folds(found.request.test, len(names))
    if len(counted) < least:
        found.notes.append(f"{target}: fewer than {least} folds have a score of every model, so none is ranked.")
        return
    table = np.array([row for row in scores if None not in row], dtype=np.float64)
    share = float(np.mean([cell.tested / cell.trained for cell in found.cells.values()]))
    found.counted[target] = counted
    found.rankings[target] = rank(names, table, metric, share=share, test=found.request.test)


def _once(found: Comparison) -> Iterator[Cell]:
    """Yield one cell of each whole fold."""
    name = next(iter(found.runs))
    return (found.cells[(*at, name)] for at in found.whole)


def _result(found: Comparison) -> Mapping[str, Any]:
    return {
        "targets": {target: ranking.to_json() for target, ranking in found.rankings.items()},
        "folds": found.request.folds,
        "repeats": found.request.repeats,
        "split": found.made.run.split,
        "notes": found.notes,
        "runs": {name: asdict(run) for name, run in found.runs.items()},
    }


def _write_scores(found: Comparison) -> None:
    """Write `scores.csv`, one line per model, fold, target and metric."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["repeat", "fold", "model", "target", "metric", "value", "trained", "tested", "seconds"])
    for cell in found.cells.values():
        for target, scores in cell.scores.items():
            for metric, value in scores.items():
                shown = "" if value is None else f"{value:.10g}"
                place = (cell.repeat + 1, cell.fold + 1, cell.model)
                writer.writerow([*place, target, metric, shown, cell.trained, cell.tested, cell.seconds])
    with atomic(found.request.out / SCORES) as file:
        file.write(text.getvalue().encode())
