"""Judge trained models on rows with known values: each model beside the nearest measured neighbour."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molgraph.data.files import atomic, os_errors
from molgraph.data.table import free_names
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, Reject, many
from molgraph.metrics.coverage import sentences
from molgraph.metrics.reliability import sentence
from molgraph.predictor import Panel, Predictor
from molgraph.predictor.assess import NEIGHBOUR, assess, nearest_estimates
from molgraph.predictor.card import (
    bounded,
    counted,
    covered_rows,
    domain_lines,
    headed,
    interval,
    labels,
    simple_lines,
    tested,
    unit_of_errors,
    units,
)
from molgraph.predictor.decided import lines
from molgraph.predictor.folder import save_rejects
from molgraph.predictor.inside import by_domain
from molgraph.predictor.leaks import evaluated
from molgraph.predictor.neighbours import DOUBT
from molgraph.predictor.rows import Rows, not_measured, read_rows
from molgraph.predictor.simple import beside
from molgraph.predictor.subgroups import columns_by, subgroups, table
from molgraph.predictor.transform import as_kept
from molgraph.report import write_evaluation_report
from molgraph.workflows.show import say

# what is said again without the rows of training, in which the nearest neighbour is the row itself
UNSEEN = (
    "rows", "repeats", "model", "others", "verdicts", "coverage", "reliability", "decisions", "levels", "natural",
    "simple", "domain",
)  # fmt: skip
TITLE = 30  # and of the words before the first
WIDE = 34  # letters of a column in the terminal
TOGETHER = "together"  # what the mean of several models is called, in metrics and files


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
    """Score every model, and several as the mean that `predict` takes, and return `{folder: assessment}`, JSON values.

    Rows that stood in a model's training set are counted, and scores given without them, too: one on them flatters.
    The groups of the columns `by` (else of those that the room knows: site, sex, ...) are judged apart.
    Every row is judged by its own value, also where several are the same thing; those that cannot be are told.

    Of the targets those are judged that the data has a column for.

    Raises: ConfigError where the models have no target in common; DataError where the data has no usable row.
    """
    predictors = {str(folder): Predictor.load(folder) for folder in folders}
    first = next(iter(predictors.values()))
    shared = [name for name in first.targets if all(name in p.targets for p in predictors.values())]
    if not shared:
        raise ConfigError("the models have no target in common: evaluate them one by one.")
    found: dict[str, Any] = {}
    rejects: dict[tuple[int, str], Reject] = {}
    for called, scorer in _scorers(predictors).items():
        run = replace(first.recipe.run if isinstance(scorer, Panel) else scorer.recipe.run, column=column or "", id="")
        run = replace(run, split="random", targets=shared if isinstance(scorer, Panel) else run.targets)
        scorer.give(given or {}, join)
        rows = read_rows(source, run, scorer.inputs, classes=scorer.task.vocabulary, some=True)
        rows = as_kept(rows, scorer.task)
        rejects |= {(reject.row, reject.reason): reject for reject in rows.data.rejects}
        alone = {}
        if isinstance(scorer, Panel):  # side by side on the same rows
            alone = {folder: scorer.alone(p, rows.data) for folder, p in predictors.items()}
        found[called] = _assess(called, scorer, rows, by, alone)
        if out is not None:
            _write(out, _file_name(called, list(predictors)), scorer, rows, found[called])
    if out is not None:
        if rejects:
            save_rejects(out, [rejects[key] for key in sorted(rejects)])
        with atomic(out / "metrics.json") as file:
            file.write(json.dumps(found, indent=1, ensure_ascii=False).encode())
        say(f"written to {out}")
    return found


def _scorers(predictors: Mapping[str, Predictor]) -> dict[str, Predictor | Panel]:
    """Return the models by their folders, and where there are several and they can be averaged, all as one."""
    if len(predictors) < 2:
        return dict(predictors)
    try:
        return {**predictors, TOGETHER: Panel(list(predictors.values()))}
    except ConfigError as error:
        say(f"note: not judged together: {error}")
        return dict(predictors)


def _file_name(called: str, folders: Sequence[str]) -> str:
    name = Path(called).resolve().name
    twice = sum(Path(other).resolve().name == name for other in folders) > 1
    return f"{name}-{folders.index(called) + 1}" if twice and called in folders else name


def _assess(
    called: str, scorer: Predictor | Panel, rows: Rows, by: Sequence[str], alone: Mapping[str, Any]
) -> dict[str, Any]:
    judged, columns = np.arange(len(rows.data)), columns_by(scorer, rows.frame, by)
    others = dict(alone)
    seen, leaks = evaluated(scorer.known, rows.data)
    nearest = nearest_estimates(scorer, rows.data)
    if nearest is not None and not seen.all():  # the nearest of a training row is the row itself
        others[NEIGHBOUR] = nearest
    words: dict[str, Any] = (
        {"name_of": "mean of the models", "called": "alternative"} if isinstance(scorer, Panel) else {}
    )
    simple = beside(scorer.predictors, scorer.task, rows.data)
    found = assess(scorer, rows.data, others, simple, **words)
    found["domain"] = by_domain(scorer, rows.data)
    found |= {
        "judged": words.get("name_of", "model"),
        "rows_read": rows.read,
        "left_out": dict(Counter(reject.reason for reject in rows.data.rejects)),
    }
    found["leaks"], found["seen_in_training"] = leaks, leaks["seen"]
    if seen.any() and not seen.all():
        judged = np.flatnonzero(~seen)
        mine = {name: made[judged] for name, made in others.items()}
        alike = {name: replace(each, estimates=each.estimates[judged]) for name, each in simple.items()}
        fresh = assess(scorer, rows.data.subset(judged), mine, alike, **words)
        fresh["domain"] = by_domain(scorer, rows.data.subset(judged))
        found["unseen"] = {name: fresh[name] for name in UNSEEN}
    frame = rows.frame.iloc[judged].reset_index(drop=True)
    found["subgroups"] = subgroups(scorer, rows.data.subset(judged), frame, columns)
    _say(called, rows, found, units(*(p.recipe for p in scorer.predictors)))
    return found


def _say(called: str, rows: Rows, found: dict[str, Any], unit_of: Mapping[str, str]) -> None:
    say(f"{called}: {counted(found)}")
    for cells in rows.unread.values():
        say(f"  {not_measured(cells)}")
    which, judged = ("rows not seen", found["unseen"]) if "unseen" in found else ("rows", found)
    for target in found["model"]:
        how = target, found["judged"], found["shown"][target]
        called = headed(found, target, unit_of.get(target))
        _table(f"{called}, all {many(tested(found['model'][target]), 'row')}", found, *how)
        if "unseen" in found:
            _table(f"{called}, {many(tested(judged['model'][target]), 'row')} not seen", judged, *how)
        for verdict in judged["verdicts"][target].values():
            say(f"  {verdict['sentence']}")
        for line in simple_lines(judged, target):
            say(f"  {line}")
        for line in sentences(judged["coverage"][target], covered_rows(judged, target, which)):
            say(f"  {line}")
        of_errors = unit_of_errors(judged, target, unit_of.get(target, ""))
        say(f"  reliability: {sentence(judged['reliability'][target], of_errors)}")
        for line in (*domain_lines({**judged, "main": found["main"]}, target), *lines(judged, target)):
            say(f"  {line}")
    for line in found["subgroups"]:
        said = ", ".join(f"{name} {interval(score)}" for name, score in line["scores"].items())
        counted_rows = many(line["n"], "exact row" if bounded(found["model"][line["target"]]) else "row")
        say(f"  {line['target']}, {line['column']} {line['group']}: {counted_rows}, {said}")
    say(f"  leaks: {found['leaks']['sentence']}")


def _table(title: str, found: Mapping[str, Any], target: str, mine: str, shown: Sequence[str]) -> None:
    """Print the scores of one target, with those of what it is compared with to the right."""
    beside = {name: scores[target] for name, scores in found["others"].items() if target in scores}
    heads = [mine, *(name if len(name) < WIDE else f"...{name[5 - WIDE :]}" for name in beside)]
    if len(title) > TITLE:  # a line of its own, so that what is beside stands over its column
        say(f"  {title}")
        title = ""
    say(f"  {title:{TITLE}}{''.join(f'{head:{WIDE}}' for head in heads)}".rstrip())
    for name, label in labels(found["model"][target], shown).items():
        cells = (interval(scores[name]) for scores in (found["model"][target], *beside.values()))
        say(f"    {label:28}{''.join(f'{cell:{WIDE}}' for cell in cells)}".rstrip())


def _write(out: Path, name: str, predictor: Predictor | Panel, rows: Rows, found: dict[str, Any]) -> None:
    """Write `scores-<model>.csv` (measured beside predicted), `subgroups-<model>.csv` and `report-<model>.html`."""
    with os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    scores = predictor.columns_of(rows.data).rename(columns={DOUBT: "message"})
    measured: dict[str, Any] = {}
    for target in predictor.task.present(rows.data.targets):
        kind = predictor.task.of(target)
        values, observed, _ = kind.measured(rows.data.targets)
        measured[f"{target}_measured"] = kind.cells(np.where(observed, values, np.nan))
    ours = pd.concat([pd.DataFrame(measured), scores], axis="columns")
    own = rows.frame.drop(columns=list(rows.added))
    names = free_names(list(own.columns), list(ours.columns))
    frame = pd.concat([own, ours.rename(columns=names)], axis="columns")
    with open_writer(out / f"scores-{name}.csv", column=next(iter(rows.columns.values()))) as writer:
        writer.write(frame)
    if found["subgroups"]:
        with open_writer(out / f"subgroups-{name}.csv") as writer:
            writer.write(table(found["subgroups"]))
    title = f"{name} on {Path(rows.origin).name}"
    write_evaluation_report(out / f"report-{name}.html", predictor, rows.data, scores, found, title=title)
