"""`card.md`: what a model is, what it was trained on and how good it is, for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from molgraph import registry
from molgraph.config import RunSettings
from molgraph.errors import many
from molgraph.kinds import restore
from molgraph.metrics import METRICS
from molgraph.metrics.coverage import sentences
from molgraph.metrics.figures import figure, figures
from molgraph.predictor.inputs import slots
from molgraph.predictor.parts import parts
from molgraph.predictor.recipe import Recipe


def card(recipe: Recipe) -> str:
    """Return a model card as Markdown.

    See: Mitchell 2019, doi 10.1145/3287560.3287596
    """
    facts, metrics = recipe.facts, recipe.metrics
    lines = [f"# {', '.join(recipe.task['names'])} by {recipe.run.model}", ""]
    lines += [f"- {key}: {_plain(facts[key])}" for key in FACTS if key in facts]
    lines += [f"- started from: {started(recipe.start)}"] if recipe.start else []
    lines += [f"- {refitted(facts)}"] if refitted(facts) else []
    lines += [f"- note: {note}" for note in facts.get("notes", [])]
    for target, scores in metrics.get("model", {}).items():
        unit = units(recipe).get(target)
        lines += ["", f"## {headed(metrics, target, unit)}, {tested(scores)} test rows", ""]
        names = labels(scores, metrics["shown"][target])
        rival = metrics["comparator_name"]
        lines += [f"| metric | model | {rival} |", "|---|---|---|"]
        lines += [
            f"| {label} | {interval(scores[name])} | {beside(metrics, target, name)} |" for name, label in names.items()
        ]
        if mine := part_scores(recipe, target):
            lines += ["", f"| part | weight | {METRICS[metrics['main'][target]].label} |", "|---|---|---|"]
            lines += [f"| {name} | {weight} | {score} |" for name, weight, score in mine]
        in_the_file = natural_units(metrics, target)
        lines += ["", f"{in_the_file}."] if in_the_file else []
        lines += ["", *(verdict["sentence"] for verdict in metrics["verdicts"][target].values())]
        lines += simple_lines(metrics, target)
        lines += ["", *sentences(metrics["coverage"][target], covered_rows(metrics, target, "test rows"))]
        lines += [f"{line[0].upper()}{line[1:]}." for line in domain_lines(metrics, target)]
    if metrics.get("leaks"):
        lines += ["", f"Leaks: {metrics['leaks']['sentence']}."]
    lines += [
        "",
        f"Scores carry bootstrap 95 % intervals. {_outside(recipe)}",
        "Not for clinical use.",
        "",
    ]
    return "\n".join(lines)


def part_scores(recipe: Recipe, target: str) -> list[tuple[str, str, str]]:
    """Return of each part of a consensus its name, weight and own score on the test rows, and last that of all
    together; nothing of other models."""
    known = recipe.run.model in registry.models()  # else of a package that is not installed
    names, metrics = [part.model for part in parts(recipe.run)] if known else [], recipe.metrics
    if len(names) < 2 or recipe.members < len(names):
        return []
    main, each = metrics["main"][target], recipe.weights.get(target)
    shares = [f"{sum(each[at :: len(names)]):.2f}" if each else "alike" for at in range(len(names))]
    scores = [metrics["others"].get(name, {}).get(target, {}).get(main) for name in names]
    made = [(n, w, interval(s) if s else "none") for n, w, s in zip(names, shares, scores, strict=True)]
    return [*made, ("together", "", interval(metrics["model"][target][main]))]


def _outside(recipe: Recipe) -> str:
    """Say what becomes of predictions outside the domain."""
    if recipe.facts.get("shared"):
        return SHARED
    compared = all(slot.room.likeness.index is not None for slot in slots(recipe.run))
    return FLAGGED if compared else UNLIKE


UNLIKE = "Which parts are alike is not known here: predictions name no neighbour and no domain."
FLAGGED = "Predictions outside the domain of the training rows are flagged, not withheld."
SHARED = "Shared without its training rows: predictions name no neighbour and no domain."
FACTS = (
    "data", "inputs", "rows_read", "rows_used", "rejected", "split", "train", "valid", "calibration", "test", "size",
    "members", "epochs", "seconds", "trained", "interrupted",
)  # fmt: skip


def in_words(run: RunSettings) -> str:
    """Say which inputs a run reads, by what; "" where it is one.

    >>> beside = {"encoder": "disease/feedforward", "fields": {"temp": "number", "ph": "number"}}
    >>> in_words(RunSettings(inputs={"molecule": {"encoder": "molecule/gin"}, "descriptors": beside}))
    'molecule by molecule/gin; descriptors temp, ph by disease/feedforward'
    """
    each = [f"{' '.join(filter(None, (slot.name, ', '.join(slot.fields))))} by {slot.model}" for slot in slots(run)]
    return "; ".join(each) if run.inputs else ""


def units(*recipes: Recipe) -> dict[str, str]:
    """Return what the numbers of each target are, by the first model that says it: its unit, or the class whose
    probability they are; nothing of a target of which nobody said it."""
    found: dict[str, str] = {}
    for recipe in recipes:
        kind = restore(recipe.task)
        for name in kind.names:
            unit = recipe.units.get(name) or kind.of(name).quantity
            if unit:
                found.setdefault(name, unit)
    return found


def unit_of_errors(judged: Mapping[str, Any], target: str, unit: str) -> str:
    """Return the unit of errors and widths of a target: of one that is learnt on its logarithm that.

    >>> unit_of_errors({"natural": {"CL": {"model": {}}}}, "CL", ""), unit_of_errors({}, "pKd", "-log10(M)")
    ('log10 of CL', '-log10(M)')
    """
    return f"log10 of {target}" if judged.get("natural", {}).get(target) else unit


def headed(judged: Mapping[str, Any], target: str, unit: str | None) -> str:
    """Return a target with what its scores are counted in.

    >>> headed({}, "pKd", "-log10(M)"), headed({"natural": {"CL": {"model": {}}}}, "CL", None), headed({}, "y", None)
    ('pKd (-log10(M))', 'CL (scores are of log10 of CL)', 'y')
    """
    errors = unit_of_errors(judged, target, unit or "")
    said = errors if errors == unit else f"scores are of {errors}"
    return f"{target} ({said})" if errors else target


def simple_lines(found: Mapping[str, Any], target: str) -> list[str]:
    """Say how a model compares with the simplest methods, where an assessment has it, for one target."""
    return [verdict["sentence"] for verdict in found.get("simple", {}).get("verdicts", {}).get(target, {}).values()]


def domain_lines(found: Mapping[str, Any], target: str) -> list[str]:
    """Say in sentences what `inside.by_domain` found of one target, where an assessment has it."""
    apart = found.get("domain", {}).get(target)
    if not apart or not apart["outside"]:
        return []
    rows = f"{apart['outside']:,} of {apart['inside'] + apart['outside']:,} rows"
    said = [f"{rows} {'lies' if apart['outside'] == 1 else 'lie'} outside the domain of the training data"]
    label = METRICS[found["main"][target]].label
    for side, made in apart["of"].items():
        covered = made["coverage"]
        exact = f"{covered['n']:,} exact rows" if bounded(found["model"][target]) else "rows"
        alike = covered["value"] is None and covered["reason"] == found["coverage"][target]["reason"]  # said already
        held = "" if alike else f"; {' '.join(sentences(covered, exact)).removesuffix('.')}"
        said.append(f"{side} the domain: {label} {interval(made['score'])}{held}")
    return said


def started(start: dict[str, Any]) -> str:
    """Say what a model started from: its folder, digest, what it was trained on, and which weights did not fit.

    >>> started({"name": "base", "digest": "0f" * 32, "data": "a.csv", "rows_used": 90, "targets": ["pKi"], "anew": []})
    'base (sha256 0f0f0f0f0f0f), trained on 90 rows of a.csv for pKi'
    """
    rows = f"{start['rows_used']:,} rows of " if "rows_used" in start else ""
    taught = f", trained on {rows}{start['data']} for {', '.join(start['targets'])}" if "data" in start else ""
    anew = f"; weights that did not fit and start anew: {', '.join(layers(start['anew']))}" if start["anew"] else ""
    gaps = f"; {' and '.join(start['gaps'])}" if start.get("gaps") else ""
    return f"{start['name']} (sha256 {start['digest'][:12]}){taught}{anew}{gaps}"


def layers(names: list[str]) -> list[str]:
    """Return the layers that weights belong to, each once.

    >>> layers(["head.2.weight", "head.2.bias", "encoder.embed.weight"])
    ['head.2', 'encoder.embed']
    """
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))


def counted(found: dict[str, Any]) -> str:
    """Say how many rows an evaluation read and judged, how many were trained on, and why others were left out.

    >>> leaks = {"seen": 1, "of": 5, "sentence": ""}
    >>> counted({"rows_read": 9, "rows": 5, "left_out": {"invalid_smiles": 4}, "repeats": 0, "leaks": leaks})
    '9 rows read, 5 judged, 1 of them seen in training; 4 left out (4 invalid smiles)'
    """
    seen = found["leaks"]["seen"]
    known = f"; {found['leaks']['sentence']}" if seen is None else f", {seen:,} of them seen in training"
    again = f"; {found['repeats']:,} repeat another, each judged by its own value" if found["repeats"] else ""
    left = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in found["left_out"].items())
    without = f"; {sum(found['left_out'].values()):,} left out ({left})" if left else ""
    return f"{many(found['rows_read'], 'row')} read, {found['rows']:,} judged{known}{again}{without}"


def refitted(facts: Mapping[str, Any]) -> str:
    """Say which model the scores are of and which is kept, "" where that is the same.

    >>> refitted({"refitted": 1017})
    'scores are of the model of the split; the one that is kept was then trained again on all 1,017 measured rows.'
    """
    rows = facts.get("refitted", 0)
    said = "scores are of the model of the split; the one that is kept was then trained again on all"
    return f"{said} {rows:,} measured rows." if rows else ""


def tested(scores: Mapping[str, Mapping[str, Any]]) -> int:
    """Return how many rows the scores of one target are of: where it was not measured, a test row says nothing."""
    return max(int(score["n"]) for score in scores.values())


def bounded(scores: Mapping[str, Mapping[str, Any]]) -> bool:
    """Tell whether some of the rows that were scored are known only as bounds: few metrics count those."""
    return len({int(score["n"]) for score in scores.values()}) > 1


def covered_rows(judged: Mapping[str, Any], target: str, rows: str) -> str:
    """Say of which rows the coverage of one target is: of exact ones alone, where others are bounds.

    >>> scores = {"rmse": {"n": 25}, "ci": {"n": 47}}
    >>> covered_rows({"model": {"pKd": scores}, "coverage": {"pKd": {"n": 25}}}, "pKd", "test rows")
    '25 exact test rows'
    """
    scores = judged.get("model", {}).get(target, {})
    return f"{judged['coverage'][target]['n']:,} exact {rows}" if bounded(scores) else rows


def labels(
    scores: Mapping[str, Mapping[str, Any]], names: Sequence[str], words: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what to call each metric, by its own name or in `words`: with its rows, where some are known only as
    bounds, which few metrics count.

    >>> labels({"rmse": {"n": 25}, "ci": {"n": 47}}, ["rmse", "ci"])
    {'rmse': 'rmse, 25 exact', 'ci': 'ci, all 47'}
    """
    found = {name: (words or {}).get(name, name) for name in names}
    rows = {name: int(scores[name]["n"]) for name in names}
    if not bounded(scores):
        return found
    most = tested(scores)
    return {
        name: f"{word}, all {most}" if rows[name] == most else f"{word}, {rows[name]} exact"
        for name, word in found.items()
    }


