"""The report of an evaluation: how good a model is on rows with known values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT
from molgraph.kinds.column import named
from molgraph.predictor.card import units
from molgraph.predictor.panel import Panel
from molgraph.predictor.predictor import Predictor
from molgraph.report.contents import Parity, Report
from molgraph.report.model import model_facts
from molgraph.report.quality import quality
from molgraph.report.report import write_report
from molgraph.report.trust import trust


def write_evaluation_report(
    path: Path,
    predictor: Predictor | Panel,
    data: Dataset,
    scores: pd.DataFrame,
    assessment: Mapping[str, Any],
    *,
    title: str,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write the page; see `evaluation_report`."""
    report = evaluation_report(predictor, data, scores, assessment, title=title, facts=facts)
    write_report(path, report, predictor.room.face.draw)


def evaluation_report(
    predictor: Predictor | Panel,
    data: Dataset,
    scores: pd.DataFrame,
    assessment: Mapping[str, Any],
    *,
    title: str,
    facts: Mapping[str, str] | None = None,
) -> Report:
    """Return the contents of an evaluation's page.

    `scores` are the predictor's columns of the rows of `data`, in order; `assessment` is what
    `predictor.assess` found on the same rows.
    """
    seen, models = assessment.get("seen_in_training", 0), predictor.predictors
    warning = f" {seen:,} of them stood in the training set: their scores flatter." if seen else ""
    if seen is None:
        told = assessment["leaks"]["sentence"]
        warning = f" {told[0].upper()}{told[1:]}."
    if assessment.get("repeats"):
        warning = f" {assessment['repeats']:,} of them repeat another and are judged by their own values.{warning}"
    rejected = Counter(reject.reason for reject in data.rejects)
    examples = {reject.reason: f"row {reject.row}: {reject.message}" for reject in reversed(data.rejects)}
    return Report(
        title=title,
        lead=f"{len(data):,} measured {predictor.inputs.noun.many} judged.{warning}",
        quality=quality(assessment, " + ".join(p.recipe.run.model for p in models), units(*(p.recipe for p in models))),
        trust=trust(assessment),
        parity=tuple(
            _parity(predictor, name, data, scores)
            for name in predictor.task.present(data.targets)
            if named(predictor.task.of(name).described(scores.columns), "low")
        ),
        rejected=tuple((reason, n, examples[reason]) for reason, n in sorted(rejected.items())),
        facts={**(facts or {}), **model_facts(models)},
        noun=predictor.inputs.noun,
    )


def _parity(predictor: Predictor | Panel, name: str, data: Dataset, scores: pd.DataFrame) -> Parity:
    """Show the rows with an exact measured value; a bound (`>10`) has no place on the plot."""
    kind = predictor.task.of(name)
    columns = kind.described(scores.columns)
    values, observed, bound = kind.measured(data.targets)
    measured = kind.out_of(np.where(observed & (bound == EXACT), values, np.nan))

    def column(wanted: str) -> tuple[float, ...]:
        found = scores[wanted].to_numpy(np.float64) if wanted in scores else np.full(len(scores), np.nan)
        return tuple(found.tolist())

    inside = scores["in_domain"].astype(bool).tolist() if "in_domain" in scores else [True] * len(scores)
    return Parity(
        name,
        tuple(measured.tolist()),
        column(name),
        column(named(columns, "low")),
        column(named(columns, "high")),
        column("nn_similarity"),
        tuple(inside),
        units(*(p.recipe for p in predictor.predictors)).get(name, ""),
        kind.on_logarithm,
        int((observed & (bound != EXACT)).sum()),
    )
