"""How good a model is, from the assessment in its folder to the sections of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from molgraph.metrics import METRICS
from molgraph.metrics.coverage import sentences
from molgraph.metrics.reliability import drawn, sentence
from molgraph.metrics.scores import IN_UNITS
from molgraph.predictor.card import (
    covered_rows,
    domain_lines,
    labels,
    natural_units,
    simple_lines,
    tested,
    unit_of_errors,
    units,
)
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.simple import CONSTANT, EQUATION, LAST
from molgraph.report.contents import Estimate, Quality
from molgraph.report.meaning import meaning
from molgraph.report.plots import with_units

Assessment = Mapping[str, Any]
SIMPLEST = {CONSTANT: "the simplest guess", EQUATION: "an equation of descriptors", LAST: "the last value"}


def quality(assessment: Assessment, model: str, unit_of: Mapping[str, str] | None = None) -> tuple[Quality, ...]:
    """Return one section per target of what `predictor.assess` found; none where a model was never judged."""
    known = unit_of or {}
    return tuple(_of_target(assessment, target, model, known.get(target, "")) for target in assessment.get("model", {}))


def quality_of(predictor: Predictor) -> tuple[Quality, ...]:
    """Return the sections of what a model's folder says of its quality.

    Raises: CheckpointError where that cannot be told.
    """
    with predictor.blamed():
        return quality(predictor.recipe.metrics, predictor.recipe.run.model, units(predictor.recipe))
    raise AssertionError  # a context that lets no error pass does not get here


def _of_target(assessment: Assessment, target: str, model: str, unit: str) -> Quality:
    judged = assessment.get("unseen", assessment)  # what a model was trained on says nothing of its intervals
    others = judged.get("others", assessment["others"])  # an earlier version judged them on all rows alone
    others = {name: scores for name, scores in others.items() if target in scores}  # a start may have other targets
    tables = [assessment["model"][target], *(scores[target] for scores in others.values())]
    methods = [f"{model} (this model)", *others]
    if "unseen" in assessment:
        tables.insert(1, assessment["unseen"]["model"][target])
        fresh = f"the same, {tested(judged['model'][target]):,} rows not trained on"
        methods = [methods[0], fresh, *(f"{name}, those rows" for name in others)]
    shown = assessment["shown"][target]
    of_errors = unit_of_errors(judged, target, unit)
    called = {n: with_units(METRICS[n].label, of_errors if n in IN_UNITS else "") for n in shown}
    named = labels(assessment["model"][target], shown, called)
    if "unseen" in assessment:
        afresh = labels(judged["model"][target], shown, called)
        named = {name: _both(label, called[name], afresh[name]) for name, label in named.items()}
    scores = {label: tuple(_estimate(table[name]) for table in tables) for name, label in named.items()}
    in_the_file, which = natural_units(judged, target), _which(assessment)
    verdicts = judged.get("verdicts", assessment["verdicts"])[target]
    reliable = judged.get("reliability", {}).get(target, {})  # none where an earlier version judged
    main, yes_or_no = assessment["main"][target], judged["coverage"][target].get("said")
    means = meaning(target, unit, chance=bool(yes_or_no)) if yes_or_no or main in IN_UNITS else ""
    apart = [f"{line[0].upper()}{line[1:]}." for line in domain_lines({**judged, "main": assessment["main"]}, target)]
    return Quality(
        target,
        tested(judged["model"][target]),
        tuple(methods),
        scores,
        named[main],
        (
            *(verdict["sentence"] for verdict in verdicts.values()),
            *simple_lines(judged, target),
            *((f"{in_the_file}.",) if in_the_file else ()),
        ),
        " ".join([*sentences(judged["coverage"][target], covered_rows(judged, target, which)), *apart]),
        f"Leaks: {assessment['leaks']['sentence']}." if "leaks" in assessment else "",
        f"Reliability: {sentence(reliable, of_errors)}." if reliable else "",
        drawn(reliable.get("curve", ())),
        METRICS[main].classes,
        tuple(_in_a_word(name, verdict) for name, verdict in (*verdicts.items(), *_simple(judged, target))),
        unit,
        means,
        which=which,
    )


def _both(label: str, called: str, afresh: str) -> str:
    """Say also of how many rows the columns beside the first are, where a label counts rows.

    >>> _both("R2, 48 exact", "R2", "R2, 40 exact"), _both("R2", "R2", "R2")
    ('R2, 48 exact (40 exact not trained on)', 'R2')
    """
    return label if label == called else f"{label} ({afresh.removeprefix(f'{called}, ')} not trained on)"


def _which(assessment: Assessment) -> str:
    """Say what the rows that were judged are to the model: a training holds them out, an evaluation is given them."""
    if "unseen" in assessment:
        return "rows not trained on"
    if "seen_in_training" not in assessment:
        return "held-out rows"
    return "rows, all trained on" if assessment["seen_in_training"] == assessment.get("rows") else "rows"


def _simple(judged: Assessment, target: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what the simplest methods are called and the verdict beside each, where an assessment has them."""
    for name, verdict in judged.get("simple", {}).get("verdicts", {}).get(target, {}).items():
        yield SIMPLEST.get(name, name), verdict


def _in_a_word(name: str, verdict: Mapping[str, Any]) -> str:
    """Say which is better, and what the order of numbers says where that is something else."""
    if verdict["verdict"] == "too few to judge":
        return f"too few rows to judge it beside {name}"
    ranking = verdict.get("ranking")  # an earlier version did not compare it
    return f"{verdict['verdict']} than {name}" + (f", {ranking['verdict']} in ranking" if ranking else "")


def _estimate(score: Mapping[str, Any]) -> Estimate:
    return Estimate(score["value"], score["low"], score["high"], score["reason"] or "")