def natural_units(judged: Mapping[str, Any], target: str) -> str:
    """Return the errors of a target that is learnt on its logarithm in the user's units, "" of another.

    >>> score = {"value": 3129.0, "low": 42.04, "high": 5211.0}
    >>> natural_units({"natural": {"CL": {"model": {"rmse": score}}}}, "CL")
    'CL is learnt on log10, and so are its scores and widths; in the units of the file: model: rmse 3,130 (42 to 5,210)'
    """
    found = judged.get("natural", {}).get(target, {})  # none where an earlier version judged
    said = [f"{w}: {', '.join(f'{m} {_in_units(score)}' for m, score in each.items())}" for w, each in found.items()]
    start = f"{target} is learnt on log10, and so are its scores and widths; in the units of the file: "
    return start + "; ".join(said) if said else ""


def _in_units(score: Mapping[str, Any]) -> str:
    """Write a score with its interval as `interval` does, thousands without powers of ten."""
    value, low, high = score["value"], score["low"], score["high"]
    if None in (value, low, high):
        return interval(score)

    def written(number: float) -> str:
        plain = f"{number:.3g}"
        return f"{float(plain):,.0f}" if 1000 <= number < 1e9 else plain

    return f"{written(value)} ({written(low)} to {written(high)})"


def interval(score: Mapping[str, Any]) -> str:
    """Return "0.62 (0.55 to 0.70)", or the reason why there is no score."""
    if score["value"] is None:
        return f"none ({score['reason']})"
    if score["low"] is None:  # not asked for, or there is none
        return figure(score["value"]) + (f" ({score['reason']})" if score["reason"] else "")
    value, low, high = figures(score["value"], score["low"], score["high"])
    return f"{value} ({low} to {high})"


def beside(metrics: Mapping[str, Any], target: str, name: str) -> str:
    """Return the score of the method to beat, "none" of a target that it says nothing of, as the nearest neighbour of
    the time to an event."""
    score = metrics["comparator"].get(target, {}).get(name)
    return interval(score) if score else "none"


def _plain(value: Any) -> str:
    return ", ".join(f"{v} {k}" for k, v in value.items()) or "none" if isinstance(value, dict) else str(value)
