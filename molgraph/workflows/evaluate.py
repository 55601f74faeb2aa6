"""Judge trained models on rows with known values: each model beside the nearest measured neighbour."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molgraph.data.files import atomic, os_errors
from molgraph.data.table import free_names
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError
from molgraph.metrics.coverage import sentences
from molgraph.metrics.reliability import sentence
from molgraph.predictor import Predictor
from molgraph.predictor.assess import NEIGHBOUR, assess, neighbour_estimates
from molgraph.predictor.card import interval
from molgraph.predictor.decided import lines
from molgraph.predictor.leaks import evaluated
from molgraph.predictor.rows import Rows, read_rows
from molgraph.predictor.subgroups import columns_by, subgroups, table
from molgraph.report import write_evaluation_report
from molgraph.task import classes
from molgraph.workflows.show import say

# what is said again without the rows of training, in which the nearest neighbour is the row itself
UNSEEN = ("rows", "model", "others", "verdicts", "coverage", "reliability", "decisions", "levels")


def evaluate_file(
    source: Any,
    folders: Sequence[str | Path],
    *,
    column: str | None = None,
    out: Path | None = None,
    given: Mapping[str, str] | None = None,
    join: Sequence[str] = (),
    by: Sequence[str] = (),
) -> dict[str, Any]:
    """Score every model on the same rows and return `{folder: assessment}` as JSON values.

    Rows that stood in a model's training set are counted, and scores given without them, too: one on them flatters.
    The groups of the columns `by` (else of those that the room knows: site, sex, ...) are judged apart.

    Of the targets those are judged that the data has a column for.

    Raises: ConfigError where the models have no target in common; DataError where the data has no usable row.
    """
    predictors = {str(folder): Predictor.load(folder) for folder in folders}
    first = next(iter(predictors.values()))
    shared = [name for name in first.targets if all(name in p.targets for p in predictors.values())]
    if not shared:
        raise ConfigError("the models have no target in common: evaluate them one by one.")
    found = {}
    for number, (folder, predictor) in enumerate(predictors.items(), start=1):
        run = replace(predictor.recipe.run, column=column or "", id="", split="random")
        predictor.give(given or {}, join)
        rows = read_rows(source, run, predictor.inputs, classes=classes(predictor.task), some=True)
        found[folder] = _assess(folder, predictor, rows, by)
        if out is not None:
            name = Path(folder).resolve().name
            twice = sum(Path(other).resolve().name == name for other in predictors) > 1
            _write(out, f"{name}-{number}" if twice else name, predictor, rows, found[folder])
    if out is not None:
        with atomic(out / "metrics.json") as file:
            file.write(json.dumps(found, indent=1, ensure_ascii=False).encode())
        say(f"written to {out}")
    return found


def _assess(folder: str, predictor: Predictor, rows: Rows, by: Sequence[str]) -> dict[str, Any]:
    others, judged = {}, np.arange(len(rows.data))
    columns = columns_by(predictor, rows.frame, by)
    if predictor.domain is not None:
        others[NEIGHBOUR] = neighbour_estimates(predictor.domain, predictor.task, rows.data)
    found = assess(predictor, rows.data, others)
    found["seen_in_training"] = 0
    if predictor.domain is not None:
        seen, found["leaks"] = evaluated(predictor.domain, rows.data)
        found["seen_in_training"] = int(seen.sum())
        if seen.any() and not seen.all():
            judged = np.flatnonzero(~seen)
            fresh = assess(predictor, rows.data.subset(judged), {name: made[judged] for name, made in others.items()})
            found["unseen"] = {name: fresh[name] for name in UNSEEN}
    frame = rows.frame.iloc[judged].reset_index(drop=True)
    found["subgroups"] = subgroups(predictor, rows.data.subset(judged), frame, columns)
    _say(folder, rows, found)
    return found


def _say(folder: str, rows: Rows, found: dict[str, Any]) -> None:
    known = found["seen_in_training"]
    say(f"{folder}: {rows.read} rows read, {len(rows.data)} judged, {known} of them seen in training")
    which, judged = ("rows not seen", found["unseen"]) if "unseen" in found else ("rows", found)
    for target in found["model"]:
        for name in found["shown"][target]:
            say(f"  {target:12} {name:18}{_beside(found, target, name)}")
            if "unseen" in found:
                say(f"  {'':12} {'  without seen':18}{_beside(judged, target, name)}")
        for verdict in judged["verdicts"][target].values():
            say(f"  {verdict['sentence']}")
        for line in sentences(judged["coverage"][target], which):
            say(f"  {line}")
        say(f"  reliability: {sentence(judged['reliability'][target])}")
        for line in lines(judged, target):
            say(f"  {line}")
    for line in found["subgroups"]:
        said = ", ".join(f"{name} {interval(score)}" for name, score in line["scores"].items())
        say(f"  {line['target']}, {line['column']} {line['group']}: {line['n']} rows, {said}")
    if "leaks" in found:
        say(f"  leaks: {found['leaks']['sentence']}")


def _beside(found: Mapping[str, Any], target: str, metric: str) -> str:
    """Write a score with the nearest neighbour's to its right."""
    rival = found["others"].get(NEIGHBOUR, {}).get(target, {}).get(metric)
    mine = interval(found["model"][target][metric])
    return f"{mine:36}{NEIGHBOUR}: {interval(rival)}" if rival else mine


def _write(out: Path, name: str, predictor: Predictor, rows: Rows, found: dict[str, Any]) -> None:
    """Write `scores-<model>.csv` (measured beside predicted), `subgroups-<model>.csv` and `report-<model>.html`."""
    with os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    scores = predictor.columns_of(rows.data)
    measured = {}
    for target in rows.data.targets.names:
        values, observed, _ = rows.data.targets.arrays(target)
        measured[f"{target}_measured"] = np.where(observed, values, np.nan)
    ours = pd.concat([pd.DataFrame(measured), scores], axis="columns")
    names = free_names(list(rows.frame.columns), list(ours.columns))
    frame = pd.concat([rows.frame, ours.rename(columns=names)], axis="columns")
    with open_writer(out / f"scores-{name}.csv", column=next(iter(rows.columns.values()))) as writer:
        writer.write(frame)
    if found["subgroups"]:
        with open_writer(out / f"subgroups-{name}.csv") as writer:
            writer.write(table(found["subgroups"]))
    title = f"{name} on {Path(rows.origin).name}"
    write_evaluation_report(out / f"report-{name}.html", predictor, rows.data, scores, found, title=title)
